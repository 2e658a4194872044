"""Headers that every answer has for browsers' sake, and bounds on those of requests.

What an answer says for itself is left as it is; `Server` is taken out.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.answering import Answering, Lacking
from gateway.http.head import head_of
from gateway.http.incoming import request_id_of
from gateway.http.responses import NO_STORE, Header, send_problem

MAX_PATH_BYTES = 8 * 1024

_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
# Of what a browser may show as a page. Scripts go without: a policy of theirs would bind workers.
_OF_PAGES: tuple[Header, ...] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
    NO_STORE,
)
_PAGES = frozenset({b"", b"text/html", b"text/plain", b"text/event-stream"})
_HSTS: Header = (b"strict-transport-security", b"max-age=31536000")
_CREDENTIALS = frozenset({b"authorization", b"cookie", b"x-api-key"})


@dataclass(frozen=True, slots=True)
class HeaderBounds:
    """How many headers a request may have, and how many bytes they may take."""

    headers: int = 100
    header_bytes: int = 16 * 1024

    def refusal(self, scope: Scope) -> int | None:
        """431 or, for too long a path, 414; the query has its own bound."""
        if len(scope["headers"]) > self.headers or head_of(scope).size > self.header_bytes:
            return 431
        return 414 if len(scope.get("raw_path") or b"") > MAX_PATH_BYTES else None


class SecurityHeaders:
    """A pure ASGI wrapper around everything. Files under `shared` may be shown by foreign pages.

    Refuses with 431 or 414 what is past the bounds before anything looks at it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        public_url: str | None = None,
        shared: Collection[str] = ("/media/",),
        bounds: HeaderBounds | None = None,
    ) -> None:
        self._app = app
        self._bounds = bounds or HeaderBounds()
        self._https = public_url is not None and public_url.startswith("https:")
        self._shared = tuple(shared)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        status = self._bounds.refusal(scope)
        if scope["type"] == "websocket":
            if status is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        answer = Answering(send, self._headers(scope))
        if status is None:
            await self._app(scope, receive, answer)
        else:
            request_id = request_id_of(scope)
            headers = ((b"x-request-id", request_id.encode()), (b"connection", b"close"))
            await send_problem(answer, status, request_id, headers)

    def _headers(self, scope: Scope) -> Lacking:
        foreign = scope["path"].startswith(self._shared) if self._shared else False
        has_credentials = not _CREDENTIALS.isdisjoint(head_of(scope).first)
        return _lacking(foreign, self._https, has_credentials)


@lru_cache
def _lacking(foreign: bool, https: bool, has_credentials: bool) -> Lacking:  # noqa: FBT001 - keys
    policy = b"cross-origin" if foreign else b"same-origin"
    found = dict((*_ALWAYS, (b"cross-origin-resource-policy", policy)))
    if https:
        found.update([_HSTS])
    if has_credentials:
        found.update([NO_STORE])
    return Lacking(tuple(found.items()), tuple((found | dict(_OF_PAGES)).items()), _is_page)


@lru_cache
def _is_page(content_type: bytes) -> bool:
    kind = content_type.partition(b";")[0].strip().lower()
    if kind in _PAGES or kind.startswith(b"multipart/"):
        return True
    return kind == b"application/json" or kind.endswith(b"+json")
