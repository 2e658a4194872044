"""Headers that every answer has for browsers' sake, and bounds on those of requests.

What an answer says for itself is left as it is; `Server` is taken out.
"""

from collections.abc import Collection, Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.incoming import request_id_of
from gateway.http.responses import NO_STORE, Header, send_problem

MAX_HEADER_BYTES = 16 * 1024
MAX_HEADERS = 100
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
    ) -> None:
        self._app = app
        self._https = public_url is not None and public_url.startswith("https:")
        self._shared = tuple(shared)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        status = _refusal(scope)
        if scope["type"] == "websocket":
            if status is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1008})
            return
        answer = _Completed(send, self._headers(scope))
        if status is None:
            await self._app(scope, receive, answer)
        else:
            request_id = request_id_of(scope)
            headers = ((b"x-request-id", request_id.encode()), (b"connection", b"close"))
            await send_problem(answer, status, request_id, headers)

    def _headers(self, scope: Scope) -> list[Header]:
        foreign = scope["path"].startswith(self._shared) if self._shared else False
        headers = [
            *_ALWAYS,
            (b"cross-origin-resource-policy", b"cross-origin" if foreign else b"same-origin"),
        ]
        if self._https:
            headers.append(_HSTS)
        if any(name in _CREDENTIALS for name, _ in scope["headers"]):
            headers.append(NO_STORE)
        return headers


class _Completed:
    """A `send` that adds the headers that the answer lacks."""

    def __init__(self, send: Send, headers: list[Header]) -> None:
        self._send = send
        self._headers = headers

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            own = [one for one in message.get("headers", ()) if one[0].lower() != b"server"]
            message["headers"] = [*own, *self._lacking(own)]
        await self._send(message)

    def _lacking(self, own: Iterable[Header]) -> list[Header]:
        present = {name.lower(): value for name, value in own}
        wanted = dict(self._headers)
        if _is_page(present.get(b"content-type", b"")):
            wanted.update(_OF_PAGES)
        return [(name, value) for name, value in wanted.items() if name not in present]


def _is_page(content_type: bytes) -> bool:
    kind = content_type.partition(b";")[0].strip().lower()
    if kind in _PAGES or kind.startswith(b"multipart/"):
        return True
    return kind == b"application/json" or kind.endswith(b"+json")


def _refusal(scope: Scope) -> int | None:
    """431 for too many or too long headers, 414 for too long a path; the query has its own bound."""
    headers: list[Header] = scope["headers"]
    if len(headers) > MAX_HEADERS:
        return 431
    # Each is sent with a colon, a space and the end of its line.
    if sum(len(name) + len(value) + 4 for name, value in headers) > MAX_HEADER_BYTES:
        return 431
    return 414 if len(scope.get("raw_path") or b"") > MAX_PATH_BYTES else None
