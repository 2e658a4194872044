"""What lies in three warehouses, and what is on its way to them."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from random import Random

from sandbox.world import IncomingMove, Item, Quant, Warehouse

WAREHOUSES = (
    Warehouse(1, "LYO", "Lyon", "FR", 8),
    Warehouse(2, "LIL", "Lille", "FR", 18),
    Warehouse(3, "KAR", "Karlsruhe", "DE", 28),
)


def quants(items: list[Item], example: str, rng: Random) -> tuple[Quant, ...]:
    """None for what is made to order; some products are out of stock everywhere."""
    numbers = count(1)
    rows = []
    for item in items:
        if not item.tracked:
            continue
        empty = item.sku != example and rng.random() < 0.06  # noqa: PLR2004 - sold out everywhere
        for warehouse in WAREHOUSES:
            if item.sku == example:
                held = {1: 4200, 2: 850, 3: 0}[warehouse.id]
            elif rng.random() < 0.12:  # noqa: PLR2004 - not kept in this warehouse
                continue
            else:
                held = 0 if empty else _quantity(item, rng)
            reserved = held // 10 if item.sku == example else int(held * rng.random() * 0.4)
            rows.append(
                Quant(next(numbers), item.erp_id, warehouse.id, Decimal(held), Decimal(reserved))
            )
    return tuple(rows)


def _quantity(item: Item, rng: Random) -> int:
    most = 5000 if item.list_price < 1 else 400 if item.list_price < 20 else 40  # noqa: PLR2004
    return int(most * rng.random() ** 2)


def incoming(
    items: list[Item], example: str, now: datetime, rng: Random
) -> tuple[IncomingMove, ...]:
    numbers = count(1)
    rows = []
    for item in items:
        draws = 2 if item.sku == example else int(item.tracked and rng.random() < 0.25)  # noqa: PLR2004
        for place in range(draws):
            warehouse = place + 1 if item.sku == example else rng.choice(WAREHOUSES).id
            amount = 2000 if item.sku == example else max(10, _quantity(item, rng))
            expected = now + timedelta(days=4 + 9 * place + rng.randint(0, 20), hours=9)
            rows.append(
                IncomingMove(next(numbers), item.erp_id, warehouse, Decimal(amount), expected)
            )
    return tuple(rows)
