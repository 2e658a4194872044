"""`stock.picking` -> `ports.shipments.Shipment`.

The owner is the order's customer, since goods may go to somebody else's address. A reference that
holds several tracking numbers gives its first; a delivery still in work has none as a rule.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from connectors.odoo.mapping import Absent, Moment, Number, Text, moment, number, text
from connectors.odoo.order_mapping import Company, Partner, Sold
from connectors.odoo.paging import Domain, Specification, known
from ports.common import ExternalReference, SystemName
from ports.shipments import Carrier, Shipment, ShipmentLine

OUTGOING: Domain = [
    ["picking_type_code", "in", ["outgoing", "dropship"]],
    ["state", "!=", "cancel"],
]
"""Goods on their way to a customer, be it from the vendor's stock; a cancelled one never leaves."""

_CARRIERS = frozenset(
    {
        "bpost", "chronopost", "colissimo", "correos", "dachser", "dbschenker", "dhl", "dpd",
        "easypost", "fedex", "geodis", "gls", "hermes", "mondialrelay", "poste", "postnl", "purolator",
        "royalmail", "sendcloud", "shiprocket", "starshipit", "tnt", "ups", "usps",
    }
)  # fmt: skip
_UNTIED = frozenset({"fixed", "base_on_rule"})
"Ways to price a delivery, not carriers."
_SHORTEST_NUMBER = 8


class Sale(msgspec.Struct, frozen=True, gc=False):
    name: Text = False
    partner_id: Partner | Absent = False


class Recipient(msgspec.Struct, frozen=True, gc=False):
    zip: Text = False
    commercial_partner_id: Company | Absent = False


class Method(msgspec.Struct, frozen=True, gc=False):
    """A `delivery.carrier`: more often a way of shipping (`DHL Express`) than a carrier."""

    name: Text = False
    delivery_type: Text = False


class MoveRow(msgspec.Struct, frozen=True, gc=False):
    state: Text = False
    product_id: Sold | Absent = False
    product_uom_qty: Number = False
    quantity: Number = False


class PickingRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    name: str
    state: Text
    date_done: Moment = False
    partner_id: Recipient | Absent = False
    sale_id: Sale | Absent = False
    carrier_id: Method | Absent = False
    carrier_tracking_ref: Text = False
    move_ids: tuple[MoveRow, ...] = ()


_COMMERCIAL: Specification = {"commercial_partner_id": {"fields": {"ref": {}}}}
_PICKING: Specification = {
    **{name: {} for name in ("name", "state", "date_done", "carrier_tracking_ref")},
    "partner_id": {"fields": {"zip": {}, **_COMMERCIAL}},
    "sale_id": {"fields": {"name": {}, "partner_id": {"fields": _COMMERCIAL}}},
    "carrier_id": {"fields": {"name": {}, "delivery_type": {}}},
    "move_ids": {
        "fields": {
            "state": {},
            "product_uom_qty": {},
            "quantity": {},
            "product_id": {"fields": {"default_code": {}}},
        }
    },
}


def specification(picking: frozenset[str], wanted: frozenset[str] | None = None) -> Specification:
    """What to read of a delivery, given the fields that it has in this database.

    What it holds is read of another table, and so only for who wants it.
    """
    whole = known(_PICKING, picking)
    if wanted is None or "lines" in wanted:
        return whole
    return {name: below for name, below in whole.items() if name != "move_ids"}


@dataclass(frozen=True, slots=True)
class ShipmentReader:
    """Rows read from one upstream. `carriers`: configured codes by method name or delivery type."""

    upstream: str
    carriers: Mapping[str, str]

    def shipment(self, row: PickingRow) -> Shipment:
        """Raises ValueError for a row without a number."""
        key = text(row.name)
        if key is None:
            raise ValueError(f"delivery {row.id} has no number")
        done, method, place = row.state == "done", row.carrier_id, row.partner_id
        return Shipment(
            key=key,
            customer=_customer(row),
            order=text(row.sale_id.name) if row.sale_id else None,
            number=key,
            tracking_number=next(iter(tracking_numbers(row.carrier_tracking_ref)), None),
            carrier=self._carrier(method) if method else None,
            service=text(method.name) if method else None,
            shipped_at=moment(row.date_done) if done else None,
            references=(ExternalReference(SystemName.ERP, self.upstream, str(row.id)),),
            lines=tuple(_line(move, done=done) for move in row.move_ids if _counts(move)),
            postal_code=text(place.zip) if place else None,
        )

    def _carrier(self, method: Method) -> Carrier | None:
        name = text(method.name)
        code = self._code(name or "", method.delivery_type or "")
        return Carrier(code, name or code) if code else None

    def _code(self, name: str, kind: str) -> str:
        """As configured; else the carrier that Odoo's own integration or the name tells."""
        configured = self.carriers.get(name) or self.carriers.get(kind)
        if configured:
            return configured.lower()
        if kind and kind not in _UNTIED:
            return kind.partition("_")[0].lower()
        words = re.findall(r"[^\W_]+", name.lower())
        return next((word for word in words if word in _CARRIERS), words[0] if words else "")


def tracking_numbers(reference: Text) -> tuple[str, ...]:
    """The numbers that one reference holds, separated by commas, semicolons or spaces.

    Words too short to be a number are groups of one, written apart.
    """
    numbers: list[str] = []
    for part in re.split(r"[,;\r\n]+", reference or ""):
        words = part.split()
        whole = all(len(word) >= _SHORTEST_NUMBER for word in words)
        numbers += words if whole else ["".join(words)]
    return tuple(dict.fromkeys(numbers))


def _customer(row: PickingRow) -> str | None:
    buyer = row.sale_id.partner_id.number if row.sale_id and row.sale_id.partner_id else None
    if buyer or not row.partner_id or not row.partner_id.commercial_partner_id:
        return buyer
    return text(row.partner_id.commercial_partner_id.ref)


def _counts(move: MoveRow) -> bool:
    """A move without product code cannot be told to a shop."""
    return move.state != "cancel" and bool(move.product_id and text(move.product_id.default_code))


def _line(move: MoveRow, *, done: bool) -> ShipmentLine:
    sku = text(move.product_id.default_code) if move.product_id else None
    return ShipmentLine(sku or "", number(move.quantity if done else move.product_uom_qty))
