"""Stock per warehouse and what is coming in, from the quants and pending moves of products."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from connectors.odoo.client import OdooClient
from connectors.odoo.mapping import Absent, Text, moment, number, text
from connectors.odoo.products import MOVE_FIELDS, QUANT_FIELDS, Move, Product, Products, Quant
from ports.caller import Call
from ports.common import Answers, Freshness
from ports.stock import (
    Availability,
    AvailabilityStatus,
    IncomingStock,
    Stock,
    StockLevel,
    Warehouse,
)
from upstream.reference import Reference

_READ = "stock.availability"
_PENDING = ["waiting", "confirmed", "partially_available", "assigned"]
_NONE = Decimal(0)


class _Country(msgspec.Struct, gc=False):
    code: Text = False


class _Address(msgspec.Struct, gc=False):
    country_id: _Country | Absent = False


class _Warehouse(msgspec.Struct, gc=False):
    id: int
    code: str
    name: str
    partner_id: _Address | Absent = False


class _Warehouses(msgspec.Struct, gc=False):
    records: list[_Warehouse]


class _OwnedQuant(Quant, kw_only=True):
    product_id: int


class _Quants(msgspec.Struct, gc=False):
    records: list[_OwnedQuant]


class _OwnedMove(Move, kw_only=True):
    product_id: int


class _Moves(msgspec.Struct, gc=False):
    records: list[_OwnedMove]


class _Rule(msgspec.Struct, gc=False):
    route_id: int | Absent


class _Rules(msgspec.Struct, gc=False):
    records: list[_Rule]


class OdooStock:
    """Serves `ports.stock.Stock`: one call shared with pricing, or up to three.

    Quants and moves come nested with the products; where Odoo does not give them so, or products
    have long histories, each is a call of its own.
    """

    def __init__(self, client: OdooClient, products: Products) -> None:
        self._client = client
        self._products = products
        self._warehouses = Reference(self._load_warehouses)
        self._to_order = Reference(self._load_routes)

    async def aclose(self) -> None:
        await self._warehouses.aclose()
        await self._to_order.aclose()

    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> Answers[str, Availability]:
        found = await self._products.find(skus, stock=True, call=call)
        products = {sku: found.products[sku] for sku in skus if sku in found.products}
        if not products:
            return {}
        if not await self._kept(call):
            return {sku: _unknown(product, found.freshness) for sku, product in products.items()}
        await self._complete(products.values(), call)
        warehouses = await self._warehouses.get(call)
        routes = await self._to_order.get(call)
        return {
            sku: self._availability(product, warehouses, routes, found.freshness)
            for sku, product in products.items()
        }

    async def _kept(self, call: Call) -> bool:
        """Whether this database keeps stock at all (the Inventory app)."""
        return "is_storable" in await self._client.fields("product.product", call=call)

    async def _complete(self, products: Iterable[Product], call: Call) -> None:
        """Reads what did not come with the products."""
        stored = [product for product in products if product.is_storable]
        without_quants = {each.id: each for each in stored if each.stock_quant_ids is None}
        without_moves = {each.id: each for each in stored if each.stock_move_ids is None}
        if without_quants:
            quants = await self._quants(list(without_quants), call)
            for key, product in without_quants.items():
                product.stock_quant_ids = [each for each in quants if each.product_id == key]
        if without_moves:
            moves = await self._moves(list(without_moves), call)
            for key, product in without_moves.items():
                product.stock_move_ids = [each for each in moves if each.product_id == key]

    async def _quants(self, products: Sequence[int], call: Call) -> Sequence[_OwnedQuant]:
        answer = await self._client.ask(
            _READ,
            "stock.quant",
            "web_search_read",
            {
                "domain": [
                    ["product_id", "in", products],
                    ["location_id.usage", "=", "internal"],
                ],
                "specification": {"product_id": {}, **QUANT_FIELDS},
            },
            _Quants,
            call=call,
        )
        return answer.records

    async def _moves(self, products: Sequence[int], call: Call) -> Sequence[_OwnedMove]:
        answer = await self._client.ask(
            _READ,
            "stock.move",
            "web_search_read",
            {
                "domain": [
                    ["product_id", "in", products],
                    ["state", "in", _PENDING],
                    ["location_id.usage", "!=", "internal"],
                    ["location_dest_id.usage", "=", "internal"],
                ],
                "specification": {"product_id": {}, **MOVE_FIELDS},
            },
            _Moves,
            call=call,
        )
        return answer.records

    def _availability(
        self,
        product: Product,
        warehouses: Mapping[int, Warehouse],
        routes: frozenset[int],
        freshness: Freshness,
    ) -> Availability:
        levels = _levels(product, warehouses) if product.is_storable else ()
        available = sum((level.available for level in levels), _NONE)
        coming = any(level.incoming for level in levels)
        to_order = not routes.isdisjoint(product.route_ids)
        return Availability(
            status=self._status(product, available, coming=coming, to_order=to_order),
            available=available,
            freshness=freshness,
            unit=_unit(product),
            locations=levels,
            lead_time_days=_lead_time(product),
        )

    def _status(
        self, product: Product, available: Decimal, *, coming: bool, to_order: bool
    ) -> AvailabilityStatus:
        if not (product.active and product.sale_ok):
            return AvailabilityStatus.DISCONTINUED
        if not product.is_storable:
            return AvailabilityStatus.MADE_TO_ORDER
        if available > self._client.config.low_stock:
            return AvailabilityStatus.IN_STOCK
        if available > 0:
            return AvailabilityStatus.LOW_STOCK
        if coming:
            return AvailabilityStatus.BACKORDER
        return AvailabilityStatus.MADE_TO_ORDER if to_order else AvailabilityStatus.OUT_OF_STOCK

    async def _load_warehouses(self, call: Call) -> Mapping[int, Warehouse]:
        country: dict[str, object] = {"fields": {"code": {}}}
        answer = await self._client.ask(
            "reference.warehouses",
            "stock.warehouse",
            "web_search_read",
            {
                "domain": [],
                "specification": {
                    "code": {},
                    "name": {},
                    "partner_id": {"fields": {"country_id": country}},
                },
            },
            _Warehouses,
            call=call,
        )
        return {row.id: _warehouse(row) for row in answer.records}

    async def _load_routes(self, call: Call) -> frozenset[int]:
        """Routes chosen on products whose rules procure to order."""
        if "route_ids" not in await self._client.fields("product.product", call=call):
            return frozenset()
        answer = await self._client.ask(
            "reference.routes",
            "stock.rule",
            "web_search_read",
            {
                "domain": [
                    ["procure_method", "=", "make_to_order"],
                    ["route_id.product_selectable", "=", True],
                ],
                "specification": {"route_id": {}},
            },
            _Rules,
            call=call,
        )
        return frozenset(row.route_id for row in answer.records if row.route_id)


def _levels(product: Product, warehouses: Mapping[int, Warehouse]) -> tuple[StockLevel, ...]:
    """Every warehouse, also one that holds nothing; in Odoo's order of warehouses."""
    held = {key: [_NONE, _NONE] for key in warehouses}
    for quant in product.stock_quant_ids or ():
        place = quant.location_id
        if place and place.usage == "internal" and place.warehouse_id in held:
            sums = held[place.warehouse_id]
            sums[0] += number(quant.quantity)
            sums[1] += number(quant.reserved_quantity)
    coming = _incoming(product.stock_move_ids or ())
    return tuple(
        StockLevel(
            warehouse=warehouse,
            on_hand=held[key][0],
            reserved=held[key][1],
            available=max(_NONE, held[key][0] - held[key][1]),
            incoming=coming.get(key, ()),
        )
        for key, warehouse in warehouses.items()
    )


def _incoming(moves: Iterable[Move]) -> dict[int, tuple[IncomingStock, ...]]:
    """Pending moves from outside into a warehouse, summed by day, the earliest first."""
    sums: dict[int, dict[date, Decimal]] = {}
    for move in moves:
        source, target, at = move.location_id, move.location_dest_id, moment(move.date)
        if move.state not in _PENDING or not source or not target or at is None:
            continue
        if source.usage == "internal" or target.usage != "internal" or not target.warehouse_id:
            continue
        days = sums.setdefault(target.warehouse_id, {})
        days[at.date()] = days.get(at.date(), _NONE) + number(move.product_qty)
    return {
        key: tuple(IncomingStock(days[day], day) for day in sorted(days))
        for key, days in sums.items()
    }


def _warehouse(row: _Warehouse) -> Warehouse:
    country = row.partner_id.country_id if row.partner_id else False
    return Warehouse(row.code, row.name, text(country.code) if country else None)


def _unknown(product: Product, freshness: Freshness) -> Availability:
    gone = not (product.active and product.sale_ok)
    status = AvailabilityStatus.DISCONTINUED if gone else AvailabilityStatus.UNKNOWN
    return Availability(status, _NONE, freshness, _unit(product))


def _unit(product: Product) -> str | None:
    return text(product.uom_id.display_name) if product.uom_id else None


def _lead_time(product: Product) -> int | None:
    return None if product.sale_delay is False else int(product.sale_delay)


if TYPE_CHECKING:
    _: type[Stock] = OdooStock
