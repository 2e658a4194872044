"""`/healthz`: the process answers. `/readyz`: what it needs in order to serve is there."""

from collections.abc import Awaitable, Callable, Sequence

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from gateway.http.incoming import request_id_of
from gateway.http.responses import JSON, NO_STORE, send_problem, send_whole

# Names of what is not ready, empty when all is; names only, they are public.
NotReady = Callable[[], Awaitable[Sequence[str]]]

log = structlog.get_logger(__name__)


class Healthz:
    """Alive; never looks at an upstream, or a system that is down would restart the gateway."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        await _answer(scope, send, 200, {"status": "ok"})


class Readyz:
    """200, or 503 with the names of what is not ready."""

    def __init__(self, not_ready: NotReady) -> None:
        self._not_ready = not_ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        try:
            missing = list(await self._not_ready())
        except Exception:
            log.exception("readiness check failed", request_id=request_id_of(scope))
            missing = ["readiness check"]
        if missing:
            await _answer(scope, send, 503, {"status": "not ready", "notReady": missing})
        else:
            await _answer(scope, send, 200, {"status": "ready"})


async def _answer(scope: Scope, send: Send, status: int, body: dict[str, object]) -> None:
    if scope["method"] not in {"GET", "HEAD"}:
        await send_problem(send, 405, request_id_of(scope), [(b"allow", b"GET, HEAD")])
        return
    head = scope["method"] == "HEAD"
    await send_whole(send, status, orjson.dumps(body), (JSON, NO_STORE), head=head)
