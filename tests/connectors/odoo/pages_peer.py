"""The sandbox's Odoo with its stock nested in products, as the real one has it."""

import functools
from dataclasses import replace
from typing import Any

from connectors.odoo.prices import OdooPricing
from connectors.odoo.products import Products
from connectors.odoo.stock import OdooStock
from sandbox.odoo.loading import loaded
from sandbox.odoo.schema import Field
from sandbox.odoo.server import Server
from sandbox.odoo.store import Store
from sandbox.world import World
from tests.connectors.odoo.documents_peer import Peer, client, world

_NESTED = {"stock_quant_ids": "stock.quant", "stock_move_ids": "stock.move"}
_REFERENCE = ("fields_get", "res.currency", "res.lang", "stock.warehouse", "product.pricelist/")
_GROUPS = "/json/2/product.pricelist.item/formatted_read_group"


def nested(store: Store) -> Store:
    """Gives products their quants and moves, where the store does not link them itself."""
    products = store["product.product"]
    for name, model in _NESTED.items():
        if name in products.model.fields:
            continue
        field = Field(name, "one2many", name, model, "product_id")
        products.model = replace(products.model, fields={**products.model.fields, name: field})
        held = store[model].index("product_id")
        for key, row in products.rows.items():
            row[name] = tuple(held.get(key, ()))
    return store


@functools.cache
def _server() -> Server:
    return server(world())


def server(of: World) -> Server:
    return Server(nested(loaded(of, "http://erp.test")))


def nesting_peer(**settings: Any) -> Peer:
    return Peer(server=_server(), **settings)


def live_calls(peer: Peer) -> list[str]:
    """The paths asked, without those that are reference."""
    return [
        path.removeprefix("/json/2/")
        for path, times in peer.calls.items()
        for _ in range(times)
        if path != _GROUPS and not any(each in path for each in _REFERENCE)
    ]


def page(peer: Any, **settings: object) -> tuple[OdooPricing, OdooStock]:
    """Pricing and stock of one connector, which share their reading of products."""
    odoo = client(peer, **settings)
    products = Products(odoo)
    return OdooPricing(odoo, products), OdooStock(odoo, products)
