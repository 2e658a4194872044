"""`account.move` -> `ports.invoices.Invoice`, and its status as a record and as a domain tell it.

Odoo leaves a reversed invoice posted: here it is CANCELLED, as its credit note undid it. OVERDUE
is an invoice past its due day of which anything is left to pay; a credit note never is. Amounts
are positive for both kinds, as Odoo's `amount_total` and `amount_residual`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from connectors.odoo.mapping import Absent, Currency, Day, Number, Text, money, text
from connectors.odoo.order_mapping import Company, Named
from connectors.odoo.paging import Condition, Domain, Specification, any_of
from ports.invoices import Invoice, InvoiceKind, InvoiceStatus

KINDS = {"out_invoice": InvoiceKind.INVOICE, "out_refund": InvoiceKind.CREDIT_NOTE}
UNNUMBERED = [False, "/"]
"What stands for the number of a draft that never had one."

_SETTLED = ("paid", "in_payment", "invoicing_legacy")
_PARTIAL = "partial"
_REVERSED = "reversed"


class SaleLine(msgspec.Struct, frozen=True, gc=False):
    order_id: Named | Absent = False


class InvoiceLine(msgspec.Struct, frozen=True, gc=False):
    sale_line_ids: tuple[SaleLine, ...] = ()


class InvoiceRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    name: Text
    state: Text
    move_type: Text
    payment_state: Text
    invoice_date: Day
    date: Day
    invoice_date_due: Day
    amount_total: Number
    amount_residual: Number
    currency_id: int | Absent
    commercial_partner_id: Company | Absent
    invoice_origin: Text = False
    invoice_line_ids: tuple[InvoiceLine, ...] = ()

    @property
    def orders(self) -> frozenset[str]:
        """The numbers of the orders that it bills; by its origin where no line is linked."""
        linked = {
            sold.order_id.name
            for line in self.invoice_line_ids
            for sold in line.sale_line_ids
            if sold.order_id and sold.order_id.name
        }
        origin = (self.invoice_origin or "").split(",")
        return frozenset(linked or {part.strip() for part in origin if part.strip()})


_LINKS: Specification = {"sale_line_ids": {"fields": {"order_id": {"fields": {"name": {}}}}}}


def specification(line: frozenset[str]) -> Specification:
    """What to read of an invoice; `line` are the fields of an invoice's lines here."""
    own = [name for name in InvoiceRow.__struct_fields__ if name not in {"id", "invoice_line_ids"}]
    links = {"invoice_line_ids": {"fields": _LINKS}} if "sale_line_ids" in line else {}
    partner: Specification = {"commercial_partner_id": {"fields": {"ref": {}}}}
    return {**{name: {} for name in own}, **partner, **links}


@dataclass(frozen=True, slots=True)
class InvoiceReader:
    """Rows as invoices, their status as of `today`."""

    currencies: Mapping[int, Currency]
    today: date

    def invoice(self, row: InvoiceRow) -> Invoice:
        """Raises ValueError for a row without number, kind, day or a known currency."""
        number, kind = text(row.name), KINDS.get(row.move_type or "")
        issued, currency = _issued(row), self.currencies.get(row.currency_id or 0)
        if number is None or kind is None or issued is None or currency is None:
            raise ValueError(f"invoice {row.id} has no number, kind, day or known currency")
        orders = row.orders
        partner = row.commercial_partner_id
        return Invoice(
            number=number,
            kind=kind,
            status=status(row, self.today),
            issued_on=issued,
            due_on=row.invoice_date_due or None,
            total=money(row.amount_total, currency),
            balance=money(row.amount_residual, currency),
            customer=text(partner.ref) if partner else None,
            order=next(iter(orders)) if len(orders) == 1 else None,
        )


def status(row: InvoiceRow, today: date) -> InvoiceStatus:
    """A payment state that a later Odoo invents counts as open."""
    if row.state == "draft":
        return InvoiceStatus.DRAFT
    if row.state == "cancel" or row.payment_state == _REVERSED:
        return InvoiceStatus.CANCELLED
    if row.payment_state in _SETTLED:
        return InvoiceStatus.PAID
    late = row.invoice_date_due is not False and row.invoice_date_due < today
    if late and row.move_type == "out_invoice":
        return InvoiceStatus.OVERDUE
    partial = row.payment_state == _PARTIAL
    return InvoiceStatus.PARTIALLY_PAID if partial else InvoiceStatus.OPEN


def domain(wanted: InvoiceStatus, today: date) -> Domain:
    """Finds the invoices of this status and no others."""
    booked: Condition = ["state", "not in", ["draft", "cancel"]]
    match wanted:
        case InvoiceStatus.DRAFT:
            return [["state", "=", "draft"]]
        case InvoiceStatus.CANCELLED:
            reversal: Domain = [booked, ["payment_state", "=", _REVERSED]]
            return any_of([[["state", "=", "cancel"]], reversal])
        case InvoiceStatus.PAID:
            return [booked, ["payment_state", "in", list(_SETTLED)]]
        case InvoiceStatus.OVERDUE:
            return [booked, _unsettled(), *_late(today)]
        case InvoiceStatus.PARTIALLY_PAID:
            return [booked, ["payment_state", "=", _PARTIAL], *_timely(today)]
        case InvoiceStatus.OPEN:
            return [booked, _unsettled(_PARTIAL), *_timely(today)]


def _unsettled(*others: str) -> Condition:
    return ["payment_state", "not in", [*_SETTLED, _REVERSED, *others]]


def _late(today: date) -> Domain:
    return [["move_type", "=", "out_invoice"], ["invoice_date_due", "<", today.isoformat()]]


def _timely(today: date) -> Domain:
    return any_of(
        [
            [["move_type", "!=", "out_invoice"]],
            [["invoice_date_due", "=", False]],
            [["invoice_date_due", ">=", today.isoformat()]],
        ]
    )


def _issued(row: InvoiceRow) -> date | None:
    """A draft may have no invoice day yet; the accounting day is always set."""
    return row.invoice_date or row.date or None
