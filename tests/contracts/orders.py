"""What every implementation of `ports.orders.Orders` promises."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from ports.caller import Call
from ports.common import PageRequest
from ports.errors import BadInputError, UpstreamError
from ports.orders import Order, OrderQuery, Orders, OrderStatus
from tests.contracts.failures import FAILURES
from tests.contracts.parts import assert_parts_are_as_in_the_whole
from upstream.reference import own_call


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """`numbers` are all orders that there are, more than 100; `own` those of `customer`."""

    known: str
    customer: str
    status: OrderStatus
    purchase_order_number: str
    sku: str
    numbers: tuple[str, ...]
    own: frozenset[str]


Broken = Callable[[str], Orders]
"A port whose peer fails in one of the ways of `FAILURES`."


async def walk(port: Orders, query: OrderQuery, first: int) -> list[Order]:
    """All orders of a query, page by page."""
    found: list[Order] = []
    after = None
    while True:
        page = await port.search(query, PageRequest(first, after), call=own_call())
        assert len(page.items) == len(page.cursors) <= first
        found += page.items
        if not page.has_next:
            return found
        assert page.cursors[-1] != after, "a page that leads to itself"
        after = page.cursors[-1]


class OrdersContract:
    async def test_a_known_number_gives_its_order(self, port: Orders, facts: OrderFacts) -> None:
        found = await port.orders([facts.known], call=own_call())

        order = found[facts.known]
        assert isinstance(order, Order)
        assert order.number == facts.known
        assert order.customer == facts.customer
        assert order.status is facts.status
        assert order.source_status
        assert order.placed_at.tzinfo is not None
        assert order.total.amount == order.subtotal.amount + order.tax.amount
        assert [line.position for line in order.lines] == list(range(1, len(order.lines) + 1))
        assert facts.sku in {line.sku for line in order.lines}
        assert order.references

    async def test_parts_of_an_order_are_as_in_the_whole(
        self, port: Orders, facts: OrderFacts
    ) -> None:
        async def read(call: Call) -> Order | UpstreamError:
            return (await port.orders([facts.known], call=call))[facts.known]

        await assert_parts_are_as_in_the_whole(read, own_call())

    async def test_parts_of_a_listed_order_are_as_in_the_whole(
        self, port: Orders, facts: OrderFacts
    ) -> None:
        query = OrderQuery(customers=(facts.customer,))

        async def read(call: Call) -> Order:
            return (await port.search(query, PageRequest(1), call=call)).items[0]

        await assert_parts_are_as_in_the_whole(read, own_call())

    async def test_unknown_numbers_are_absent(self, port: Orders, facts: OrderFacts) -> None:
        strange = ["nobody-has-this", "", " ", "%", "\0", "\ud800", "x" * 5000, "' OR 1=1 --"]

        found = await port.orders([facts.known, *strange], call=own_call())

        assert set(found) == {facts.known}

    async def test_a_number_asked_twice_is_answered_once(
        self, port: Orders, facts: OrderFacts
    ) -> None:
        assert set(await port.orders([facts.known] * 3, call=own_call())) == {facts.known}

    async def test_nothing_asked_is_nothing_answered(self, port: Orders) -> None:
        assert await port.orders([], call=own_call()) == {}

    async def test_more_than_a_hundred_numbers(self, port: Orders, facts: OrderFacts) -> None:
        wanted = facts.numbers[:150]
        assert len(wanted) > 100

        assert set(await port.orders(wanted, call=own_call())) == set(wanted)

    @pytest.mark.parametrize("first", [1, 7, 100])
    async def test_pages_hold_each_order_once_newest_first(
        self, port: Orders, facts: OrderFacts, first: int
    ) -> None:
        found = await walk(port, OrderQuery(customers=(facts.customer,)), first)

        assert len(found) == len(facts.own)
        assert {order.number for order in found} == facts.own
        assert [order.placed_at for order in found] == sorted(
            (order.placed_at for order in found), reverse=True
        )

    async def test_the_first_page_tells_the_total(self, port: Orders, facts: OrderFacts) -> None:
        page = await port.search(
            OrderQuery(customers=(facts.customer,)), PageRequest(1), call=own_call()
        )

        assert page.total == len(facts.own)
        assert page.has_next

    async def test_every_cursor_continues_behind_its_item(
        self, port: Orders, facts: OrderFacts
    ) -> None:
        query = OrderQuery(customers=(facts.customer,))
        page = await port.search(query, PageRequest(3), call=own_call())

        rest = await port.search(query, PageRequest(2, page.cursors[0]), call=own_call())

        assert rest.items == page.items[1:]

    @pytest.mark.parametrize("after", ["", "nonsense", "e30", "WzFd", "\ud800", "é", "A" * 9999])
    async def test_a_cursor_of_somebody_else_is_bad_input(self, port: Orders, after: str) -> None:
        with pytest.raises(BadInputError):
            await port.search(OrderQuery(customers=None), PageRequest(5, after), call=own_call())

    async def test_nobody_has_no_orders(self, port: Orders) -> None:
        for customers in ((), ("C-nobody",)):
            page = await port.search(
                OrderQuery(customers=customers), PageRequest(5), call=own_call()
            )
            assert (page.items, page.has_next, page.total) == ((), False, 0)

    async def test_everybody_sees_all(self, port: Orders, facts: OrderFacts) -> None:
        page = await port.search(OrderQuery(customers=None), PageRequest(1), call=own_call())

        assert page.total == len(facts.numbers)

    @pytest.mark.parametrize("status", list(OrderStatus))
    async def test_a_status_finds_its_orders_and_no_others(
        self, port: Orders, facts: OrderFacts, status: OrderStatus
    ) -> None:
        all_own = await walk(port, OrderQuery(customers=(facts.customer,)), 100)
        wanted = {status} | ({OrderStatus.SHIPPED} if status is OrderStatus.DELIVERED else set())

        found = await walk(port, OrderQuery(customers=(facts.customer,), status=(status,)), 4)

        expected = [order.number for order in all_own if order.status in wanted]
        assert [order.number for order in found] == expected

    async def test_several_statuses_are_one_or_the_other(
        self, port: Orders, facts: OrderFacts
    ) -> None:
        query = OrderQuery((facts.customer,), status=(facts.status, OrderStatus.DRAFT))

        found = await walk(port, query, 10)

        assert {order.status for order in found} <= {facts.status, OrderStatus.DRAFT}
        assert facts.known in {order.number for order in found}

    async def test_no_status_is_no_order(self, port: Orders) -> None:
        assert await walk(port, OrderQuery(customers=None, status=()), 5) == []

    async def test_dates_bound_the_orders(self, port: Orders, facts: OrderFacts) -> None:
        order = (await port.orders([facts.known], call=own_call()))[facts.known]
        assert isinstance(order, Order)
        at, moment = order.placed_at, timedelta(seconds=1)

        async def seen(query: OrderQuery) -> bool:
            return facts.known in {found.number for found in await walk(port, query, 100)}

        own = (facts.customer,)
        assert await seen(OrderQuery(own, placed_after=at, placed_before=at + moment))
        assert not await seen(OrderQuery(own, placed_after=at + moment))
        assert not await seen(OrderQuery(own, placed_before=at))
        assert not await seen(OrderQuery(own, placed_after=at + moment / 4))
        assert await seen(OrderQuery(own, placed_before=at + moment / 4))

    async def test_an_order_is_found_by_its_texts(self, port: Orders, facts: OrderFacts) -> None:
        queries = [
            OrderQuery(None, purchase_order_number=facts.purchase_order_number.upper()),
            OrderQuery(None, purchase_order_number=facts.purchase_order_number.lower()),
            OrderQuery((facts.customer,), sku=facts.sku),
            OrderQuery(None, search=facts.known.lower()),
            OrderQuery(None, search=facts.purchase_order_number[1:-1].lower()),
            OrderQuery((facts.customer,), search=facts.sku[1:].lower()),
            OrderQuery((facts.customer,), search="  "),
        ]
        for query in queries:
            assert facts.known in {order.number for order in await walk(port, query, 100)}, query

    @pytest.mark.parametrize("text", ["%", "_", "\\", "%%", "S_", "\0", "\ud800", "'", "nowhere"])
    async def test_a_text_means_itself(self, port: Orders, text: str) -> None:
        by_search = await walk(port, OrderQuery(customers=None, search=text), 100)
        by_purchase = OrderQuery(customers=None, purchase_order_number=text)
        by_sku = OrderQuery(customers=None, sku=text)

        assert all(text.casefold() in _texts(order) for order in by_search)
        assert await walk(port, by_purchase, 100) == await walk(port, by_sku, 100) == []

    @pytest.mark.parametrize("name", sorted(FAILURES))
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Broken, facts: OrderFacts, name: str
    ) -> None:
        port = broken(name)

        with pytest.raises(FAILURES[name]):
            await port.orders([facts.known], call=own_call())
        with pytest.raises(FAILURES[name]):
            await port.search(OrderQuery(customers=None), PageRequest(5), call=own_call())


def _texts(order: Order) -> str:
    lines = (f"{line.sku} {line.description}" for line in order.lines)
    texts = (order.number, order.purchase_order_number or "", *lines)
    return "\n".join(texts).casefold()
