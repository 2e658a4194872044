"""What changed in an Odoo database, by `write_date`, since Odoo sends no messages of its own.

One question a model and page. Rows that were deleted leave no trace here; lifetimes heal those.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Absent, Moment, Text, moment, text
from connectors.odoo.paging import Domain, Specification, known, written
from ports.caller import Call
from upstream.poller import ChangedRow, ChangeFeed, Window
from upstream.webhooks import tag

_OPERATION = "changes"


class _Product(msgspec.Struct, gc=False):
    default_code: Text = False


class _Company(msgspec.Struct, gc=False):
    ref: Text = False


class _Partner(msgspec.Struct, gc=False):
    commercial_partner_id: _Company | Absent = False


class _Order(msgspec.Struct, gc=False):
    name: Text = False


class _Row(msgspec.Struct, gc=False):
    """Of any of the models; each has some of these."""

    id: int
    write_date: Moment = False
    name: Text = False
    ref: Text = False
    default_code: Text = False
    product_id: _Product | Absent = False
    product_variant_ids: list[_Product] = []
    partner_id: _Partner | Absent = False
    commercial_partner_id: _Company | Absent = False
    sale_id: _Order | Absent = False
    carrier_tracking_ref: Text = False
    invoice_origin: Text = False


class _Answer(msgspec.Struct, gc=False):
    records: list[_Row]


_CODE: dict[str, object] = {"fields": {"default_code": {}}}
_COMPANY: dict[str, object] = {"fields": {"ref": {}}}
_BUYER: dict[str, object] = {"fields": {"commercial_partner_id": _COMPANY}}

Tags = Callable[[_Row], Iterator[tuple[str, Text]]]


@dataclass(frozen=True, slots=True)
class _Topic:
    """`specification` beside id and write_date; `broad` is everything that the model shows in."""

    specification: Specification
    tags: Tags
    broad: tuple[str, ...]


def _product(row: _Row) -> Iterator[tuple[str, Text]]:
    yield "product", row.default_code
    yield from (("product", one.default_code) for one in row.product_variant_ids)
    if row.product_id:
        yield "product", row.product_id.default_code


def _price(_row: _Row) -> Iterator[tuple[str, Text]]:
    """A rule may hold for a product, a category or everything, and stand below other lists."""
    yield "type", "Price"


def _order(row: _Row) -> Iterator[tuple[str, Text]]:
    yield "order", row.name
    yield from _customer(row)


def _shipment(row: _Row) -> Iterator[tuple[str, Text]]:
    yield from (("shipment", row.name), ("shipment", row.carrier_tracking_ref))
    if row.sale_id:
        yield "order", row.sale_id.name
    yield from _customer(row)


def _invoice(row: _Row) -> Iterator[tuple[str, Text]]:
    """One invoice may be of several orders, which are named with commas between."""
    for origin in (row.invoice_origin or "").split(","):
        yield "order", origin
    yield from _customer(row)


def _customer(row: _Row) -> Iterator[tuple[str, Text]]:
    """The company's number, be the row the company itself, one of its people, or a document."""
    yield "customer", row.ref
    buyer = row.partner_id
    for company in (row.commercial_partner_id, buyer and buyer.commercial_partner_id):
        if company:
            yield "customer", company.ref


_PRODUCTS = ("role:pricing", "role:stock")

_TOPICS: Mapping[str, _Topic] = {
    "product.product": _Topic({"default_code": {}}, _product, _PRODUCTS),
    "product.template": _Topic({"product_variant_ids": _CODE}, _product, _PRODUCTS),
    "product.pricelist.item": _Topic({}, _price, ("type:Price",)),
    "stock.quant": _Topic({"product_id": _CODE}, _product, ("role:stock",)),
    "stock.move": _Topic({"product_id": _CODE}, _product, ("role:stock",)),
    "sale.order": _Topic({"name": {}, "partner_id": _BUYER}, _order, ("role:orders",)),
    "stock.picking": _Topic(
        {"name": {}, "carrier_tracking_ref": {}, "sale_id": {"fields": {"name": {}}},
         "partner_id": _BUYER},
        _shipment,
        ("role:shipments", "role:orders"),
    ),
    "account.move": _Topic(
        {"invoice_origin": {}, "commercial_partner_id": _COMPANY},
        _invoice,
        ("role:invoices", "role:accounts"),
    ),
    "res.partner": _Topic(
        {"ref": {}, "commercial_partner_id": _COMPANY}, _customer, ("role:accounts", "role:pricing")
    ),
}  # fmt: skip


class OdooChanges:
    """Serves `upstream.poller.ChangeFeed`: a topic is a model."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client

    @property
    def topics(self) -> Sequence[str]:
        return tuple(_TOPICS)

    def broad(self, topic: str, /) -> tuple[str, ...]:
        return _TOPICS[topic].broad

    async def latest(self, topic: str, /, *, call: Call) -> datetime | None:
        rows = await self._ask(topic, [], {}, ("write_date desc, id desc", 1), call=call)
        return moment(rows[0].write_date) if rows else None

    async def changed(self, topic: str, window: Window, /, *, call: Call) -> Sequence[ChangedRow]:
        """Archived rows too: a product that is no longer sold has changed."""
        since = window.since.astimezone(UTC)
        domain: Domain = [["write_date", ">=", written(since)]]
        if window.after is not None:
            domain.append(["id", ">", window.after])
        there = await self._client.fields(topic, call=call)
        specification = known(_TOPICS[topic].specification, there)
        rows = await self._ask(topic, domain, specification, ("id", window.limit), call=call)
        return [_changed(topic, row, since) for row in rows]

    async def _ask(
        self,
        topic: str,
        domain: Domain,
        specification: Specification,
        order_and_limit: tuple[str, int],
        *,
        call: Call,
    ) -> list[_Row]:
        order, limit = order_and_limit
        answer = await self._client.ask(
            f"{_OPERATION}.{topic}",
            topic,
            "web_search_read",
            {
                "domain": domain,
                "specification": {"write_date": {}, **specification},
                "order": order,
                "limit": limit,
                "count_limit": limit,  # so that Odoo does not count the rest
                "context": {"active_test": False},
            },
            _Answer,
            call=call,
        )
        return answer.records


def _changed(topic: str, row: _Row, since: datetime) -> ChangedRow:
    pairs = _TOPICS[topic].tags(row)
    texts = ((kind, text(key)) for kind, key in pairs)
    tags = (one for kind, key in texts if key is not None for one in tag(kind, key))
    return ChangedRow(row.id, moment(row.write_date) or since, tuple(dict.fromkeys(tags)))


if TYPE_CHECKING:

    def _proof(client: OdooClient) -> ChangeFeed:
        return OdooChanges(client)
