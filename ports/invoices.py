"""Invoices and credit notes, asked from the ERP."""

from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Answers, Money, Page, PageRequest
from ports.operation import batch, single


class InvoiceKind(Enum):
    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"


class InvoiceStatus(Enum):
    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    OVERDUE = "OVERDUE"
    CANCELLED = "CANCELLED"


class Invoice(msgspec.Struct, frozen=True, gc=False):
    """`customer` and `order` are numbers; `order` None where the ERP links none or several."""

    number: str
    kind: InvoiceKind
    status: InvoiceStatus
    issued_on: date
    total: Money
    balance: Money
    customer: str | None
    order: str | None = None
    due_on: date | None = None


class InvoiceQuery(msgspec.Struct, frozen=True, gc=False):
    customers: tuple[str, ...] | None
    status: InvoiceStatus | None = None


class Invoices(Protocol):
    """Newest first. A number that the system does not know is absent."""

    @batch(varies_on=(), max_age=15, stale_if_error=600)
    async def invoices(self, numbers: Sequence[str], /, *, call: Call) -> Answers[str, Invoice]: ...

    @batch(varies_on=(), max_age=15, stale_if_error=600)
    async def of_orders(
        self, orders: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Invoice, ...]]:
        """The invoices of each order number; an order without any has an empty tuple."""
        ...

    @single(varies_on=(), max_age=15, stale_if_error=600)
    async def search(
        self, query: InvoiceQuery, page: PageRequest, /, *, call: Call
    ) -> Page[Invoice]: ...
