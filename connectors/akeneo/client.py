"""Akeneo's REST API as it is on the wire: addresses, parameters, pages.

Where a next page begins is taken from the PIM's own link, never made up; the link's host is not
used, so that no answer can lead the bearer token elsewhere (and a PIM behind a proxy that writes
its inner host name into links still works).
"""

import re
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeVar
from urllib.parse import parse_qs, quote, urlsplit

import httpx2
import msgspec

from connectors.akeneo.config import AkeneoConfig
from connectors.akeneo.payloads import ListPage
from ports.caller import Call
from ports.errors import BadInputError, MalformedError, UpstreamError
from upstream.connector import Upstream
from upstream.credentials import Grant, OAuthToken
from upstream.http import ErrorType, HttpClient, Request, Response
from upstream.limits import Bulkhead

T = TypeVar("T")

API = "/api/rest/v1"
PAGE_SIZE = 100
# 20,000 categories are 200 pages; far beyond any catalogue's reference data.
_MOST_PAGES = 2_000
_OK = frozenset({200})
_NO_SUCH_ROUTE = frozenset({404, 405})
_BAD_POSITION = frozenset({400, 422})
_NOT_FOUND = 404
_UNPROCESSABLE = 422
# Until then what is known of the attributes was read again.
_WIDENED_SECONDS = 600.0

Search = Mapping[str, Sequence[Mapping[str, object]]]
"""Akeneo's search grammar: property to criteria, all of which must hold."""


class Position(NamedTuple):
    """Where a page begins: a query parameter of the PIM's next link, and its value."""

    name: Literal["search_after", "page"]
    value: str


class Window(NamedTuple):
    """One page of raw items, and where the next begins."""

    items: Sequence[msgspec.Raw]
    next: Position | None


@dataclass(frozen=True, slots=True)
class Question:
    """A product search: which products, and which of their values. Empty means: all.

    With `may_widen` all values are asked for where the PIM refuses those attributes.
    """

    search: Search = field(default_factory=dict)
    locales: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    scope: str | None = None
    may_widen: bool = False

    def parameters(self) -> dict[str, str]:
        told = {
            "search": msgspec.json.encode(self.search).decode() if self.search else "",
            "locales": ",".join(self.locales),
            "attributes": ",".join(self.attributes),
            "scope": self.scope or "",
        }
        return {name: value for name, value in told.items() if value}


class AkeneoClient:
    """The PIM's wire. Raises the branches of `ports.errors.UpstreamError`."""

    def __init__(self, upstream: Upstream, config: AkeneoConfig) -> None:
        grant = Grant(
            path="/api/oauth/v1/token",
            client_id=config.client_id,
            client_secret=config.client_secret,
            parameters={
                "grant_type": "password",
                "username": config.username,
                "password": config.password.get_secret_value(),
            },
            as_json=True,
        )
        self._http = HttpClient(
            upstream.identity,
            config,
            credentials=OAuthToken(grant),
            bulkhead=upstream.bulkhead(config),
            exchanges=upstream.exchanges,
            transport=upstream.transport,
        )
        # Akeneo answers attribute options at most three times a second.
        self._options = Bulkhead(1, 3.0)
        # PIMs that know no search by POST are asked by GET from the first refusal on.
        self._search_by_get = False
        self._widened_until = 0.0

    async def aclose(self) -> None:
        await self._http.aclose()

    def error(self, kind: ErrorType, operation: str, detail: str) -> UpstreamError:
        return self._http.error(kind, operation, detail)

    async def products(
        self,
        question: Question,
        operation: str,
        *,
        call: Call,
        position: Position | None = None,
        limit: int = PAGE_SIZE,
    ) -> Window:
        """A page of products in the PIM's own order.

        Raises BadInputError when the PIM does not accept `position`.
        """
        params = {"pagination_type": "search_after", "limit": str(limit)}
        if position:
            params[position.name] = position.value
        expect = _OK | (_BAD_POSITION if position else frozenset())
        response = await self._search(
            question, Request(operation, "", params=params, expect=expect), call
        )
        if response.status in _BAD_POSITION:
            raise BadInputError("The cursor is not one that this listing gave.")
        page = self.decode(response.body, ListPage[msgspec.Raw], operation)
        return Window(page.embedded.items, next_position(page))

    async def count(self, question: Question, *, call: Call) -> int | None:
        """How many products match; `search_after` pages tell no count, so the other kind is asked."""
        params = {"pagination_type": "page", "with_count": "true", "limit": "1"}
        response = await self._search(question, Request("catalog.count", "", params=params), call)
        return self.decode(response.body, ListPage[msgspec.Raw], "catalog.count").items_count

    async def listed(
        self, path: str, shape: type[T], operation: str, *, call: Call, **params: str
    ) -> list[T]:
        """All items of a list that is read by GET, page after page."""
        return [item async for item in self._listed(path, shape, operation, call, params)]

    async def options(self, attribute: str, shape: type[T], *, call: Call) -> list[T]:
        path = f"/attributes/{quote(attribute, safe='')}/options"
        return [item async for item in self._listed(path, shape, "catalog.options", call, {})]

    async def one(
        self, path: str, shape: type[T], operation: str, *, call: Call, **params: str
    ) -> T | None:
        """One object, None when the PIM does not know it."""
        expect = _OK | {_NOT_FOUND}
        request = Request(operation, f"{API}{path}", params=params or None, expect=expect)
        response = await self._http.send(request, call=call)
        if response.status == _NOT_FOUND:
            return None
        return self.decode(response.body, shape, operation)

    def download(self, code: str, *, call: Call) -> AbstractAsyncContextManager[httpx2.Response]:
        """The open file of a media code; its status is 200, 401 or 404."""
        path = f"{API}/media-files/{quote(code, safe='/')}/download"
        headers = {"accept": "*/*"}
        expect = frozenset({200, 401, _NOT_FOUND})
        request = Request("catalog.media", path, headers=headers, expect=expect)
        return self._http.stream(request, call=call)

    def decode(self, body: bytes | msgspec.Raw, shape: type[T], operation: str) -> T:
        try:
            return msgspec.json.decode(body, type=shape, strict=False)
        except (msgspec.DecodeError, ValueError, RecursionError) as problem:
            raise self.error(MalformedError, operation, str(problem)) from problem

    async def _listed(
        self, path: str, shape: type[T], operation: str, call: Call, params: Mapping[str, str]
    ) -> AsyncIterator[T]:
        position: Position | None = None
        whole: Any = ListPage[shape]  # type: ignore[valid-type]
        for _ in range(_MOST_PAGES):
            asked = {"limit": str(PAGE_SIZE), **params, **_parameter(position)}
            request = Request(operation, f"{API}{path}", params=asked)
            if operation == "catalog.options":
                async with self._options.slot():
                    response = await self._http.send(request, call=call)
            else:
                response = await self._http.send(request, call=call)
            page: ListPage[T] = self.decode(response.body, whole, operation)
            for item in page.embedded.items:
                yield item
            following = next_position(page)
            # A page that names itself as its next would never end.
            if following is None or following == position:
                return
            position = following

    async def _search(self, question: Question, asked: Request, call: Call) -> Response:
        """One attribute that was deleted, or is hidden from us, must not cost every product."""
        if not (question.attributes and question.may_widen):
            return await self._searched(question, asked, call)
        if time.monotonic() >= self._widened_until:
            tried = msgspec.structs.replace(asked, expect=asked.expect | {_UNPROCESSABLE})
            response = await self._searched(question, tried, call)
            if response.status != _UNPROCESSABLE:
                return response
        response = await self._searched(replace(question, attributes=()), asked, call)
        if response.status in _OK and time.monotonic() >= self._widened_until:
            self._widened_until = time.monotonic() + _WIDENED_SECONDS
        return response

    async def _searched(self, question: Question, asked: Request, call: Call) -> Response:
        """Asks by POST, whose length is not limited by any address; `asked` gives the rest."""
        if not self._search_by_get:
            request = msgspec.structs.replace(
                asked,
                path=f"{API}/products-uuid/search",
                method="POST",
                json={**question.parameters(), "with_attribute_options": True},
                expect=asked.expect | _NO_SUCH_ROUTE,
            )
            response = await self._http.send(request, call=call)
            if response.status not in _NO_SUCH_ROUTE:
                return response
            self._search_by_get = True
        params = {**question.parameters(), "with_attribute_options": "true", **(asked.params or {})}
        request = msgspec.structs.replace(asked, path=f"{API}/products-uuid", params=params)
        return await self._http.send(request, call=call)


def next_position(page: ListPage[Any]) -> Position | None:
    """Where the PIM's next link begins; None on the last page."""
    if page.links.next is None:
        return None
    told = parse_qs(urlsplit(page.links.next.href).query)
    names: tuple[Literal["search_after", "page"], ...] = ("search_after", "page")
    for name in names:
        if values := told.get(name):
            return Position(name, values[0])
    return None


# Longer than any code or identifier of the PIM, which end at 255 characters.
_LONGEST_KEY = 255


def sendable(keys: Iterable[str]) -> list[str]:
    """Keys that the PIM could know, once each; others cannot even be written in its JSON."""
    return [key for key in dict.fromkeys(keys) if 0 < len(key) <= _LONGEST_KEY and is_text(key)]


def is_text(text: str) -> bool:
    """Whether this can be encoded: half a character cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


_MEDIA_CODE = re.compile(r"[^/\x00-\x1f]+(/[^/\x00-\x1f]+)*")


def is_media_code(code: str) -> bool:
    """Whether this can be a media file's code: a path that stays where it begins."""
    return (
        is_text(code)
        and bool(_MEDIA_CODE.fullmatch(code))
        and not {".", ".."} & set(code.split("/"))
    )


def _parameter(position: Position | None) -> dict[str, str]:
    return {position.name: position.value} if position else {}
