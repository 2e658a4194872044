"""What operators may do over HTTP: `POST /admin/cache/purge` with the tags to be forgotten."""

from collections.abc import Awaitable, Callable

import msgspec
import orjson
import structlog
from starlette.datastructures import Headers
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.access.errors import Challenge
from gateway.http.incoming import ClientGoneError, header_text, read_body, request_id_of
from gateway.http.responses import JSON, NO_STORE, Header, send_problem, send_whole
from gateway.http.webhook_inbox import Purges
from gateway.operations.request import RequestError
from ports.caller import Caller, CallerKind
from ports.errors import TransientError
from upstream.webhooks import is_tag

PATH = "/admin/cache/purge"
SCOPE = "cache:purge"
MOST_TAGS = 1_000
_BODY_BYTES = 256 * 1024
_BODY_SECONDS = 5.0
_RETRY: Header = (b"retry-after", b"5")

Authenticate = Callable[[Headers], Awaitable[Caller]]
"""Raises RequestError (400, 401), or TransientError where nobody can tell just now."""

log = structlog.get_logger(__name__)


class _Wish(msgspec.Struct, forbid_unknown_fields=True):
    tags: list[str]


_WISH = msgspec.json.Decoder(_Wish)


def admin_routes(
    cache: Purges, authenticate: Authenticate, challenge: Challenge | None = None
) -> list[Route]:
    """Answers `{"purged": n}`; a caller without the scope `cache:purge` gets 401 or 403."""
    return [Route(PATH, _Purge(cache, authenticate, challenge or Challenge()), methods=["POST"])]


class _Purge:
    def __init__(self, cache: Purges, authenticate: Authenticate, challenge: Challenge) -> None:
        self._cache = cache
        self._authenticate = authenticate
        self._challenge = challenge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = request_id_of(scope)
        try:
            caller = await self._allowed(scope)
            tags = await _tags(scope, receive)
        except RequestError as error:
            await send_problem(send, error.status, request_id, error.headers)
        except TransientError:
            await send_problem(send, 503, request_id, (_RETRY,))
        except ClientGoneError:
            return
        else:
            count = await self._cache.purge(tags)
            log.info("cache purged", caller=caller.subject, tags=len(tags), count=count)
            await send_whole(send, 200, orjson.dumps({"purged": count}), (JSON, NO_STORE))

    async def _allowed(self, scope: Scope) -> Caller:
        """Before anything of the body is read."""
        caller = await self._authenticate(Headers(scope=scope))
        if SCOPE in caller.scopes:
            return caller
        if caller.kind is CallerKind.ANONYMOUS:
            raise self._challenge.nothing_sent()
        raise self._challenge.insufficient([SCOPE])


async def _tags(scope: Scope, receive: Receive) -> list[str]:
    kind = (header_text(scope, b"content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RequestError(415, "", "")
    body = await read_body(scope, receive, max_bytes=_BODY_BYTES, seconds=_BODY_SECONDS)
    try:
        tags = list(dict.fromkeys(_WISH.decode(body).tags))
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise RequestError(400, "", "") from None
    if not 0 < len(tags) <= MOST_TAGS or not all(map(is_tag, tags)):
        raise RequestError(400, "", "")
    return tags
