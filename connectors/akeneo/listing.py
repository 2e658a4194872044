"""Pages of products: cursors, and the orders that the PIM itself does not know.

The PIM lists by its own key and tells where the next page begins. A cursor holds that position and
how many products behind it were already given, so that it works with any `first`. By name, SKU or
date of change the PIM cannot list at all: up to `MOST_SORTED` matches are read and sorted here.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import msgspec

from connectors.akeneo.client import PAGE_SIZE, AkeneoClient, Position, Question, Window
from ports.caller import Call
from ports.catalog import Product, ProductQuery, ProductSort
from ports.common import Page, PageRequest
from ports.errors import BadInputError

MOST_SORTED = 3_000
_OPERATION = "catalog.search"


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where to go on. `query` tells the question it belongs to, `attempt` which of its searches.

    `by` and `position` are the PIM's, `after` the sort key of a listing that is sorted here.
    """

    query: str
    attempt: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0
    skip: Annotated[int, msgspec.Meta(ge=0, le=PAGE_SIZE)] = 0
    by: Literal["search_after", "page"] | None = None
    position: str = ""
    after: tuple[str, str] | None = None

    @property
    def at(self) -> Position | None:
        return Position(self.by, self.position) if self.by else None

    def moved(self, position: Position | None, skip: int) -> "Cursor":
        if position is None:
            return msgspec.structs.replace(self, by=None, position="", skip=skip)
        by, value = position
        return msgspec.structs.replace(self, by=by, position=value, skip=skip)

    def text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def started(query: ProductQuery, page: PageRequest, attempts: int) -> Cursor:
    """Where this page begins. Raises BadInputError for a cursor of another question."""
    mark = hashlib.sha256(repr(query).encode()).hexdigest()[:12]
    if page.after is None:
        return Cursor(mark)
    cursor = _decoded(page.after)
    fits = (cursor.after is not None) == is_sorted(query)
    if cursor.query != mark or cursor.attempt >= attempts or not fits:
        raise BadInputError("The cursor is not one that this listing gave.")
    return cursor


def is_sorted(query: ProductQuery) -> bool:
    return query.sort not in {None, ProductSort.RELEVANCE}


def _decoded(text: str) -> Cursor:
    try:
        body = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(body, type=Cursor)
    except (ValueError, msgspec.DecodeError, RecursionError) as problem:
        raise BadInputError("The cursor is not one that this listing gave.") from problem


@dataclass(frozen=True, slots=True)
class Listing:
    """One question to the PIM. `read` makes a record of an item, None when it is not shown."""

    client: AkeneoClient
    question: Question
    read: Callable[[msgspec.Raw], Product | None]
    sort_attributes: tuple[str, ...]
    call: Call

    async def page(self, request: PageRequest, start: Cursor) -> Page[Product]:
        """In the PIM's order; one call, unless products without identifier leave gaps."""
        found: list[tuple[Product, str]] = []
        cursor = start
        while True:
            limit = min(PAGE_SIZE, cursor.skip + request.first)
            window = await self._window(self.question, cursor.at, limit)
            used = self._take(window, cursor, found, request.first)
            left = used < len(window.items)
            more = left or window.next not in {None, cursor.at}
            if left or not more or len(found) == request.first:
                products, cursors = zip(*found, strict=True) if found else ((), ())
                return Page(products, cursors, has_next=more)
            cursor = cursor.moved(window.next, 0)

    async def sorted_page(
        self, request: PageRequest, start: Cursor, order: ProductSort
    ) -> Page[Product]:
        """Raises BadInputError when more than `MOST_SORTED` products match."""
        entries = await self._everything()
        keyed = sorted(((_key(e.product, order), e) for e in entries), key=lambda pair: pair[0])
        left = [pair for pair in keyed if start.after is None or pair[0] > start.after]
        chosen = left[: request.first]
        products = await self._completed([entry for _, entry in chosen])
        shown = [(p, key) for p, (key, _) in zip(products, chosen, strict=True) if p is not None]
        return Page(
            tuple(product for product, _ in shown),
            tuple(msgspec.structs.replace(start, after=key).text() for _, key in shown),
            has_next=len(left) > request.first,
            total=len(keyed),
        )

    def _take(
        self, window: Window, cursor: Cursor, found: list[tuple[Product, str]], first: int
    ) -> int:
        """Adds products until there are `first`; tells how many items of the window are used."""
        used = cursor.skip
        for raw in window.items[cursor.skip :]:
            if len(found) == first:
                break
            used += 1
            product = self.read(raw)
            ends = used == len(window.items) and window.next is not None
            behind = cursor.moved(window.next, 0) if ends else cursor.moved(cursor.at, used)
            if product is not None:
                found.append((product, behind.text()))
        return used

    async def _everything(self) -> "Sequence[_Entry]":
        """All matches; beyond the first page with no more values than sorting needs."""
        entries: dict[str, _Entry] = {}
        position: Position | None = None
        question = self.question
        while True:
            window = await self._window(question, position, PAGE_SIZE)
            for raw in window.items:
                if product := self.read(raw):
                    entry = _Entry(product.reference, product, whole=position is None)
                    entries[product.reference] = entry
            if len(entries) > MOST_SORTED:
                raise BadInputError(
                    f"The PIM cannot sort, and more than {MOST_SORTED} products match: "
                    "narrow the filter, or ask without an order."
                )
            if window.next in {None, position}:
                return tuple(entries.values())
            position = window.next
            question = replace(self.question, attributes=self.sort_attributes)

    async def _completed(self, entries: "Sequence[_Entry]") -> list[Product | None]:
        """The products with all their values; None for one that is gone meanwhile."""
        whole = {entry.reference: entry.product for entry in entries if entry.whole}
        if lacking := [entry.reference for entry in entries if not entry.whole]:
            search = {"uuid": [{"operator": "IN", "value": lacking}]}
            window = await self._window(replace(self.question, search=search), None, PAGE_SIZE)
            read = (self.read(raw) for raw in window.items)
            whole |= {product.reference: product for product in read if product}
        return [whole.get(entry.reference) for entry in entries]

    async def _window(self, question: Question, position: Position | None, limit: int) -> Window:
        return await self.client.products(
            question, _OPERATION, call=self.call, position=position, limit=limit
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A match. `whole`: with all the values that were asked for, not only those for sorting."""

    reference: str
    product: Product
    whole: bool


def _key(product: Product, order: ProductSort) -> tuple[str, str]:
    """Unique and of texts alone, so that a cursor can hold it."""
    if order is ProductSort.NAME:
        return product.name.casefold(), product.sku
    if order is ProductSort.UPDATED_AT_DESC and product.updated_at:
        # Counted back from the year 5138, so that later comes first.
        return f"{10**11 - product.updated_at.timestamp():020.6f}", product.sku
    if order is ProductSort.UPDATED_AT_DESC:
        return "9", product.sku
    return product.sku.casefold(), product.sku
