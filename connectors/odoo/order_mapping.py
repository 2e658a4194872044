"""`sale.order` with its parts -> `ports.orders.Order`.

Freight (`is_delivery` lines) is the order's shipping cost and not among its lines, while Odoo's
`amount_untaxed` holds both. Sections, notes and down payments are no lines of an order. A line's
unit price is before its discount, and includes tax where the database prices with tax.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec

from connectors.odoo import order_status
from connectors.odoo.mapping import (
    Absent,
    Currency,
    Moment,
    Number,
    Text,
    moment,
    money,
    number,
    text,
)
from connectors.odoo.order_status import Amounts, Transfer
from connectors.odoo.paging import Specification, known
from ports.common import Address, ExternalReference, Money, SystemName
from ports.orders import Order, OrderLine, OrderStatus

_NOT_GOODS = frozenset({"service", "combo"})
_LONGEST_LEAD_DAYS = 3650


class Named(msgspec.Struct, frozen=True, gc=False):
    name: Text = False


class Coded(msgspec.Struct, frozen=True, gc=False):
    code: Text = False


class Company(msgspec.Struct, frozen=True, gc=False):
    """A commercial partner; `ref` is the customer number that the systems share."""

    id: int = 0
    ref: Text = False
    name: Text = False


class Partner(msgspec.Struct, frozen=True, gc=False):
    commercial_partner_id: Company | Absent = False

    @property
    def number(self) -> str | None:
        return text(self.commercial_partner_id.ref) if self.commercial_partner_id else None


class Place(msgspec.Struct, frozen=True, gc=False):
    id: int
    type: Text = False
    name: Text = False
    street: Text = False
    street2: Text = False
    zip: Text = False
    city: Text = False
    phone: Text = False
    country_id: Coded | Absent = False
    state_id: Named | Absent = False
    commercial_partner_id: Company | Absent = False


class Sold(msgspec.Struct, frozen=True, gc=False):
    default_code: Text = False
    type: Text = False


class LineRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    name: Text = False
    sequence: int | Absent = 0
    product_id: Sold | Absent = False
    product_uom_id: Named | Absent = False
    product_uom: Named | Absent = False
    product_uom_qty: Number = False
    price_unit: Number = False
    discount: Number = False
    price_subtotal: Number = False
    qty_delivered: Number = False
    qty_invoiced: Number = False
    customer_lead: Number = False
    display_type: Text = False
    is_downpayment: bool = False
    is_delivery: bool = False

    @property
    def amounts(self) -> Amounts:
        return Amounts(number(self.product_uom_qty), number(self.qty_delivered))

    @property
    def goods(self) -> bool:
        return self.product_id is not False and self.product_id.type not in _NOT_GOODS


class OrderRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    name: str
    state: Text
    date_order: Moment
    amount_untaxed: Number
    amount_tax: Number
    amount_total: Number
    currency_id: int | Absent
    partner_id: Partner | Absent
    order_line: tuple[LineRow, ...]
    write_date: Moment = False
    client_order_ref: Text = False
    commitment_date: Moment = False
    delivery_status: Text = False
    partner_invoice_id: Place | Absent = False
    partner_shipping_id: Place | Absent = False
    picking_ids: tuple[Transfer, ...] = ()


_PARTNER: Specification = {"commercial_partner_id": {"fields": {"ref": {}}}}
_PLACE: Specification = {
    **{name: {} for name in ("type", "name", "street", "street2", "zip", "city", "phone")},
    "country_id": {"fields": {"code": {}}},
    "state_id": {"fields": {"name": {}}},
    "commercial_partner_id": {"fields": {"name": {}}},
}
_LINE: Specification = {
    **{
        name: {}
        for name in LineRow.__struct_fields__
        if name not in {"id", "product_id", "product_uom_id", "product_uom"}
    },
    "product_id": {"fields": {"default_code": {}, "type": {}}},
    "product_uom_id": {"fields": {"name": {}}},
    # The unit's name before version 19.
    "product_uom": {"fields": {"name": {}}},
}
_TRANSFER: Specification = {name: {} for name in Transfer.__struct_fields__}
_ORDER: Specification = {
    **{
        name: {}
        for name in (
            "name", "state", "date_order", "amount_untaxed", "amount_tax", "amount_total",
            "currency_id", "write_date", "client_order_ref", "commitment_date", "delivery_status",
        )
    },
    "partner_id": {"fields": _PARTNER},
    "picking_ids": {"fields": _TRANSFER},
}  # fmt: skip


_PLACES = {"partner_invoice_id": "billing_address", "partner_shipping_id": "shipping_address"}


class Readable(NamedTuple):
    """The fields that orders, their lines and partners have in this database, for this key."""

    order: frozenset[str]
    line: frozenset[str]
    partner: frozenset[str]

    def specification(self, wanted: frozenset[str] | None = None) -> Specification:
        """What to read of an order. Its lines too tell how far it is; addresses only where wanted."""
        place = {"fields": known(_PLACE, self.partner)}
        places = {
            name: place for name, field in _PLACES.items() if wanted is None or field in wanted
        }
        return {
            **known(_ORDER, self.order),
            **places,
            "order_line": {"fields": known(_LINE, self.line)},
        }


@dataclass(frozen=True, slots=True)
class OrderReader:
    """Rows read from one upstream, as orders. `wanted` None wants all of them."""

    upstream: str
    currencies: Mapping[int, Currency]
    wanted: frozenset[str] | None = None

    def order(self, row: OrderRow) -> Order:
        """Raises ValueError for a row without date, state or a known currency."""
        placed, currency = moment(row.date_order), self.currencies.get(row.currency_id or 0)
        if placed is None or currency is None:
            raise ValueError(f"order {row.id} has no date or no known currency")
        sold = _sold(row)
        return Order(
            number=row.name,
            status=status(row),
            source_status="/".join(word for word in (row.state, row.delivery_status) if word),
            placed_at=placed,
            subtotal=money(row.amount_untaxed, currency),
            tax=money(row.amount_tax, currency),
            total=money(row.amount_total, currency),
            customer=row.partner_id.number if row.partner_id else None,
            purchase_order_number=text(row.client_order_ref),
            updated_at=moment(row.write_date),
            references=(ExternalReference(SystemName.ERP, self.upstream, str(row.id)),),
            lines=self._lines(row, sold, currency),
            shipping_cost=_shipping_cost(sold, currency),
            billing_address=address(row.partner_invoice_id),
            shipping_address=address(row.partner_shipping_id),
            requested_delivery_date=_day(row.commitment_date),
        )

    def _lines(
        self, row: OrderRow, sold: Sequence[LineRow], currency: Currency
    ) -> tuple[OrderLine, ...]:
        if self.wanted is not None and "lines" not in self.wanted:
            return ()
        goods = (line for line in sold if not line.is_delivery)
        return tuple(
            _line(row, line, position, currency) for position, line in enumerate(goods, start=1)
        )


def status(row: OrderRow) -> OrderStatus:
    lines = [line for line in _sold(row) if not line.is_delivery]
    goods = [line for line in lines if line.goods]
    amounts = [line.amounts for line in goods or lines]
    return order_status.status(row.state or "", row.picking_ids, amounts)


def address(place: Place | Absent) -> Address | None:
    """A partner as a postal address, told as `accounts` tells those of a company.

    `company` is the commercial entity; the name of an address below it is its label, that of a
    person its name.
    """
    if not place:
        return None
    company, own_name = place.commercial_partner_id, text(place.name)
    own = not company or company.id == place.id
    person = not own and place.type == "contact"
    country = text(place.country_id.code) if place.country_id else None
    return Address(
        id=str(place.id),
        lines=tuple(line for line in (text(place.street), text(place.street2)) if line),
        label=None if own or person else own_name or text(place.type),
        name=own_name if person else None,
        company=text(company.name) if company else own_name,
        postal_code=text(place.zip),
        city=text(place.city),
        region=text(place.state_id.name) if place.state_id else None,
        country=country.upper() if country else None,
        phone=text(place.phone),
    )


def _sold(row: OrderRow) -> Sequence[LineRow]:
    """Lines that cost something, or could, in the order in which Odoo shows them."""
    lines = (line for line in row.order_line if not (line.display_type or line.is_downpayment))
    return sorted(lines, key=lambda line: (line.sequence, line.id))


def _line(row: OrderRow, line: LineRow, position: int, currency: Currency) -> OrderLine:
    sku = text(line.product_id.default_code) if line.product_id else None
    unit = line.product_uom_id or line.product_uom
    return OrderLine(
        position=position,
        description=text(line.name) or sku or "",
        quantity=number(line.product_uom_qty),
        unit_price=_unit_price(line, currency),
        total=money(line.price_subtotal, currency),
        quantity_shipped=number(line.qty_delivered),
        sku=sku,
        unit=text(unit.name) if unit else None,
        discount_percent=number(line.discount) if line.discount else None,
        quantity_invoiced=number(line.qty_invoiced),
        expected_ship_date=_expected(row, line),
    )


def _unit_price(line: LineRow, currency: Currency) -> Money:
    """Prices of one piece may be finer than the currency's smallest coin; then they stay so."""
    exact, usual = number(line.price_unit), money(line.price_unit, currency)
    return usual if usual.amount == exact else Money(exact, currency.code)


def _expected(row: OrderRow, line: LineRow) -> date | None:
    """When what is still to be shipped of the line should leave.

    As planned in the warehouse where one delivery is left; else as promised for the order or, by
    its lead time, for the line.
    """
    amounts = line.amounts
    if row.state not in order_status.OPEN_STATES or amounts.delivered >= amounts.ordered:
        return None
    planned = [each.scheduled_date for each in row.picking_ids if each.live]
    if len(planned) == 1 and planned[0]:
        return _day(planned[0])
    if row.commitment_date or not line.goods:
        return _day(row.commitment_date)
    placed = moment(row.date_order)
    lead = min(number(line.customer_lead), Decimal(_LONGEST_LEAD_DAYS))
    return (placed + timedelta(days=float(lead))).date() if placed else None


def _day(value: Moment) -> date | None:
    found = moment(value)
    return found.date() if found else None


def _shipping_cost(lines: Sequence[LineRow], currency: Currency) -> Money | None:
    freight = [number(line.price_subtotal) for line in lines if line.is_delivery]
    return money(sum(freight, Decimal(0)), currency) if freight else None
