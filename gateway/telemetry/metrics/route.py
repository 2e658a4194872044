"""`GET /metrics`, for callers with the scope `systems:read` and for networks that are allowed."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.access.errors import Challenge
from gateway.http.incoming import request_id_of
from gateway.http.responses import NO_STORE, send_problem, send_whole
from gateway.operations.request import RequestError
from gateway.telemetry.metrics.exposition import CONTENT_TYPE
from ports.caller import Caller, CallerKind
from ports.errors import TransientError
from resolvers.scopes import SCOPE_OF_ROLE

PATH = "/metrics"
SCOPE = SCOPE_OF_ROLE["systems"]
_SECONDS = b"5"

Authenticate = Callable[[Headers], Awaitable[Caller]]
Network = IPv4Network | IPv6Network


def metrics_route(
    lines: Callable[[], Iterable[str]], authenticate: Authenticate, allow: Sequence[Network]
) -> Route:
    return Route(PATH, _Metrics(lines, authenticate, allow), methods=["GET"])


class _Metrics:
    def __init__(
        self,
        lines: Callable[[], Iterable[str]],
        authenticate: Authenticate,
        allow: Sequence[Network],
    ) -> None:
        self._lines = lines
        self._authenticate = authenticate
        self._allow = allow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        request_id = request_id_of(scope)
        try:
            await self._check(scope)
        except RequestError as error:
            await send_problem(send, error.status, request_id, error.headers)
        except TransientError:
            await send_problem(send, 503, request_id, ((b"retry-after", _SECONDS),))
        else:
            body = "".join(f"{line}\n" for line in self._lines()).encode()
            kind = (b"content-type", CONTENT_TYPE)
            await send_whole(send, 200, body, (kind, NO_STORE), head=scope["method"] == "HEAD")

    async def _check(self, scope: Scope) -> None:
        """Raises RequestError 401 or 403."""
        if self._is_allowed(scope.get("client")):
            return
        caller = await self._authenticate(Headers(scope=scope))
        if SCOPE in caller.scopes:
            return
        if caller.kind is CallerKind.ANONYMOUS:
            raise Challenge().nothing_sent()
        raise Challenge().insufficient([SCOPE])

    def _is_allowed(self, client: Sequence[object] | None) -> bool:
        if not self._allow or not client:
            return False
        try:
            address = ip_address(str(client[0]))
        except ValueError:
            return False
        return any(address in network for network in self._allow)
