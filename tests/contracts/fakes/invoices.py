"""Invoices kept in memory: what the port promises, with no system behind it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from ports.caller import Call
from ports.common import Answers, Page, PageRequest
from ports.errors import BadInputError, UpstreamError
from ports.invoices import Invoice, InvoiceQuery, Invoices

_CURSOR = "invoice:"


class FakeInvoices:
    """`calls` counts what was asked; `fail_with` makes every question fail until it gets None."""

    def __init__(self, invoices: Iterable[Invoice] = ()) -> None:
        self._invoices = sorted(invoices, key=_age, reverse=True)
        self._failure: UpstreamError | None = None
        self.calls: list[str] = []

    def fail_with(self, error: UpstreamError | None) -> None:
        self._failure = error

    async def invoices(self, numbers: Sequence[str], /, *, call: Call) -> Answers[str, Invoice]:
        self._asked("invoices")
        return {each.number: each for each in self._invoices if each.number in numbers}

    async def of_orders(
        self, orders: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Invoice, ...]]:
        self._asked("of_orders")
        return {
            order: tuple(each for each in self._invoices if each.order == order) for order in orders
        }

    async def search(
        self, query: InvoiceQuery, page: PageRequest, /, *, call: Call
    ) -> Page[Invoice]:
        self._asked("search")
        found = [invoice for invoice in self._invoices if _means(query, invoice)]
        start = 0 if page.after is None else self._behind(page.after, found)
        shown = found[start : start + page.first]
        return Page(
            items=tuple(shown),
            cursors=tuple(_CURSOR + invoice.number for invoice in shown),
            has_next=len(found) > start + page.first,
            total=len(found),
        )

    def _asked(self, operation: str) -> None:
        self.calls.append(operation)
        if self._failure is not None:
            raise self._failure

    def _behind(self, after: str, found: list[Invoice]) -> int:
        ages = [_age(each) for each in self._invoices if _CURSOR + each.number == after]
        if not ages:
            raise BadInputError("`after` is not a cursor that this list gave.")
        return sum(_age(invoice) >= ages[0] for invoice in found)


def _age(invoice: Invoice) -> tuple[date, str]:
    return invoice.issued_on, invoice.number


def _means(query: InvoiceQuery, invoice: Invoice) -> bool:
    owned = query.customers is None or invoice.customer in query.customers
    return owned and query.status in {None, invoice.status}


if TYPE_CHECKING:
    _: type[Invoices] = FakeInvoices
