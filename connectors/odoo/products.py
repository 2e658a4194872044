"""The products of a page, read once for its prices and its stock together.

One `web_search_read` brings what pricing needs of a product and, nested, what lies and what is
coming in. Questions that arrive within a moment of each other share it.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Absent, Moment, Number, Text
from connectors.odoo.paging import searchable
from ports.caller import Call
from ports.common import Freshness
from ports.errors import RefusedError

# Price and stock of one page ask within a turn of the event loop; this is many turns.
_GATHER_SECONDS = 0.001
# Moves of a product accumulate for ever, and so do quants of what is sold by serial number (each
# piece keeps one at the customers' place). Up to here reading them with the product is cheaper than
# a call of its own; a database where one product has more is asked only for those that count.
NESTED = 60

_PLACE: dict[str, object] = {"fields": {"usage": {}, "warehouse_id": {}}}
QUANT_FIELDS: dict[str, object] = {
    "quantity": {},
    "reserved_quantity": {},
    "location_id": _PLACE,
}
MOVE_FIELDS: dict[str, object] = {
    "state": {},
    "date": {},
    "product_qty": {},
    "location_id": {"fields": {"usage": {}}},
    "location_dest_id": _PLACE,
}


_ALWAYS = ("default_code", "active", "sale_ok", "product_tmpl_id", "list_price", "currency_id")
_WHERE_INSTALLED = (
    "lst_price",
    "standard_price",
    "cost_currency_id",
    "type",
    "is_storable",
    "sale_delay",
    "route_ids",
    "taxes_id",
)


class Label(msgspec.Struct, gc=False):
    id: int
    display_name: Text = False


class Category(msgspec.Struct, gc=False):
    id: int
    parent_path: Text = False


class Place(msgspec.Struct, gc=False):
    id: int
    usage: Text = False
    warehouse_id: int | Absent = False


class Quant(msgspec.Struct, gc=False):
    """One beyond the limit of the nested list has its id only."""

    location_id: Place | Absent = False
    quantity: Number = False
    reserved_quantity: Number = False


class Move(msgspec.Struct, gc=False):
    """A move beyond the limit of the nested list has its id only: `state` None."""

    id: int
    state: Text | None = None
    date: Moment = False
    product_qty: Number = False
    location_id: Place | Absent = False
    location_dest_id: Place | Absent = False


class Product(msgspec.Struct, gc=False):
    """A variant. What an installed module would add is at its default where it is not installed."""

    id: int
    default_code: Text
    active: bool
    sale_ok: bool
    product_tmpl_id: int
    list_price: Number
    uom_id: Label | Absent
    currency_id: int | Absent
    categ_id: Category | Absent = False
    lst_price: Number | None = None
    standard_price: Number | None = None
    cost_currency_id: int | Absent = False
    type: Text = False
    is_storable: bool | None = None
    sale_delay: Number = False
    route_ids: list[int] = []
    taxes_id: list[int] = []
    stock_quant_ids: list[Quant] | None = None
    stock_move_ids: list[Move] | None = None

    @property
    def category_path(self) -> tuple[int, ...]:
        """Ids of its category and the ones above, the root first."""
        if not self.categ_id:
            return ()
        path = (self.categ_id.parent_path or "").strip("/")
        return tuple(int(part) for part in path.split("/")) if path else (self.categ_id.id,)


class Page(msgspec.Struct, gc=False):
    records: list[Product]


@dataclass(frozen=True, slots=True)
class Found:
    """The products by SKU, and when they were read."""

    products: Mapping[str, Product]
    freshness: Freshness


@dataclass(slots=True)
class _Gathering:
    skus: dict[str, None] = field(default_factory=dict)
    stock: bool = False


class Products:
    """Finds products by SKU (`default_code`), archived ones included."""

    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._gathering: dict[str, tuple[_Gathering, asyncio.Task[Found]]] = {}
        self._running: set[asyncio.Task[Found]] = set()
        self._nests_quants = True
        self._nests_moves = True

    async def find(self, skus: Iterable[str], *, stock: bool, call: Call) -> Found:
        """With `stock`, quants and moves are nested where Odoo gives them (else None)."""
        if call.language in self._gathering:
            gathering, task = self._gathering[call.language]
        else:
            gathering = _Gathering()
            task = asyncio.create_task(self._gathered(gathering, call))
            self._gathering[call.language] = gathering, task
            self._running.add(task)
            task.add_done_callback(self._done)
        gathering.skus.update(dict.fromkeys(skus))
        gathering.stock |= stock
        # One reader that gives up must not take the answer from the other.
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _done(self, task: asyncio.Task[Found]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # looked at here too, in case every reader has left

    async def _gathered(self, gathering: _Gathering, call: Call) -> Found:
        await asyncio.sleep(_GATHER_SECONDS)
        del self._gathering[call.language]
        skus = searchable(gathering.skus)
        nested = await self._nested(call) if gathering.stock else {}
        try:
            products = await self._ask(skus, nested, call)
        except RefusedError:
            if not nested:
                raise
            # A key that may not see stock may still see prices.
            products = await self._ask(skus, {}, call)
        return Found(products, self._client.upstream.read_now())

    async def _nested(self, call: Call) -> dict[str, object]:
        there = await self._client.fields("product.product", call=call)
        nested: dict[str, object] = {}
        if "stock_quant_ids" in there and self._nests_quants:
            nested["stock_quant_ids"] = {"fields": QUANT_FIELDS, "limit": NESTED}
        if "stock_move_ids" in there and self._nests_moves:
            nested["stock_move_ids"] = {"fields": MOVE_FIELDS, "limit": NESTED}
        return nested

    async def _ask(
        self, skus: Sequence[str], nested: Mapping[str, object], call: Call
    ) -> dict[str, Product]:
        if not skus:
            return {}
        there = await self._client.fields("product.product", call=call)
        page = await self._client.ask(
            "products",
            "product.product",
            "web_search_read",
            {
                # Archived ones are wanted too: they are discontinued, not unknown.
                "domain": [["default_code", "in", skus], ["active", "in", [True, False]]],
                "specification": {**_specification(there), **nested},
            },
            Page,
            call=call,
        )
        products = _by_sku(page.records)
        self._unnest(products.values())
        return products

    def _unnest(self, products: Iterable[Product]) -> None:
        """Forgets lists of which only a part came, and no longer asks for them here."""
        products = tuple(products)
        if any(_too_long(product.stock_quant_ids) for product in products):
            self._nests_quants = False
            for product in products:
                product.stock_quant_ids = None
        if any(_too_long(product.stock_move_ids) for product in products):
            self._nests_moves = False
            for product in products:
                product.stock_move_ids = None


def _too_long(rows: Sequence[Quant] | Sequence[Move] | None) -> bool:
    return rows is not None and len(rows) > NESTED


def _specification(there: frozenset[str]) -> dict[str, object]:
    names = [*_ALWAYS, *(name for name in _WHERE_INSTALLED if name in there)]
    return {
        **{name: {} for name in names},
        "uom_id": {"fields": {"display_name": {}}},
        "categ_id": {"fields": {"parent_path": {}}},
    }


def _by_sku(records: Iterable[Product]) -> dict[str, Product]:
    """Odoo lets several products have one reference: the active one counts, then the oldest."""
    found: dict[str, Product] = {}
    for product in sorted(records, key=lambda each: (not each.active, each.id)):
        if product.default_code:
            found.setdefault(product.default_code, product)
    return found


def sales_price(product: Product) -> Decimal:
    """With the extra of its variant values, which only `lst_price` has."""
    price = product.list_price if product.lst_price is None else product.lst_price
    return price or Decimal(0)
