"""Counts the requests of the GraphQL endpoint, whatever becomes of them."""

import time
from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.answering import answering
from gateway.telemetry.metrics.figures import Figures


class Counted:
    """A pure ASGI application around another. A request whose client left has no answer."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._request = figures.request

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        began, method, request = time.monotonic(), scope.get("method", ""), self._request

        def counted(status: int) -> None:
            request(method, status, time.monotonic() - began)

        answer = answering(send)
        answer.when_begun(counted)
        return self._app(scope, receive, answer)
