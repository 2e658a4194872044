"""Pages of other origins: which may ask (CORS), and that none can make a browser ask unasked (CSRF).

Programs that are no browsers send neither `Origin` nor `Sec-Fetch-Site`, and are not concerned.
"""

from collections.abc import Awaitable, Collection, Mapping
from typing import Protocol
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.http.answering import answering
from gateway.http.head import Head, head_of
from gateway.http.incoming import header, path_of
from gateway.http.refusals import send_refusal
from gateway.http.responses import Header, send_whole
from gateway.operations.request import RequestError

ORIGIN_NOT_ALLOWED = "ORIGIN_NOT_ALLOWED"
CSRF_PREVENTED = "CSRF_PREVENTED"

_METHODS = b"GET, HEAD, POST, OPTIONS"
_REQUEST_HEADERS = (
    b"content-type, authorization, x-api-key, apollo-require-preflight, "
    b"x-apollo-operation-name, x-request-id, x-request-timeout-ms"
)
_ANSWER_HEADERS = b"x-request-id, ratelimit, ratelimit-policy, retry-after, www-authenticate"
# A page can set none of these without the browser asking us first, by a preflight.
_NEEDS_PREFLIGHT = frozenset(
    {
        b"apollo-require-preflight",
        b"authorization",
        b"graphql-preflight",
        b"x-api-key",
        b"x-apollo-operation-name",
        b"x-graphql-client-name",
        b"x-requested-with",
        b"x-request-id",
    }
)
_VARY: Header = (b"vary", b"Origin")
_VARYING = (_VARY,)
_OWN_SITES = frozenset({b"same-origin", b"none"})
_SECURE = frozenset({"https", "wss"})
_OWN_PORTS = {"http": 80, "https": 443}


class Cors(Protocol):
    """What `[cors]` of the settings holds."""

    @property
    def allowed_origins(self) -> tuple[str, ...]: ...
    @property
    def credentials(self) -> bool: ...
    @property
    def max_age_seconds(self) -> int: ...


class CrossOrigin:
    """A pure ASGI wrapper. HTTP on `paths` and every WebSocket is checked; the rest passes.

    `public_url` is the root address that clients see, when it is known.
    """

    def __init__(
        self,
        app: ASGIApp,
        cors: Cors,
        *,
        public_url: str | None = None,
        paths: Collection[str] = ("/graphql",),
    ) -> None:
        self._app = app
        self._origins = frozenset(cors.allowed_origins)
        self._any = "*" in self._origins and not cors.credentials
        self._credentials = cors.credentials
        self._max_age = b"%d" % cors.max_age_seconds
        self._public = None if public_url is None else _authority(public_url)
        is_https = public_url is not None and public_url.startswith("https:")
        self._https_host = self._public[0] if self._public is not None and is_https else None
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            app = self._http if path_of(scope) in self._paths else self._app
            await app(scope, receive, send)
        elif scope["type"] == "websocket" and not self.may_connect(scope):
            # Before it is accepted, this is answered with 403.
            await send({"type": "websocket.close", "code": 1008, "reason": "origin not allowed"})
        else:
            await self._app(scope, receive, send)

    def may_connect(self, scope: Scope) -> bool:
        """Whether a WebSocket may be opened; browsers ask for no leave before they do."""
        origins = _origins(head_of(scope))
        return not origins or (len(origins) == 1 and self._may_ask(origins[0], scope))

    def _http(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        sent = head_of(scope)
        origins = _origins(sent)
        try:
            self._check(origins, scope, sent.first)
        except RequestError as error:
            return send_refusal(scope, send, error, _VARY)
        answer_headers = self._answer_headers(origins)
        if origins and _is_preflight(scope):
            return send_whole(send, 204, b"", (*answer_headers, *self._preflight_headers()))
        answer = answering(send)
        answer.add(answer_headers)
        return self._app(scope, receive, answer)

    def _check(self, origins: list[str], scope: Scope, sent: Mapping[bytes, bytes]) -> None:
        """Raises RequestError 403."""
        if not origins:
            _refuse_unasked(scope["method"], sent)
        elif len(origins) > 1 or not self._may_ask(origins[0], scope):
            message = "Pages of this origin may not use this API."
            raise RequestError(403, message, ORIGIN_NOT_ALLOWED)

    def _may_ask(self, origin: str, scope: Scope) -> bool:
        return self._any or origin in self._origins or self._is_own(origin, scope)

    def _is_own(self, origin: str, scope: Scope) -> bool:
        """Whether the page is the gateway's own: by the host it was asked under, or the public one.

        Behind a proxy that ends TLS nobody may have told us of https, but a page that came
        without it is not trusted where it is known.
        """
        authority = _authority(origin)
        if authority is None:
            return False
        is_https = origin.startswith("https:")
        if not is_https and (scope.get("scheme") in _SECURE or authority[0] == self._https_host):
            return False
        hosts = head_of(scope).all(b"host")
        if authority == self._public or len(hosts) != 1:
            return authority == self._public
        scheme = "https" if is_https else "http"
        return authority == _authority(f"{scheme}://{hosts[0].decode('latin-1')}")

    def _answer_headers(self, origins: list[str]) -> tuple[Header, ...]:
        if not origins or not (self._any or origins[0] in self._origins):
            return _VARYING
        allowed = b"*" if self._any else origins[0].encode("latin-1")
        headers = (
            _VARY,
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", _ANSWER_HEADERS),
        )
        if self._credentials:
            return (*headers, (b"access-control-allow-credentials", b"true"))
        return headers

    def _preflight_headers(self) -> tuple[Header, ...]:
        return (
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", self._max_age),
        )


def _refuse_unasked(method: str, sent: Mapping[bytes, bytes]) -> None:
    """Raises RequestError for what a foreign page can send without an `Origin`: pictures, links.

    Browsers name such pages by `Sec-Fetch-Site`; of those too old for it, only what comes with
    cookies could do harm.
    """
    site = sent.get(b"sec-fetch-site")
    if site in _OWN_SITES:
        return
    foreign = site is not None or b"cookie" in sent
    if not foreign or not _NEEDS_PREFLIGHT.isdisjoint(sent):
        return
    kind = sent.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if method == "POST" and kind == b"application/json":
        return
    message = "Send the header `Apollo-Require-Preflight: true`, so that no foreign page can ask."
    raise RequestError(403, message, CSRF_PREVENTED)


def _is_preflight(scope: Scope) -> bool:
    asks = header(scope, b"access-control-request-method") is not None
    return asks and scope["method"] == "OPTIONS"


def _origins(sent: Head) -> list[str]:
    if b"origin" not in sent.first:
        return []
    return [value.decode("latin-1") for value in sent.all(b"origin")]


def _authority(address: str) -> tuple[str, int] | None:
    """Host and port of an address; None for `null` and what is no address."""
    try:
        parts = urlsplit(address)
        port = parts.port or _OWN_PORTS[parts.scheme]
    except (KeyError, ValueError):
        return None
    if not parts.hostname or parts.username is not None or parts.query or parts.fragment:
        return None
    return (parts.hostname, port) if parts.path in {"", "/"} else None
