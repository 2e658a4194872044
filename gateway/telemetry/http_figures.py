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
        self._requests = figures.requests
        self._seconds = figures.request_seconds

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        began = time.monotonic()

        def counted(status: int) -> None:
            self._requests.add(str(status))
            self._seconds.observe(time.monotonic() - began)

        answer = answering(send)
        answer.when_begun(counted)
        return self._app(scope, receive, answer)
