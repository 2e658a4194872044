"""Orders, with what was shipped and billed of them: one pass, so that the sums agree."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random
from typing import Literal

from sandbox.seed import billing, parcels
from sandbox.seed.fates import Plan
from sandbox.world import (
    Company,
    Delivery,
    DeliveryLine,
    Invoice,
    Item,
    Order,
    OrderLine,
    Parcel,
    PostalAddress,
)

_OpenState = Literal["draft", "waiting", "confirmed", "assigned", "cancel"]
_CENT = Decimal("0.01")
_FACTORS = {1: Decimal(1), 2: Decimal("0.85"), 3: Decimal("0.80"), 4: Decimal("0.92")}
"About what a price list leaves of the list price; orders keep the price agreed when placed."
_OPEN_STATES: tuple[_OpenState, ...] = (
    "assigned", "assigned", "confirmed", "assigned", "confirmed", "waiting", "draft",
)  # fmt: skip
_QUOTATIONS = {"draft": "draft", "sent": "sent", "cancelled": "cancel"}


@dataclass(slots=True)
class Books:
    """All that trade writes down, and the numbers it draws."""

    now: datetime
    rng: Random
    items: list[Item]
    orders: list[Order] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    parcels: list[Parcel] = field(default_factory=list)
    invoices: list[Invoice] = field(default_factory=list)
    line_ids: Iterator[int] = field(default_factory=lambda: count(1))
    delivery_ids: Iterator[int] = field(default_factory=lambda: count(1))
    move_ids: Iterator[int] = field(default_factory=lambda: count(1))


def write(plans: list[Plan], items: list[Item], now: datetime, rng: Random) -> Books:
    books = Books(now, rng, [item for item in items if item.enabled])
    example = next(item for item in items if item.sku == "VIS-HEX-M8X40-A2")
    for plan in plans:
        _write(books, plan, (example,) if plan.example else ())
    books.invoices = billing.numbered(books.invoices)
    return books


def _write(books: Books, plan: Plan, first: tuple[Item, ...]) -> None:
    number = len(books.orders) + 1
    lines = _lines(books, plan, first)
    place = _destination(plan.company)
    sent = _ship(books, plan, number, lines, place)
    delivered = _delivered(sent, lines)
    lines = [_with(line, delivered[line.id], Decimal(0)) for line in lines]
    bill = billing.bill(plan, number, lines, books.now, books.rng)
    if bill.invoiced:
        lines = [_with(line, line.delivered, line.delivered) for line in lines]
    books.invoices += bill.invoices
    books.orders.append(_order(plan, number, lines, sent))


def _with(line: OrderLine, delivered: Decimal, invoiced: Decimal) -> OrderLine:
    return OrderLine(
        line.id, line.item, line.description, line.quantity, line.unit, line.price, line.discount,
        delivered, invoiced, line.is_delivery,
    )  # fmt: skip


def _lines(books: Books, plan: Plan, first: tuple[Item, ...]) -> list[OrderLine]:
    rng, company = books.rng, plan.company
    drawn: dict[int, Item] = {item.erp_id: item for item in first}
    while len(drawn) < plan.lines:
        item = books.items[int(rng.random() * len(books.items))]
        drawn[item.erp_id] = item
    rows = [_line(books, item, company) for item in drawn.values()]
    if plan.example or (plan.company.number != "C10001" and rng.random() < 0.3):  # noqa: PLR2004
        rows.append(_freight(next(books.line_ids)))
    return rows


def _line(books: Books, item: Item, company: Company) -> OrderLine:
    rng = books.rng
    price = max(billing.rounded(item.list_price * _FACTORS[company.pricelist_id]), _CENT)
    cheap = item.list_price < 5  # noqa: PLR2004 - small parts are bought by the box
    quantity = rng.choice((10, 25, 50, 100, 200, 500) if cheap else (1, 1, 2, 3, 5, 10))
    language = {"fr": "fr_FR", "de": "de_DE"}.get(company.language, "en_US")
    return OrderLine(
        id=next(books.line_ids),
        item=item.erp_id,
        description=f"[{item.sku}] {item.name.get(language) or item.name['fr_FR']}",  # type: ignore[call-overload]
        quantity=Decimal(quantity),
        unit=item.unit,
        price=price,
        discount=Decimal(rng.choice((0, 0, 0, 0, 5, 10))),
        delivered=Decimal(0),
        invoiced=Decimal(0),
    )


def _freight(number: int) -> OrderLine:
    one, none = Decimal(1), Decimal(0)
    return OrderLine(
        number,
        None,
        "Frais de port",
        one,
        "Units",
        Decimal("14.90"),
        none,
        none,
        none,
        True,  # noqa: FBT003
    )


def _destination(company: Company) -> PostalAddress:
    return next(place for place in company.addresses if place.kind == "delivery")


def _ship(
    books: Books, plan: Plan, order: int, lines: list[OrderLine], to: PostalAddress
) -> list[Delivery]:
    """The order's deliveries; those done by a carrier get a parcel."""
    goods = [line for line in lines if line.item is not None]
    sent = [
        _delivery(books, plan, order, part, done=done)
        for part, done in _parts(plan, goods, books.rng)
    ]
    for delivery in sent:
        if delivery.tracking_number:
            books.parcels.append(parcels.parcel(delivery, plan, to, books.now, books.rng))
    books.deliveries += sent
    return sent


_Part = list[tuple[OrderLine, Decimal]]


def _parts(plan: Plan, goods: list[OrderLine], rng: Random) -> list[tuple[_Part, bool]]:
    """How the goods are split over deliveries, and whether each has left."""
    everything: _Part = [(line, line.quantity) for line in goods]
    if plan.fate in {"moving", "delivered", "returned"}:
        return [(everything, True)]
    if plan.fate in {"waiting", "hold"} or (plan.fate == "cancelled" and rng.random() < 0.5):  # noqa: PLR2004
        return [(everything, False)]
    if plan.fate in {"partial", "split"}:
        first, rest = _halves(everything)
        return [(first, True), *([(rest, plan.fate == "split")] if rest else [])]
    return []


def _halves(everything: _Part) -> tuple[_Part, _Part]:
    """The first lines in full and the middle one in part; a single unit cannot be split."""
    middle = len(everything) // 2
    line, quantity = everything[middle]
    some = Decimal(int(quantity) // 2)
    first = [*everything[:middle], *([(line, some)] if some else [])]
    if not first:
        return everything, []
    return first, [(line, quantity - some), *everything[middle + 1 :]]


def _delivery(books: Books, plan: Plan, order: int, part: _Part, *, done: bool) -> Delivery:
    number = next(books.delivery_ids)
    scheduled = (plan.placed + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    left = min(plan.placed + timedelta(hours=20 + number % 9), books.now - timedelta(hours=2))
    carrier = plan.carrier
    return Delivery(
        id=number,
        number=f"WH/OUT/{number:05d}",
        order=order,
        state="done" if done else _open_state(plan, number),
        lines=tuple(
            DeliveryLine(next(books.move_ids), line.item or 0, quantity) for line, quantity in part
        ),
        carrier=carrier,
        tracking_number=parcels.number(carrier, number) if carrier and done else None,
        scheduled=scheduled,
        done=left.replace(microsecond=0) if done else None,
    )


def _open_state(plan: Plan, number: int) -> _OpenState:
    if plan.fate == "cancelled":
        return "cancel"
    if plan.fate == "partial":
        return "confirmed"
    return _OPEN_STATES[number % len(_OPEN_STATES)]


def _delivered(sent: list[Delivery], lines: list[OrderLine]) -> dict[int, Decimal]:
    """Line id -> quantity that has left; freight leaves with the goods."""
    moved: dict[int, Decimal] = {}
    for delivery in sent:
        for line in delivery.lines if delivery.state == "done" else ():
            moved[line.item] = moved.get(line.item, Decimal(0)) + line.quantity
    none, one = Decimal(0), Decimal(1)
    return {
        line.id: (one if moved else none) if line.item is None else moved.get(line.item, none)
        for line in lines
    }


def _order(plan: Plan, number: int, lines: list[OrderLine], sent: list[Delivery]) -> Order:
    company = plan.company
    untaxed = sum((billing.amount_of(line, line.quantity) for line in lines), Decimal(0))
    tax = billing.rounded(untaxed * billing.tax_rate(company) / 100)
    bill_to = next((place for place in company.addresses if place.kind == "invoice"), None)
    touched = max((delivery.done or plan.placed for delivery in sent), default=plan.placed)
    asked = plan.placed + timedelta(days=3 + number % 12)
    return Order(
        id=number,
        number=f"S{number:05d}",
        company=company.number,
        state=_QUOTATIONS.get(plan.fate, "sale"),  # type: ignore[arg-type]
        placed=plan.placed.replace(microsecond=0),
        updated=touched.replace(microsecond=0),
        purchase_order_number=f"PO-{company.number[-3:]}-{number:05d}" if number % 5 else "",
        lines=tuple(lines),
        currency=company.currency,
        untaxed=untaxed,
        tax=tax,
        total=untaxed + tax,
        invoice_address=bill_to.id if bill_to else company.erp_id,
        shipping_address=_destination(company).id,
        requested=asked.replace(hour=0, minute=0, second=0, microsecond=0) if number % 3 else None,
        locked=plan.fate == "hold",
    )
