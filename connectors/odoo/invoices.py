"""Invoices and credit notes of an Odoo database, with the orders that they bill."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from connectors.odoo.client import OdooClient
from connectors.odoo.documents import Documents, Question
from connectors.odoo.invoice_mapping import (
    KINDS,
    UNNUMBERED,
    InvoiceReader,
    InvoiceRow,
    domain,
    specification,
)
from connectors.odoo.paging import (
    Domain,
    Key,
    Specification,
    any_of,
    behind_day,
    cursor,
    key_of,
    searchable,
)
from ports.caller import Call
from ports.common import Answers, Page, PageRequest
from ports.errors import UpstreamError
from ports.invoices import Invoice, InvoiceQuery, Invoices

_NEWEST = "invoice_date desc, id desc"
_OURS: Domain = [["move_type", "in", list(KINDS)], ["name", "not in", UNNUMBERED]]


@dataclass(frozen=True, slots=True)
class _Billed:
    """An invoice, its place in the list, and all orders that it bills."""

    invoice: Invoice
    key: Key
    orders: frozenset[str]


def _today() -> date:
    return datetime.now(UTC).date()


class OdooInvoices:
    """Serves `ports.invoices.Invoices`, one call each. Drafts without a number are no invoices yet.

    `today` tells the day by which an invoice is overdue.
    """

    def __init__(self, client: OdooClient, today: Callable[[], date] = _today) -> None:
        self._client = client
        self._today = today
        self._invoices = Documents(client, "account.move", InvoiceRow)

    async def invoices(self, numbers: Sequence[str], /, *, call: Call) -> Answers[str, Invoice]:
        """Of several invoices with one number (companies may repeat them) the newest is taken."""
        keys = searchable(numbers)
        if not keys:
            return {}
        question = await self._question("invoices.invoices", [["name", "in", keys]], call)
        found: dict[str, Invoice | UpstreamError] = {}
        for number, value in await self._read(question, call):
            if number in keys:
                known = value if isinstance(value, UpstreamError) else value.invoice
                found.setdefault(number, known)
        return found

    async def of_orders(
        self, orders: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Invoice, ...]]:
        """Newest first. One for several orders is among those of each."""
        keys = searchable(orders)
        found: dict[str, list[Invoice]] = {order: [] for order in orders}
        if not keys:
            return dict.fromkeys(found, ())
        billing = await self._billing(keys, call)
        question = await self._question("invoices.of_orders", billing, call)
        for _, value in await self._read(question, call):
            # Whose invoice a bad record is cannot be told; a list without it would be a lie.
            if isinstance(value, UpstreamError):
                raise value
            for order in value.orders & found.keys():
                found[order].append(value.invoice)
        return {order: tuple(invoices) for order, invoices in found.items()}

    async def search(
        self, query: InvoiceQuery, page: PageRequest, /, *, call: Call
    ) -> Page[Invoice]:
        """By invoice day; the total is told with the first page only."""
        start = key_of(page.after) if page.after is not None else None
        if query.customers == ():
            return Page(items=(), cursors=(), has_next=False, total=0)
        sought = self._sought(query)
        question = Question(
            "invoices.search",
            sought if start is None else [*sought, *behind_day("invoice_date", start)],
            await self._specification(call),
            _NEWEST,
            page.first,
            None if start is None else page.first + 1,
        )
        answer = await self._invoices.ask(question, call=call)
        reader = await self._reader(call)
        read = []
        for each in self._invoices.each(question.operation, answer, reader):
            if isinstance(each.value, UpstreamError):
                raise each.value
            read.append(each.value)
        return Page(
            items=tuple(each.invoice for each in read),
            cursors=tuple(cursor(each.key) for each in read),
            has_next=answer.more and bool(read),
            total=answer.length if start is None else None,
        )

    def _sought(self, query: InvoiceQuery) -> Domain:
        # A draft may lack the day by which the list is sorted and continued.
        sought: Domain = [*_OURS, ["invoice_date", "!=", False]]
        if query.customers is not None:
            sought.append(["commercial_partner_id.ref", "in", searchable(query.customers)])
        return sought if query.status is None else [*sought, *domain(query.status, self._today())]

    async def _billing(self, orders: list[str], call: Call) -> Domain:
        by_origin: Domain = [["invoice_origin", "in", orders]]
        if "sale_line_ids" not in await self._client.fields("account.move.line", call=call):
            return by_origin
        by_line: Domain = [["invoice_line_ids.sale_line_ids.order_id.name", "in", orders]]
        return any_of([by_line, by_origin])

    async def _question(self, operation: str, wanted: Domain, call: Call) -> Question:
        specification_ = await self._specification(call)
        return Question(operation, [*_OURS, *wanted], specification_, _NEWEST)

    async def _read(
        self, question: Question, call: Call
    ) -> list[tuple[str | None, _Billed | UpstreamError]]:
        answer = await self._invoices.ask(question, call=call)
        reader = await self._reader(call)
        found = self._invoices.each(question.operation, answer, reader)
        return [(each.number, each.value) for each in found]

    async def _reader(self, call: Call) -> Callable[[InvoiceRow], _Billed]:
        currencies = await self._client.currencies(call=call)
        reader = InvoiceReader(currencies, self._today())

        def read(row: InvoiceRow) -> _Billed:
            invoice = reader.invoice(row)
            key = Key(datetime.combine(invoice.issued_on, time()), row.id)
            return _Billed(invoice, key, row.orders)

        return read

    async def _specification(self, call: Call) -> Specification:
        return specification(await self._client.fields("account.move.line", call=call))


if TYPE_CHECKING:
    _: type[Invoices] = OdooInvoices
