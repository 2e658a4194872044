"""The status page at `/status`, what it asks for, and the public line for storefronts."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from gateway.access.errors import Challenge
from gateway.http.incoming import header_text, request_id_of
from gateway.http.language import preferred
from gateway.http.responses import JSON, NO_STORE, Header, send_problem, send_whole
from gateway.http.status_events import Listeners
from gateway.http.status_journal import JournalView, asked_of
from gateway.operations.request import RequestError
from gateway.telemetry.impact_banner import BannerTexts
from gateway.telemetry.status_map import StatusMap
from ports.caller import Caller, CallerKind
from ports.errors import TransientError
from ports.systems import System
from resolvers.scopes import SCOPE_OF_ROLE

PATH = "/status"
PAGE = Path(__file__).parent / "status_page"
SCOPE = SCOPE_OF_ROLE["systems"]
_RETRY: Header = (b"retry-after", b"5")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_HEADERS: Mapping[str, str] = {
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
}

Authenticate = Callable[[Headers], Awaitable[Caller]]
Answer = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the page is fed from. `authenticate` None: everybody may see it."""

    draw: Callable[[], StatusMap]
    listeners: Listeners
    journal: JournalView
    upstreams: frozenset[str]
    authenticate: Authenticate | None

    def routes(self) -> list[BaseRoute]:
        return [
            Route(PATH, _page),
            Route(f"{PATH}/map", self._guarded(self._map), methods=["GET"]),
            Route(f"{PATH}/events", self._guarded(self._events), methods=["GET"]),
            Route(f"{PATH}/search", self._guarded(self._search), methods=["GET"]),
            Route(f"{PATH}/systems/{{name}}", self._guarded(self._system), methods=["GET"]),
            Mount(f"{PATH}/assets", _Files(directory=PAGE)),
        ]

    def publish(self, _: Sequence[System]) -> None:
        """To be told after each look at the systems."""
        if len(self.listeners):
            self.listeners.publish(self._drawn())

    def _drawn(self) -> bytes:
        return msgspec.json.encode(self.draw())

    def _guarded(self, answer: Answer) -> "_Guarded":
        return _Guarded(answer, self.authenticate)

    async def _map(self, scope: Scope, _: Receive, send: Send) -> None:
        await _send(scope, send, self._drawn())

    async def _events(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.listeners.is_full:
            await send_problem(send, 503, request_id_of(scope), (_RETRY,))
            return
        await self.listeners.serve(self._drawn, receive, send)

    async def _search(self, scope: Scope, _: Receive, send: Send) -> None:
        asked = asked_of(QueryParams(scope["query_string"]))
        if asked is None:
            await send_problem(send, 400, request_id_of(scope))
            return
        await _send(scope, send, msgspec.json.encode(await self.journal.found(asked)))

    async def _system(self, scope: Scope, _: Receive, send: Send) -> None:
        name = scope["path_params"]["name"]
        if name not in self.upstreams:
            await send_problem(send, 404, request_id_of(scope))
            return
        await _send(scope, send, msgspec.json.encode(await self.journal.of_system(name)))


class _Guarded:
    """Answers callers with the scope alone."""

    def __init__(self, answer: Answer, authenticate: Authenticate | None) -> None:
        self._answer = answer
        self._authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._check(scope)
        except RequestError as error:
            await send_problem(send, error.status, request_id_of(scope), error.headers)
        except TransientError:
            await send_problem(send, 503, request_id_of(scope), (_RETRY,))
        else:
            await self._answer(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        """Raises RequestError 400, 401 or 403."""
        if self._authenticate is None:
            return
        caller = await self._authenticate(Headers(scope=scope))
        if SCOPE in caller.scopes:
            return
        if caller.kind is CallerKind.ANONYMOUS:
            raise Challenge().nothing_sent()
        raise Challenge().insufficient([SCOPE])


def banner_route(
    systems: Callable[[], Sequence[System]], texts: BannerTexts, max_age: int
) -> Route:
    """Open to everybody: it tells what a shopper would notice anyhow."""
    return Route(f"{PATH}/banner", _Banner(systems, texts, max_age), methods=["GET"])


class _Banner:
    def __init__(
        self, systems: Callable[[], Sequence[System]], texts: BannerTexts, max_age: int
    ) -> None:
        self._systems = systems
        self._texts = texts
        self._headers: tuple[Header, ...] = (
            JSON,
            (b"cache-control", b"public, max-age=%d" % max_age if max_age else b"no-store"),
            (b"vary", b"accept-language"),
            # Pages of any shop may read it.
            (b"access-control-allow-origin", b"*"),
            (b"cross-origin-resource-policy", b"cross-origin"),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI)
        wanted = preferred(header_text(scope, b"accept-language"), self._texts.default)
        language = self._texts.language(wanted)
        body = msgspec.json.encode(self._texts.banner(self._systems(), language))
        headers = (*self._headers, (b"content-language", language.encode()))
        await send_whole(send, 200, body, headers, head=scope["method"] == "HEAD")


class _Files(StaticFiles):
    """The page's scripts and styles; asked again each time, since their names stay."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


async def _page(_: Request) -> FileResponse:
    return FileResponse(PAGE / "index.html", headers=_PAGE_HEADERS)


async def _send(scope: Scope, send: Send, body: bytes) -> None:
    await send_whole(send, 200, body, (JSON, NO_STORE), head=scope["method"] == "HEAD")
