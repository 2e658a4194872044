"""What an order's state, transfers and quantities say of it, and the same said as a domain.

Odoo's own states end at `sale`; how far it is shipped is told by its transfers. A transfer that
was cancelled counts for nothing, nor does a return; a backorder that was refused leaves nothing to
come, so such an order is SHIPPED, as Odoo's delivery status `full` also says. An order without
transfers (services, or no stock module) is told by delivered quantities. Odoo knows no hold (a
locked order is an ordinary one) and never learns that a parcel arrived.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from connectors.odoo.mapping import Moment, Text
from connectors.odoo.paging import Condition, Domain, any_of
from ports.orders import OrderStatus

OPEN_STATES = ("sale", "done")
"`done` is how versions before 17 called a locked order."

_OUT = ("outgoing", "dropship")
_WORK = (*_OUT, "internal")
_PLAIN = {
    "draft": OrderStatus.DRAFT,
    "sent": OrderStatus.SUBMITTED,
    "cancel": OrderStatus.CANCELLED,
}
_INEXACT = frozenset(
    {
        OrderStatus.CONFIRMED,
        OrderStatus.PARTIALLY_SHIPPED,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
    }
)


class Transfer(msgspec.Struct, frozen=True, gc=False):
    """A `stock.picking` of an order."""

    state: Text = False
    picking_type_code: Text = False
    scheduled_date: Moment = False

    @property
    def live(self) -> bool:
        """Work that is still to be done for the goods to leave."""
        return self.picking_type_code in _WORK and self.state not in {"done", "cancel"}

    @property
    def gone(self) -> bool:
        return self.picking_type_code in _OUT and self.state == "done"

    @property
    def begun(self) -> bool:
        """Goods are reserved, or were picked or packed."""
        picked = self.picking_type_code == "internal" and self.state == "done"
        return picked or (self.live and self.state == "assigned")


@dataclass(frozen=True, slots=True)
class Amounts:
    """What was ordered of a line, and what is delivered."""

    ordered: Decimal
    delivered: Decimal


def status(state: str, transfers: Iterable[Transfer], amounts: Iterable[Amounts]) -> OrderStatus:
    """`amounts` are those of the goods, or of everything where an order has no goods."""
    if state not in OPEN_STATES:
        return _PLAIN.get(state, OrderStatus.UNKNOWN)
    counted = [each for each in transfers if each.live or each.gone or each.begun]
    return _by_transfers(counted) if counted else _by_amounts(list(amounts))


def _by_transfers(transfers: Collection[Transfer]) -> OrderStatus:
    if any(each.gone for each in transfers):
        more = any(each.live for each in transfers)
        return OrderStatus.PARTIALLY_SHIPPED if more else OrderStatus.SHIPPED
    begun = any(each.begun for each in transfers)
    return OrderStatus.PROCESSING if begun else OrderStatus.CONFIRMED


def _by_amounts(amounts: Collection[Amounts]) -> OrderStatus:
    asked = [each for each in amounts if each.ordered > 0]
    if asked and all(each.delivered >= each.ordered for each in asked):
        return OrderStatus.SHIPPED
    if any(each.delivered > 0 for each in asked):
        return OrderStatus.PARTIALLY_SHIPPED
    return OrderStatus.CONFIRMED


def matching(wanted: Collection[OrderStatus]) -> frozenset[OrderStatus]:
    """The statuses that an order of ours may have to be among the wanted ones."""
    shipped = {OrderStatus.SHIPPED} if OrderStatus.DELIVERED in wanted else set()
    return frozenset(wanted) | shipped


def exact(wanted: Collection[OrderStatus]) -> bool:
    """Whether `domain` finds these statuses and nothing else.

    No domain compares a line's two quantities, so that orders without transfers need a look.
    """
    return _INEXACT.isdisjoint(wanted)


def domain(wanted: Collection[OrderStatus], *, transfers: bool) -> Domain:
    """Finds every order of these statuses; empty where no order has one of them.

    `transfers`: whether orders have them in this database.
    """
    alternatives = [_of(each, transfers=transfers) for each in sorted(wanted, key=str)]
    possible = [each for each in alternatives if each]
    return any_of(possible) if possible else []


def _of(wanted: OrderStatus, *, transfers: bool) -> Domain:
    """Empty: no order has this status."""
    for state, plain in _PLAIN.items():
        if wanted is plain:
            return [["state", "=", state]]
    if wanted is OrderStatus.UNKNOWN:
        return [["state", "not in", [*OPEN_STATES, *_PLAIN]]]
    progress = _progress(wanted) if transfers else _quantities(wanted)
    return [["state", "in", list(OPEN_STATES)], *progress] if progress is not None else []


_DELIVERED: Condition = ["order_line.qty_delivered", ">", 0]


def _quantities(wanted: OrderStatus) -> Domain | None:
    if wanted is OrderStatus.CONFIRMED:
        return []
    shipped = {OrderStatus.PARTIALLY_SHIPPED, OrderStatus.SHIPPED, OrderStatus.DELIVERED}
    return [_DELIVERED] if wanted in shipped else None


def _progress(wanted: OrderStatus) -> Domain | None:
    work: Condition = ["picking_type_code", "in", list(_WORK)]
    live: Domain = [work, ["state", "not in", ["done", "cancel"]]]
    gone: Domain = [["picking_type_code", "in", list(_OUT)], ["state", "=", "done"]]
    begun: Domain = [
        "|", "&", work, ["state", "=", "assigned"],
        "&", ["picking_type_code", "=", "internal"], ["state", "=", "done"],
    ]  # fmt: skip
    untransferred: Domain = [_none([work, ["state", "!=", "cancel"]]), _DELIVERED]
    match wanted:
        case OrderStatus.SHIPPED | OrderStatus.DELIVERED:
            return any_of([[_some(gone), _none(live)], untransferred])
        case OrderStatus.PARTIALLY_SHIPPED:
            return any_of([[_some(gone), _some(live)], untransferred])
        case OrderStatus.PROCESSING:
            return [_none(gone), _some(begun)]
        case OrderStatus.CONFIRMED:
            return [_none(gone), _none(begun)]
        case _:
            return None


def _some(transfers: Domain) -> Condition:
    return ["picking_ids", "any", transfers]


def _none(transfers: Domain) -> Condition:
    return ["picking_ids", "not any", transfers]
