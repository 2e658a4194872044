"""One ASGI application of everything served: GraphQL, health, and the routes given.

Gives every answer its `X-Request-Id`; what is unknown or fails is answered as a problem.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route, Router
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from gateway.http.answering import answering
from gateway.http.health import Healthz, NotReady, Readyz
from gateway.http.incoming import path_of, request_id_of
from gateway.http.responses import Header, send_problem

NOSNIFF: Header = (b"x-content-type-options", b"nosniff")

log = structlog.get_logger(__name__)


def http_app(  # noqa: PLR0913 - the parts of one application, all named
    endpoint: ASGIApp,
    *,
    not_ready: NotReady,
    routes: Sequence[BaseRoute] = (),
    lifespan: Lifespan[Any] | None = None,
    graphql_path: str = "/graphql",
    state: Mapping[str, object] | None = None,
) -> ASGIApp:
    """`lifespan` holds what lives as long as the application, as Starlette's does.

    `state` is told to the server that runs it, where that keeps any.
    """
    paths: dict[str, ASGIApp] = {
        graphql_path: endpoint,
        "/healthz": Healthz(),
        "/readyz": Readyz(not_ready),
    }
    return _Application(paths, tuple(routes), Router(lifespan=lifespan), state or {})


class _Application:
    def __init__(
        self,
        paths: dict[str, ASGIApp],
        routes: tuple[BaseRoute, ...],
        lifespan: Router,
        state: Mapping[str, object],
    ) -> None:
        self._paths = paths
        self._routes = routes
        self._lifespan = lifespan
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            if (told := scope.get("state")) is not None:
                told.update(self._state)
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self._websocket(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = answering(send)
        request_id = request_id_of(scope)
        answer.add(((b"x-request-id", request_id.encode()), NOSNIFF))
        app = self._paths.get(path_of(scope), self._routed)
        try:
            await app(scope, receive, answer)
        except HTTPException as error:
            if answer.started:
                raise
            await send_problem(answer, error.status_code, request_id, _told(error.headers))
        except Exception:
            if answer.started:
                raise  # nothing can be told any more; the server closes the connection
            log.exception("request failed", request_id=request_id, path=scope["path"])
            await send_problem(answer, 500, request_id)

    async def _routed(self, scope: Scope, receive: Receive, answer: Send) -> None:
        allowed: set[str] = set()
        for route in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                await route.handle({**scope, **child}, receive, answer)
                return
            if match is Match.PARTIAL and isinstance(route, Route):
                allowed |= route.methods or set()
        headers = ((b"allow", ", ".join(sorted(allowed)).encode()),) if allowed else ()
        await send_problem(answer, 405 if allowed else 404, request_id_of(scope), headers)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        for route in self._routes:
            match, child = route.matches(scope)
            if match is Match.FULL:
                await route.handle({**scope, **child}, receive, send)
                return
        await send({"type": "websocket.close", "code": 1000})


def _told(headers: Mapping[str, str] | None) -> list[Header]:
    return [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
