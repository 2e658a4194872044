"""The invoices in memory keep the contract, so that resolver tests may rely on them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from ports.common import Money
from ports.invoices import Invoice, InvoiceKind, InvoiceStatus
from tests.contracts.failures import failure
from tests.contracts.fakes.invoices import FakeInvoices
from tests.contracts.invoices import Broken, InvoiceFacts, InvoicesContract


def _invoice(index: int) -> Invoice:
    issued = date(2026, 1, 1) + timedelta(days=index // 3)
    return Invoice(
        number=f"INV/{index:05d}",
        kind=InvoiceKind.INVOICE,
        status=list(InvoiceStatus)[index % len(InvoiceStatus)],
        issued_on=issued,
        due_on=issued + timedelta(days=30),
        total=Money(Decimal(12), "EUR"),
        balance=Money(Decimal(3), "EUR"),
        customer=f"C{index % 4}",
        order=f"S{index // 2:05d}",
    )


INVOICES = [_invoice(index) for index in range(180)]


class TestFakeInvoices(InvoicesContract):
    @pytest.fixture
    def port(self) -> FakeInvoices:
        return FakeInvoices(INVOICES)

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> FakeInvoices:
            fake = FakeInvoices(INVOICES)
            fake.fail_with(failure(name))
            return fake

        return breaking

    @pytest.fixture
    def facts(self) -> InvoiceFacts:
        return InvoiceFacts(
            known="INV/00007",
            customer="C3",
            order="S00003",
            of_order=frozenset({"INV/00006", "INV/00007"}),
            unbilled="S99999",
            numbers=tuple(invoice.number for invoice in INVOICES),
            own=frozenset(invoice.number for invoice in INVOICES if invoice.customer == "C3"),
        )
