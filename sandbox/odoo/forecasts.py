"""Quantities of products: on hand, free, incoming, outgoing, forecast, per warehouse of the call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.odoo.store import Env, Store

_PENDING = frozenset({"waiting", "confirmed", "partially_available", "assigned"})


@dataclass(slots=True)
class Held:
    """Of one product in one location."""

    quantity: float = 0.0
    reserved: float = 0.0
    incoming: float = 0.0
    outgoing: float = 0.0


def tally(store: Store) -> None:
    """Sums quants and pending moves once, when the tables are complete."""
    stock: dict[int, dict[int, Held]] = {}

    def held(product: int, location: int) -> Held:
        return stock.setdefault(product, {}).setdefault(location, Held())

    for quant in store["stock.quant"]:
        entry = held(quant["product_id"], quant["location_id"])
        entry.quantity += quant["quantity"]
        entry.reserved += quant["reserved_quantity"]
    for move in store["stock.move"]:
        if move["state"] in _PENDING:
            held(move["product_id"], move["location_dest_id"]).incoming += move["product_qty"]
            held(move["product_id"], move["location_id"]).outgoing += move["product_qty"]
    store.stock = stock


def forecasts(env: Env, products: Iterable[int]) -> Mapping[str, float]:
    """Only the key `warehouse_id` narrows the sum (or `location`): the older `warehouse` does not."""
    total = Held()
    rows = env.store["product.product"].rows
    scope = _scope(env)
    for product in products:
        if not rows[product].get("is_storable"):
            continue
        for location, held in env.store.stock.get(product, {}).items():
            if location in scope:
                total.quantity += held.quantity
                total.reserved += held.reserved
                total.incoming += held.incoming
                total.outgoing += held.outgoing
    return {
        "qty_available": total.quantity,
        "free_qty": total.quantity - total.reserved,
        "incoming_qty": total.incoming,
        "outgoing_qty": total.outgoing,
        "virtual_available": total.quantity + total.incoming - total.outgoing,
    }


def _asked(value: Any) -> list[int]:
    return [int(each) for each in (value if isinstance(value, list) else [value])]


def _scope(env: Env) -> frozenset[int]:
    """The internal locations of the warehouses (or below the locations) that the call names."""
    table = env.store["stock.location"]
    inside = [row for row in table if row["usage"] in {"internal", "transit"}]
    if location := env.context.get("location"):
        roots = [table.rows[key]["parent_path"] for key in _asked(location) if key in table.rows]
        inside = [row for row in inside if row["parent_path"].startswith(tuple(roots))]
    elif warehouse := env.context.get("warehouse_id"):
        houses = set(_asked(warehouse))
        inside = [row for row in inside if row["warehouse_id"] in houses]
    return frozenset(row["id"] for row in inside)
