"""Orders of an Odoo database, each with lines, addresses and transfers in one question."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.odoo import order_status
from connectors.odoo.client import OdooClient
from connectors.odoo.documents import Answer, Documents, Question
from connectors.odoo.order_mapping import OrderReader, OrderRow, Readable
from connectors.odoo.order_search import condition
from connectors.odoo.paging import (
    Domain,
    Key,
    Specification,
    behind_moment,
    cursor,
    key_of,
    searchable,
)
from ports.caller import Call
from ports.common import Answers, Page, PageRequest
from ports.errors import UpstreamError
from ports.orders import Order, OrderQuery, Orders

_MODELS = ("sale.order", "sale.order.line", "res.partner")
_NEWEST = "date_order desc, id desc"
_ROUNDS = 3
_LONGEST_ROUND = 100


@dataclass(frozen=True, slots=True)
class _Read:
    """An order, and its place in the list."""

    order: Order
    key: Key


@dataclass(frozen=True, slots=True)
class _Round:
    """One page of Odoo's: the orders that the query means, and what lies behind them."""

    kept: list[_Read]
    end: Key | None
    more: bool
    length: int


class OdooOrders:
    """Serves `ports.orders.Orders`: one call a batch, one call a page.

    Where a status is asked that no domain tells exactly, a page may take up to three calls, and
    more only while nothing was found.
    """

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._orders = Documents(client, "sale.order", OrderRow)

    async def orders(self, numbers: Sequence[str], /, *, call: Call) -> Answers[str, Order]:
        """Of several orders with one number (companies may repeat them) the newest is taken."""
        keys = searchable(numbers)
        if not keys:
            return {}
        question = Question(
            "orders.orders", [["name", "in", keys]], await self._specification(call), "id desc"
        )
        answer = await self._orders.ask(question, call=call)
        reader = await self._reader(call)
        found: dict[str, Order | UpstreamError] = {}
        for each in self._orders.each(question.operation, answer, reader.order):
            if each.number in keys:
                found.setdefault(each.number, each.value)
        return found

    async def search(self, query: OrderQuery, page: PageRequest, /, *, call: Call) -> Page[Order]:
        """The total is told with the first page only, and not for statuses told inexactly."""
        start = key_of(page.after) if page.after is not None else None
        domain = condition(query, await self._readable(call))
        if domain is None:
            return Page(items=(), cursors=(), has_next=False, total=0)
        rounds = [await self._round(query, domain, page.first, start, call)]
        while _unfinished(rounds, page.first):
            limit = min(page.first << len(rounds), _LONGEST_ROUND)
            rounds.append(await self._round(query, domain, limit, rounds[-1].end, call))
        return _page(rounds, page, counted=query.status is None or order_status.exact(query.status))

    async def _round(
        self, query: OrderQuery, domain: Domain, limit: int, start: Key | None, call: Call
    ) -> _Round:
        question = Question(
            "orders.search",
            domain if start is None else [*domain, *behind_moment("date_order", start)],
            await self._specification(call),
            _NEWEST,
            limit,
            None if start is None else limit + 1,
        )
        answer = await self._orders.ask(question, call=call)
        read = await self._read(question.operation, answer, call)
        wanted = None if query.status is None else order_status.matching(query.status)
        kept = [each for each in read if wanted is None or each.order.status in wanted]
        end = read[-1].key if read else None
        return _Round(kept, end, answer.more and bool(read), answer.length)

    async def _read(self, operation: str, answer: Answer, call: Call) -> list[_Read]:
        """Raises the error of an order that cannot be read: a list with a gap would be a lie."""
        reader = await self._reader(call)

        def keyed(row: OrderRow) -> _Read:
            order = reader.order(row)
            return _Read(order, Key(order.placed_at.replace(tzinfo=None), row.id))

        read = []
        for found in self._orders.each(operation, answer, keyed):
            if isinstance(found.value, UpstreamError):
                raise found.value
            read.append(found.value)
        return read

    async def _reader(self, call: Call) -> OrderReader:
        currencies = await self._client.currencies(call=call)
        return OrderReader(self._client.upstream.name, currencies, call.wanted)

    async def _specification(self, call: Call) -> Specification:
        return (await self._readable(call)).specification(call.wanted)

    async def _readable(self, call: Call) -> Readable:
        order, line, partner = [await self._client.fields(each, call=call) for each in _MODELS]
        return Readable(order, line, partner)


def _unfinished(rounds: list[_Round], first: int) -> bool:
    found = sum(len(each.kept) for each in rounds)
    return rounds[-1].more and found < first and (len(rounds) < _ROUNDS or not found)


def _page(rounds: list[_Round], page: PageRequest, *, counted: bool) -> Page[Order]:
    found = [each for one in rounds for each in one.kept]
    shown, last = found[: page.first], rounds[-1]
    cursors = [cursor(each.key) for each in shown]
    if shown and len(shown) == len(found) and last.end is not None:
        # The next page need not look again at what was read and left out.
        cursors[-1] = cursor(last.end)
    total = None
    if page.after is None and (counted or not last.more):
        total = rounds[0].length if counted else len(found)
    return Page(
        items=tuple(each.order for each in shown),
        cursors=tuple(cursors),
        has_next=last.more or len(found) > len(shown),
        total=total,
    )


if TYPE_CHECKING:
    _: type[Orders] = OdooOrders
