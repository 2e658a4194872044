"""The whole database of the sandbox's Odoo, from the world's facts."""

from sandbox.odoo import (
    forecasts,
    tables_partners,
    tables_products,
    tables_reference,
    tables_sales,
    tables_stock,
)
from sandbox.odoo.ordering import arranged
from sandbox.odoo.store import Env, Store
from sandbox.world import World


def loaded(world: World, base_url: str) -> Store:
    store = Store()
    tables_reference.load(store, world, base_url)
    tables_partners.load(store, world)
    tables_products.load(store, world)
    tables_sales.load(store, world)
    tables_stock.load(store, world)
    tables_sales.load_invoices(store, world)
    _link(Env(store, {}, world.now))
    tables_sales.settle(store)
    forecasts.tally(store)
    for table in store:
        table.forget()
    return store


def _link(env: Env) -> None:
    """Fills one2many fields from their inverse, in the order of the records they hold."""
    for table in env.store:
        for field in table.model.fields.values():
            if field.type != "one2many" or not field.relation or not field.inverse:
                continue
            held: dict[int, list[int]] = {}
            comodel = env.store[field.relation]
            for row in arranged(env, comodel, list(comodel), None):
                held.setdefault(row.get(field.inverse, False), []).append(row["id"])
            for key, row in table.rows.items():
                row[field.name] = tuple(held.get(key, ()))
