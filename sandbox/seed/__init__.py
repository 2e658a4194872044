"""The seed: grows the whole company from one number. Every moment is relative to `now`."""

from datetime import UTC, datetime
from random import Random

from sandbox.seed import parties, pricing, stock, trade
from sandbox.seed.attributes import attributes, categories, families
from sandbox.seed.catalog import EXAMPLE_CATEGORY, EXAMPLE_SKU, grow
from sandbox.seed.fates import EXAMPLE_FATE, plans
from sandbox.world import Examples, World


def build(seed: int = 7, now: datetime | None = None) -> World:
    """The same world for the same `seed` and `now` (default: the last midnight, UTC)."""
    now = now or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    tree, sellers = categories(), parties.owners()
    catalog = grow(Random(f"{seed}:catalog"), now)
    companies = parties.companies(Random(f"{seed}:parties"), sellers)
    story = plans(companies, now, Random(f"{seed}:fates"))
    books = trade.write(story, catalog.items, now, Random(f"{seed}:trade"))
    rng = Random(f"{seed}:stock")
    return World(
        now=now,
        categories=tree,
        attributes=attributes(),
        families=families(),
        models=tuple(catalog.models.values()),
        items=tuple(catalog.items),
        media=catalog.media,
        companies=companies,
        owners=sellers,
        price_lists=pricing.price_lists(),
        price_rules=pricing.price_rules(catalog.items, tree, EXAMPLE_SKU, now),
        currency_rates=pricing.CURRENCY_RATES,
        warehouses=stock.WAREHOUSES,
        quants=stock.quants(catalog.items, EXAMPLE_SKU, rng),
        incoming=stock.incoming(catalog.items, EXAMPLE_SKU, now, rng),
        orders=tuple(books.orders),
        deliveries=tuple(books.deliveries),
        invoices=tuple(books.invoices),
        parcels=tuple(books.parcels),
        examples=_examples(books),
    )


def _examples(books: trade.Books) -> Examples:
    """The order of the story, and the number of its parcel."""
    own = [order for order in books.orders if order.company == parties.EXAMPLE_CUSTOMER]
    order = own[-1 - EXAMPLE_FATE]
    delivery = next(row for row in books.deliveries if row.order == order.id)
    return Examples(
        sku=EXAMPLE_SKU,
        category=EXAMPLE_CATEGORY,
        customer=parties.EXAMPLE_CUSTOMER,
        order=order.number,
        tracking_number=delivery.tracking_number or "",
    )
