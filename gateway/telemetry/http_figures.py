"""Counts the requests of the GraphQL endpoint, whatever becomes of them."""

import time
from collections.abc import Awaitable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.telemetry.metrics.figures import Figures


class Counted:
    """A pure ASGI application around another. A request whose client left has no answer."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._requests = figures.requests
        self._seconds = figures.request_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()

        def counted(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                self._requests.add(str(message["status"]))
                self._seconds.observe(time.monotonic() - began)
            return send(message)

        await self._app(scope, receive, counted)
