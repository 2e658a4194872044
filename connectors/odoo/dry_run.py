"""Asks Odoo what an order line would cost, without writing one: `sale.order.line/onchange`."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Number, number
from ports.caller import Call

_SHOWN = ("price_unit", "discount", "price_subtotal", "price_total")


class _Value(msgspec.Struct, gc=False):
    """Values that stay at zero are left out of the answer."""

    price_unit: Number = Decimal(0)
    discount: Number = Decimal(0)
    price_subtotal: Number = Decimal(0)
    price_total: Number = Decimal(0)


class _Answer(msgspec.Struct, gc=False):
    value: _Value


@dataclass(frozen=True, slots=True)
class Line:
    """`subtotal` is without tax, `total` with it; both for the quantity asked."""

    price_unit: Decimal
    discount: Decimal
    subtotal: Decimal
    total: Decimal


async def dry_run(
    client: OdooClient,
    product_id: int,
    quantity: Decimal,
    order: dict[str, int],
    *,
    call: Call,
) -> Line:
    """`order` names the partner and the price list, where there are any."""
    answer = await client.ask(
        "pricing.dry_run",
        "sale.order.line",
        "onchange",
        {
            "values": {
                "product_id": product_id,
                "product_uom_qty": float(quantity),
                "order_id": order,
            },
            "field_names": ["product_id", "product_uom_qty"],
            "fields_spec": {
                "product_id": {},
                "product_uom_qty": {},
                "order_id": {"fields": {name: {} for name in order}},
                **{name: {} for name in _SHOWN},
            },
        },
        _Answer,
        call=call,
    )
    value = answer.value
    return Line(
        number(value.price_unit),
        number(value.discount),
        number(value.price_subtotal),
        number(value.price_total),
    )
