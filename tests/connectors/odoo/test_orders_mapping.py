"""An order's row as a record: lines, amounts, addresses, days, and whatever else Odoo may write."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.odoo.mapping import Currency
from connectors.odoo.order_mapping import OrderReader, OrderRow, Readable
from ports.common import Address, Money
from ports.orders import Order, OrderStatus

EURO = Currency(1, "EUR", Decimal("0.01"), Decimal(1))
READER = OrderReader("erp", {1: EURO})


def _line(**values: object) -> dict[str, object]:
    usual = {
        "id": 1, "name": "Bolt", "sequence": 10, "display_type": False,
        "product_id": {"id": 3, "default_code": "BOLT", "type": "consu"},
        "product_uom_id": {"id": 1, "name": "Units"}, "product_uom_qty": 4.0,
        "price_unit": 2.5, "discount": 0.0, "price_subtotal": 10.0, "qty_delivered": 1.0,
        "qty_invoiced": 0.0, "customer_lead": 2.0,
    }  # fmt: skip
    return {**usual, **values}


def _order(**values: object) -> Order:
    usual: dict[str, object] = {
        "id": 9, "name": "S00009", "state": "sale", "date_order": "2026-03-01 10:00:00",
        "write_date": "2026-03-02 10:00:00", "amount_untaxed": 10.0, "amount_tax": 2.0,
        "amount_total": 12.0, "currency_id": 1, "order_line": [_line()],
        "partner_id": {"id": 5, "commercial_partner_id": {"id": 4, "ref": "C1"}},
    }  # fmt: skip
    row = msgspec.json.decode(msgspec.json.encode({**usual, **values}), type=OrderRow)
    return READER.order(row)


def test_an_order() -> None:
    order = _order(client_order_ref="  PO 7 ", delivery_status="pending")

    assert (order.number, order.customer, order.purchase_order_number) == ("S00009", "C1", "PO 7")
    assert order.source_status == "sale/pending"
    assert order.placed_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert order.updated_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert order.total == Money(Decimal("12.00"), "EUR")
    assert [reference.id for reference in order.references] == ["9"]


def test_lines_are_numbered_in_the_order_of_odoo() -> None:
    lines = [
        _line(id=7, name="third", sequence=20),
        _line(id=9, name="second", sequence=10),
        _line(id=8, name="first", sequence=10),
        _line(id=1, name="Heading", sequence=5, display_type="line_section", product_id=False),
        _line(id=2, name="Remark", sequence=6, display_type="line_note", product_id=False),
        _line(id=3, name="Down payment", sequence=99, is_downpayment=True, product_uom_qty=0.0),
        _line(id=4, name="Freight", sequence=1, is_delivery=True, price_subtotal=14.9),
        _line(id=5, name="More freight", sequence=2, is_delivery=True, price_subtotal=0.1),
    ]

    order = _order(order_line=lines)

    assert [(line.position, line.description) for line in order.lines] == [
        (1, "first"),
        (2, "second"),
        (3, "third"),
    ]
    assert order.shipping_cost == Money(Decimal("15.00"), "EUR")


def test_a_line() -> None:
    (line,) = _order(order_line=[_line(discount=12.5, price_unit=0.1234)]).lines

    assert (line.sku, line.unit, line.quantity) == ("BOLT", "Units", Decimal(4))
    assert line.unit_price == Money(Decimal("0.1234"), "EUR")
    assert line.discount_percent == Decimal("12.5")
    assert line.total == Money(Decimal("10.00"), "EUR")
    assert (line.quantity_shipped, line.quantity_invoiced) == (Decimal(1), Decimal(0))


def test_a_line_of_an_older_odoo_and_one_without_product() -> None:
    old = _line(product_uom_id=False, product_uom={"id": 2, "name": "Box"})
    free = _line(product_id=False, product_uom_id=False, name=False)

    boxed, unnamed = _order(order_line=[old, free]).lines

    assert boxed.unit == "Box"
    assert (unnamed.sku, unnamed.unit, unnamed.description) == (None, None, "")


def test_no_freight_is_no_shipping_cost() -> None:
    assert _order().shipping_cost is None
    assert _order(order_line=[]).lines == ()


PLACE: dict[str, object] = {
    "id": 12, "type": "delivery", "name": "Site A", "street": "1 rue Ampère", "street2": " ",
    "zip": "44000", "city": "Nantes", "phone": "+33 4", "country_id": {"id": 75, "code": "fr"},
    "state_id": {"id": 1, "name": "Pays de la Loire"},
    "commercial_partner_id": {"id": 4, "name": "Ateliers"},
}  # fmt: skip


def test_an_address() -> None:
    order = _order(partner_shipping_id=PLACE, partner_invoice_id=False)

    assert order.billing_address is None
    assert order.shipping_address == Address(
        id="12",
        label="Site A",
        company="Ateliers",
        lines=("1 rue Ampère",),
        postal_code="44000",
        city="Nantes",
        region="Pays de la Loire",
        country="FR",
        phone="+33 4",
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, ("Site A", None, "Ateliers")),
        ({"name": False}, ("delivery", None, "Ateliers")),
        ({"name": "Ann Lee", "type": "contact"}, (None, "Ann Lee", "Ateliers")),
        ({"id": 4, "name": "Ateliers", "type": "contact"}, (None, None, "Ateliers")),
        ({"name": "Ann Lee", "commercial_partner_id": False}, (None, None, "Ann Lee")),
    ],
)
def test_whose_an_address_is(
    values: dict[str, object], expected: tuple[str | None, str | None, str | None]
) -> None:
    found = _order(partner_shipping_id={**PLACE, **values}).shipping_address

    assert found is not None
    assert (found.label, found.name, found.company) == expected


def _picking(state: str, day: str) -> dict[str, str]:
    return {
        "state": state,
        "picking_type_code": "outgoing",
        "scheduled_date": f"2026-03-{day} 07:00:00",
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, date(2026, 3, 3)),
        ({"commitment_date": "2026-03-20 00:00:00"}, date(2026, 3, 20)),
        ({"picking_ids": [_picking("assigned", "09")]}, date(2026, 3, 9)),
        (
            {"picking_ids": [_picking("done", "05"), _picking("confirmed", "12")]},
            date(2026, 3, 12),
        ),
        (
            {"picking_ids": [_picking("confirmed", "05"), _picking("confirmed", "12")]},
            date(2026, 3, 3),
        ),
        ({"state": "draft"}, None),
        ({"state": "cancel"}, None),
        ({"order_line": [_line(qty_delivered=4.0)]}, None),
        ({"order_line": [_line(product_id={"type": "service"})]}, None),
    ],
)
def test_the_day_on_which_the_rest_should_leave(
    values: dict[str, object], expected: date | None
) -> None:
    assert _order(**values).lines[0].expected_ship_date == expected


def test_a_service_does_not_keep_goods_from_being_shipped() -> None:
    service = _line(id=2, product_id={"type": "service"}, qty_delivered=0.0)

    order = _order(order_line=[_line(qty_delivered=4.0), service])
    services = _order(order_line=[service])

    assert order.status is OrderStatus.SHIPPED
    assert services.status is OrderStatus.CONFIRMED


@pytest.mark.parametrize("values", [{"date_order": False}, {"currency_id": 99}])
def test_what_cannot_be_true_is_a_value_error(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="order 9"):
        _order(**values)


def test_only_fields_of_this_database_are_asked_for() -> None:
    order = frozenset({"name", "picking_ids"})
    readable = Readable(order, frozenset({"name"}), frozenset({"zip"}))

    specification = readable.specification()

    places = {"partner_invoice_id", "partner_shipping_id"}
    assert set(specification) == {"name", "picking_ids", "order_line", *places}
    assert set(specification["order_line"]["fields"]) == {"name"}
    assert all(set(specification[place]["fields"]) == {"zip"} for place in places)


NO = st.just(value=False)
TEXT = st.one_of(NO, st.text(max_size=12))
AMOUNT = st.one_of(NO, st.floats(-1e9, 1e9, allow_nan=False))
MOMENT = st.one_of(NO, st.datetimes().map(lambda at: at.isoformat(" ", "seconds")))
PICKING = st.fixed_dictionaries(
    {"state": TEXT, "picking_type_code": TEXT, "scheduled_date": MOMENT}
)
LINE = st.fixed_dictionaries(
    {
        "id": st.integers(1, 99),
        "sequence": st.one_of(NO, st.integers(0, 99)),
        "name": TEXT,
        "display_type": TEXT,
        "is_delivery": st.booleans(),
        "product_id": st.one_of(NO, st.fixed_dictionaries({"default_code": TEXT, "type": TEXT})),
        "product_uom_id": st.one_of(NO, st.fixed_dictionaries({"name": TEXT})),
        **dict.fromkeys(
            ("product_uom_qty", "price_unit", "price_subtotal", "qty_delivered", "customer_lead"),
            AMOUNT,
        ),
    }
)


@given(
    words=st.fixed_dictionaries(
        {
            "state": TEXT,
            "delivery_status": TEXT,
            "client_order_ref": TEXT,
            "commitment_date": MOMENT,
            "amount_total": AMOUNT,
            "order_line": st.lists(LINE, max_size=3),
            "picking_ids": st.lists(PICKING, max_size=3),
        }
    )
)
def test_nothing_that_odoo_may_write_breaks_an_order(words: dict[str, Any]) -> None:
    order = _order(**words)

    assert order.status in OrderStatus
    assert [line.position for line in order.lines] == list(range(1, len(order.lines) + 1))
