"""What every implementation of `ports.invoices.Invoices` promises."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ports.common import PageRequest
from ports.errors import BadInputError
from ports.invoices import Invoice, InvoiceKind, InvoiceQuery, Invoices, InvoiceStatus
from tests.contracts.failures import FAILURES
from upstream.reference import own_call


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """`known` bills `order`, alone or among `of_order`; `unbilled` is an order without invoice.

    `numbers` are all invoices that there are, more than 100; `own` those of `customer`.
    """

    known: str
    customer: str
    order: str
    of_order: frozenset[str]
    unbilled: str
    numbers: tuple[str, ...]
    own: frozenset[str]


Broken = Callable[[str], Invoices]
"A port whose peer fails in one of the ways of `FAILURES`."


async def walk(port: Invoices, query: InvoiceQuery, first: int) -> list[Invoice]:
    """All invoices of a query, page by page."""
    found: list[Invoice] = []
    after = None
    while True:
        page = await port.search(query, PageRequest(first, after), call=own_call())
        assert len(page.items) == len(page.cursors) <= first
        found += page.items
        if not page.has_next:
            return found
        assert page.cursors[-1] != after, "a page that leads to itself"
        after = page.cursors[-1]


class InvoicesContract:
    async def test_a_known_number_gives_its_invoice(
        self, port: Invoices, facts: InvoiceFacts
    ) -> None:
        found = await port.invoices([facts.known], call=own_call())

        invoice = found[facts.known]
        assert isinstance(invoice, Invoice)
        assert invoice.number == facts.known
        assert invoice.customer == facts.customer
        assert invoice.order == facts.order
        assert invoice.total.currency == invoice.balance.currency

    async def test_unknown_numbers_are_absent(self, port: Invoices, facts: InvoiceFacts) -> None:
        strange = ["nobody-has-this", "", "/", "False", "%", "\0", "\ud800", "x" * 5000]

        found = await port.invoices([facts.known, *strange], call=own_call())

        assert set(found) == {facts.known}

    async def test_nothing_asked_is_nothing_answered(self, port: Invoices) -> None:
        assert await port.invoices([], call=own_call()) == {}
        assert await port.of_orders([], call=own_call()) == {}

    async def test_more_than_a_hundred_numbers(self, port: Invoices, facts: InvoiceFacts) -> None:
        wanted = facts.numbers[:150]
        assert len(wanted) > 100

        assert set(await port.invoices([*wanted, *wanted], call=own_call())) == set(wanted)

    async def test_every_order_asked_is_answered(self, port: Invoices, facts: InvoiceFacts) -> None:
        orders = [facts.order, facts.unbilled, facts.order, "nobody-has-this", "\0", ""]

        found = await port.of_orders(orders, call=own_call())

        assert set(found) == set(orders)
        billed = found[facts.order]
        assert isinstance(billed, tuple)
        assert {invoice.number for invoice in billed} == facts.of_order
        assert all(found[order] == () for order in orders if order != facts.order)

    @pytest.mark.parametrize("first", [1, 7, 100])
    async def test_pages_hold_each_invoice_once_newest_first(
        self, port: Invoices, facts: InvoiceFacts, first: int
    ) -> None:
        found = await walk(port, InvoiceQuery(customers=(facts.customer,)), first)

        assert len(found) == len(facts.own)
        assert {invoice.number for invoice in found} == facts.own
        days = [invoice.issued_on for invoice in found]
        assert days == sorted(days, reverse=True)

    async def test_the_first_page_tells_the_total(
        self, port: Invoices, facts: InvoiceFacts
    ) -> None:
        for customers, total in (((facts.customer,), len(facts.own)), (None, len(facts.numbers))):
            page = await port.search(
                InvoiceQuery(customers=customers), PageRequest(1), call=own_call()
            )
            assert (page.total, page.has_next) == (total, True)

    async def test_every_cursor_continues_behind_its_item(
        self, port: Invoices, facts: InvoiceFacts
    ) -> None:
        query = InvoiceQuery(customers=(facts.customer,))
        page = await port.search(query, PageRequest(3), call=own_call())

        rest = await port.search(query, PageRequest(2, page.cursors[0]), call=own_call())

        assert rest.items == page.items[1:]

    @pytest.mark.parametrize("after", ["", "nonsense", "e30", "WzFd", "\ud800", "é", "A" * 9999])
    async def test_a_cursor_of_somebody_else_is_bad_input(self, port: Invoices, after: str) -> None:
        with pytest.raises(BadInputError):
            await port.search(InvoiceQuery(customers=None), PageRequest(5, after), call=own_call())

    async def test_nobody_has_no_invoices(self, port: Invoices) -> None:
        for customers in ((), ("C-nobody",), ("\0",)):
            page = await port.search(
                InvoiceQuery(customers=customers), PageRequest(5), call=own_call()
            )
            assert (page.items, page.has_next, page.total) == ((), False, 0)

    @pytest.mark.parametrize("status", list(InvoiceStatus))
    async def test_a_status_finds_its_invoices_and_no_others(
        self, port: Invoices, status: InvoiceStatus
    ) -> None:
        everything = await walk(port, InvoiceQuery(customers=None), 100)

        found = await walk(port, InvoiceQuery(customers=None, status=status), 40)

        expected = [invoice.number for invoice in everything if invoice.status is status]
        assert [invoice.number for invoice in found] == expected

    async def test_only_an_invoice_is_overdue(self, port: Invoices) -> None:
        for invoice in await walk(port, InvoiceQuery(None, InvoiceStatus.OVERDUE), 100):
            assert invoice.kind is InvoiceKind.INVOICE
            assert invoice.balance.amount > 0
            assert invoice.due_on is not None

    @pytest.mark.parametrize("name", sorted(FAILURES))
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Broken, facts: InvoiceFacts, name: str
    ) -> None:
        port = broken(name)

        with pytest.raises(FAILURES[name]):
            await port.invoices([facts.known], call=own_call())
        with pytest.raises(FAILURES[name]):
            await port.of_orders([facts.order], call=own_call())
        with pytest.raises(FAILURES[name]):
            await port.search(InvoiceQuery(customers=None), PageRequest(5), call=own_call())
