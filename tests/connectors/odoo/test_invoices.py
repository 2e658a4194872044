"""Invoices of the sandbox's Odoo: the contract, the number of calls, and odd databases."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.odoo import invoice_mapping
from connectors.odoo.invoice_mapping import InvoiceRow
from connectors.odoo.invoices import OdooInvoices
from ports.common import PageRequest
from ports.errors import MalformedError, PortError
from ports.invoices import Invoice, InvoiceKind, InvoiceQuery, InvoiceStatus
from tests.connectors.odoo.documents_peer import (
    FAULTS,
    Peer,
    broken_client,
    client,
    field_names,
    world,
)
from tests.contracts.invoices import Broken, InvoiceFacts, InvoicesContract, walk
from upstream.reference import own_call

TODAY = datetime.now(UTC).date()


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
def port(peer: Peer) -> OdooInvoices:
    return OdooInvoices(client(peer))


@pytest.fixture
def facts() -> InvoiceFacts:
    numbers = {order.id: order.number for order in world().orders}
    given_out = [invoice for invoice in world().invoices if invoice.state != "draft"]
    billed = defaultdict(set)
    for invoice in given_out:
        billed[invoice.order].add(invoice.number)
    customer = world().examples.customer
    known = next(each for each in given_out if each.company == customer)
    return InvoiceFacts(
        known=known.number,
        customer=customer,
        order=numbers[known.order],
        of_order=frozenset(billed[known.order]),
        unbilled=next(number for key, number in numbers.items() if key not in billed),
        numbers=tuple(invoice.number for invoice in given_out),
        own=frozenset(each.number for each in given_out if each.company == customer),
    )


class TestOdooInvoices(InvoicesContract):
    @pytest.fixture
    def broken(self) -> Broken:
        return lambda name: OdooInvoices(broken_client(name))


async def test_each_question_is_one_call(
    port: OdooInvoices, peer: Peer, facts: InvoiceFacts
) -> None:
    await port.of_orders([order.number for order in world().orders[:200]], call=own_call())
    assert peer.documents == 1

    await port.search(InvoiceQuery(None, InvoiceStatus.OPEN), PageRequest(20), call=own_call())
    await port.invoices(facts.numbers[:200], call=own_call())
    assert peer.documents == 3


async def test_the_world_is_told_as_it_is(port: OdooInvoices) -> None:
    told = {each.number: each for each in await walk(port, InvoiceQuery(customers=None), 100)}
    kinds = {"out_invoice": InvoiceKind.INVOICE, "out_refund": InvoiceKind.CREDIT_NOTE}

    for invoice in world().invoices:
        if invoice.state != "draft":
            seen = told[invoice.number]
            assert seen.kind is kinds[invoice.move_type]
            assert (seen.issued_on, seen.due_on) == (invoice.issued, invoice.due)
            assert seen.total.amount == invoice.total
            assert seen.balance.amount == invoice.residual
    assert Counter(each.kind for each in told.values())[InvoiceKind.CREDIT_NOTE]


async def test_the_day_decides_what_is_overdue(peer: Peer, facts: InvoiceFacts) -> None:
    long_ago = OdooInvoices(client(peer), today=lambda: date(2000, 1, 1))
    far_off = OdooInvoices(client(peer), today=lambda: date(2100, 1, 1))
    overdue = InvoiceQuery(customers=None, status=InvoiceStatus.OVERDUE)

    assert await walk(long_ago, overdue, 100) == []
    late = {invoice.number for invoice in await walk(far_off, overdue, 100)}
    owed = {
        each.number
        for each in world().invoices
        if each.state == "posted"
        and each.move_type == "out_invoice"
        and each.payment_state in {"not_paid", "partial"}
    }
    assert late == owed


async def test_an_invoice_of_several_orders_is_among_those_of_each(facts: InvoiceFacts) -> None:
    def bills_two(record: dict[str, Any]) -> None:
        lines = [{"sale_line_ids": [{"order_id": {"id": 1, "name": name}}]} for name in ("A", "B")]
        record["invoice_line_ids"] = [*lines, {"sale_line_ids": []}]

    port = OdooInvoices(client(Peer(edit=bills_two)))
    found = await port.of_orders(["A", "B", facts.order], call=own_call())

    assert found[facts.order] == ()
    assert found["A"] == found["B"] != ()
    assert isinstance(found["A"], tuple)
    assert found["A"][0].order is None


async def test_without_linked_lines_the_origin_tells_the_order(facts: InvoiceFacts) -> None:
    peer = Peer(lacks=frozenset({"sale_line_ids"}))
    port = OdooInvoices(client(peer))

    found = await port.of_orders([facts.order], call=own_call())

    billed = found[facts.order]
    assert isinstance(billed, tuple)
    assert {invoice.number for invoice in billed} == facts.of_order
    assert "sale_line_ids" not in set(field_names(peer.asked[0]["specification"]))
    assert "sale_line_ids" not in str(peer.asked[0]["domain"])


async def test_a_bad_record_costs_itself_alone(facts: InvoiceFacts) -> None:
    bad, good = facts.numbers[:2]

    def spoil(record: dict[str, Any]) -> None:
        if record["name"] == bad:
            record["amount_residual"] = {}

    port = OdooInvoices(client(Peer(edit=spoil)))
    found = await port.invoices([bad, good], call=own_call())

    assert isinstance(found[bad], MalformedError)
    assert isinstance(found[good], Invoice)
    with pytest.raises(MalformedError):
        await walk(port, InvoiceQuery(customers=None), 100)
    billing = next(each.order for each in world().invoices if each.number == bad)
    order = next(each.number for each in world().orders if each.id == billing)
    with pytest.raises(MalformedError):
        await port.of_orders([order], call=own_call())


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_looks_like_an_empty_list(facts: InvoiceFacts, fault: str) -> None:
    port = OdooInvoices(client(Peer(fault=fault)))

    for asked in (
        port.invoices([facts.known], call=own_call()),
        port.of_orders([facts.order], call=own_call()),
        port.search(InvoiceQuery(None), PageRequest(5), call=own_call()),
    ):
        with pytest.raises(PortError):
            await asked


async def test_a_draft_without_number_is_not_among_an_orders_invoices(facts: InvoiceFacts) -> None:
    """Odoo is asked for numbered ones only; one that comes all the same is no invoice."""
    port = OdooInvoices(client(Peer(edit=lambda record: record.update(name=False))))

    assert await port.invoices([facts.known], call=own_call()) == {}
    with pytest.raises(MalformedError):
        await port.of_orders([facts.order], call=own_call())


def _row(**values: object) -> InvoiceRow:
    usual = {
        "id": 1, "name": "INV/1", "state": "posted", "move_type": "out_invoice",
        "payment_state": "not_paid", "invoice_date": "2026-01-01", "date": "2026-01-01",
        "invoice_date_due": "2026-01-31", "amount_total": 12.0, "amount_residual": 12.0,
        "currency_id": 1, "commercial_partner_id": False,
    }  # fmt: skip
    return msgspec.json.decode(msgspec.json.encode({**usual, **values}), type=InvoiceRow)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"state": "draft"}, "DRAFT"),
        ({"state": "cancel"}, "CANCELLED"),
        ({"payment_state": "reversed"}, "CANCELLED"),
        ({"payment_state": "paid"}, "PAID"),
        ({"payment_state": "in_payment"}, "PAID"),
        ({"payment_state": "invoicing_legacy"}, "PAID"),
        ({}, "OPEN"),
        ({"payment_state": "blocked"}, "OPEN"),
        ({"payment_state": "invented"}, "OPEN"),
        ({"payment_state": False}, "OPEN"),
        ({"payment_state": "partial"}, "PARTIALLY_PAID"),
        ({"invoice_date_due": False}, "OPEN"),
        ({"invoice_date_due": "2026-01-09"}, "OVERDUE"),
        ({"invoice_date_due": "2026-01-10"}, "OPEN"),
        ({"invoice_date_due": "2026-01-09", "payment_state": "partial"}, "OVERDUE"),
        ({"invoice_date_due": "2026-01-09", "payment_state": "paid"}, "PAID"),
        ({"invoice_date_due": "2026-01-09", "move_type": "out_refund"}, "OPEN"),
    ],
)
def test_a_status(values: dict[str, object], expected: str) -> None:
    found = invoice_mapping.status(_row(**values), date(2026, 1, 10))

    assert found is InvoiceStatus(expected)


WORDS = st.one_of(st.just(value=False), st.text(max_size=8))


@given(
    state=WORDS,
    kind=WORDS,
    payment=WORDS,
    due=st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2100, 1, 1))),
)
def test_no_word_of_odoo_breaks_a_status(
    state: str | bool, kind: str | bool, payment: str | bool, due: date | None
) -> None:
    row = _row(
        state=state,
        move_type=kind,
        payment_state=payment,
        invoice_date_due=False if due is None else due.isoformat(),
    )

    assert invoice_mapping.status(row, TODAY + timedelta(days=1)) in InvoiceStatus
