"""Invoices and credit notes for what was delivered, and how far they are paid."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from random import Random
from typing import Literal

from sandbox.seed.fates import Plan
from sandbox.world import Company, Invoice, OrderLine

_Payment = Literal["not_paid", "in_payment", "paid", "partial", "reversed"]
_DAYS = {"30 Days": 30, "45 Days": 45, "30 Days End of Month": 40, "Immediate Payment": 0}
_DUE_LATER: tuple[_Payment, ...] = ("not_paid",) * 5 + ("paid",) * 3 + ("partial", "in_payment")
_DUE: tuple[_Payment, ...] = ("paid",) * 21 + ("partial", "not_paid", "not_paid")
_EXAMPLE_DUE: tuple[_Payment, ...] = ("paid", "paid", "not_paid", "partial", "paid")


@dataclass(frozen=True, slots=True)
class Bill:
    """`invoiced`: whether the delivered quantities count as billed."""

    invoices: tuple[Invoice, ...] = ()
    invoiced: bool = False


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def amount_of(line: OrderLine, quantity: Decimal) -> Decimal:
    """What `quantity` of the line costs, net and rounded as the ERP rounds a line."""
    return rounded(quantity * line.price * (100 - line.discount) / 100)


def tax_rate(company: Company) -> Decimal:
    """Percent: French VAT at home; reverse charge in the Union, export beyond it."""
    return Decimal(20) if company.addresses[0].country == "FR" else Decimal(0)


def bill(plan: Plan, order: int, lines: list[OrderLine], now: datetime, rng: Random) -> Bill:
    net = sum((amount_of(line, line.delivered) for line in lines), Decimal(0))
    issued = (plan.placed + timedelta(days=2)).date()
    if not net or issued > now.date():
        return Bill()
    gross = net + rounded(net * tax_rate(plan.company) / 100)
    invoice = _invoice(plan, order, gross, issued)
    if plan.fate == "returned":
        reversed_ = replace(invoice, payment_state="reversed", residual=Decimal(0))
        return Bill((reversed_, _refund(invoice, gross, "paid")), invoiced=True)
    invoice = _settled(invoice, now, rng)
    if invoice.state == "posted" and rng.random() < 0.04:  # noqa: PLR2004 - a complaint
        part = amount_of(lines[0], lines[0].delivered)
        part += rounded(part * tax_rate(plan.company) / 100)
        return Bill((invoice, _refund(invoice, part, "not_paid")), invoiced=True)
    return Bill((invoice,), invoiced=invoice.state == "posted")


def _invoice(plan: Plan, order: int, total: Decimal, issued: date) -> Invoice:
    due = issued + timedelta(days=_DAYS[plan.company.payment_terms])
    return Invoice(
        id=0,
        number="",
        order=order,
        company=plan.company.number,
        move_type="out_invoice",
        state="posted",
        payment_state="not_paid",
        issued=issued,
        due=due,
        total=total,
        residual=total,
        currency=plan.company.currency,
    )


def _settled(invoice: Invoice, now: datetime, rng: Random) -> Invoice:
    age = (now.date() - invoice.issued).days
    if age < 10 and rng.random() < 0.25:  # noqa: PLR2004 - a quarter of the new ones wait for review
        return replace(invoice, state="draft")
    if rng.random() < 0.02:  # noqa: PLR2004 - billed by mistake
        return replace(invoice, state="cancel", residual=Decimal(0))
    choices = _DUE if invoice.due < now.date() else _DUE_LATER
    if invoice.company == "C10001" and choices is _DUE:
        choices = _EXAMPLE_DUE
    payment = rng.choice(choices)
    left = {"paid": Decimal(0), "in_payment": Decimal(0), "partial": rounded(invoice.total / 3)}
    return replace(invoice, payment_state=payment, residual=left.get(payment, invoice.total))


def _refund(invoice: Invoice, amount: Decimal, payment: _Payment) -> Invoice:
    issued = invoice.issued + timedelta(days=0 if payment == "not_paid" else 1)
    return replace(
        invoice,
        move_type="out_refund",
        payment_state=payment,
        issued=issued,
        due=issued,
        total=amount,
        residual=amount if payment == "not_paid" else Decimal(0),
    )


def numbered(invoices: list[Invoice]) -> list[Invoice]:
    """In order of issue; a draft has no number yet, and shows the ERP's slash."""
    counters: dict[str, Iterator[int]] = {}
    rows = []
    for place, invoice in enumerate(sorted(invoices, key=lambda row: row.issued), start=1):
        prefix = f"{'RINV' if invoice.move_type == 'out_refund' else 'INV'}/{invoice.issued.year}"
        number = "/"
        if invoice.state != "draft":
            number = f"{prefix}/{next(counters.setdefault(prefix, count(1))):05d}"
        rows.append(replace(invoice, id=place, number=number))
    return rows
