"""Fifty callers of many scopes, their answers kept whole, and purges between.

Nobody gets what is another's, and nothing older than the last purge.
"""

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

from tests.gateway.http.counter import SKUS, Till, counter

CUSTOMERS = [f"C{n:02}" for n in range(50)]
SCOPES = (
    {"catalog:read"},
    {"catalog:read", "stock:read"},
    {"catalog:read", "prices:read"},
    {"catalog:read", "prices:read", "stock:read"},
    {"catalog:read", "prices:read", "stock:read", "orders:read"},
)
CALLERS = {f"app-{who}": (who, SCOPES[n % len(SCOPES)]) for n, who in enumerate(CUSTOMERS)}
# Two of one company, with other scopes than each other.
CALLERS |= {f"peer-{who}": (who, SCOPES[-1]) for who in CUSTOMERS[:10]}
REQUESTS = 4_000
AT_ONCE = 30

NAME = "catalog:read"
FIELDS = {
    NAME: "name",
    "stock:read": "availability { available }",
    "prices:read": "price { agreement }",
}


class Judge:
    def __init__(self, till: Till) -> None:
        self.till = till
        self.seen: Counter[str] = Counter()
        # Of each product, the version that was there when its last purge was over.
        self.purged: Counter[str] = Counter()

    async def ask(self) -> None:
        who = random.choice([None, *CALLERS])
        customer, scopes = CALLERS.get(who or "", (None, SCOPES[3]))
        sku, language = random.choice(SKUS), random.choice(("en", "fr"))
        wanted = random.sample(sorted(FIELDS), random.randint(1, 3))
        query = f'{{ product(sku: "{sku}") {{ {" ".join(FIELDS[one] for one in wanted)} }} }}'
        least = self.purged[sku]
        post = random.random() < 0.5
        ask = self.till.post if post else self.till.get
        answer = await ask(query, who, accept_language=language)
        self.seen["hit" if "; hit; ttl" in answer.headers["cache-status"] else "made"] += 1
        told = answer.json()
        if missing := set(wanted) - set(scopes):
            assert {one["extensions"]["code"] for one in told["errors"]} == {"FORBIDDEN"}, missing
            self.seen["refused"] += 1
            assert answer.headers["cache-control"] == "no-store"
        else:
            assert "errors" not in told
        self._judge(told["data"]["product"] or {}, sku, language, customer, least)

    def _judge(
        self, product: Any, sku: str, language: str, customer: str | None, least: int
    ) -> None:
        if name := product.get("name"):
            own, version, tongue = name.split()
            assert (own, tongue) == (sku, language)
            assert int(version) >= least
        if stock := product.get("availability"):
            assert int(stock["available"]) >= least
        if price := product.get("price"):
            assert price["agreement"] == str(customer)

    async def ask_orders(self) -> None:
        who = random.choice(list(CALLERS))
        customer, scopes = CALLERS[who]
        other = random.choice(CUSTOMERS)
        query = f'{{ order(number: "{other}-1") {{ number }} }}'
        told = (await self.till.post(query, who)).json()
        if "orders:read" not in scopes:
            assert told["errors"]
        expected = {"number": f"{other}-1"} if other == customer else None
        assert (told["data"] or {}).get("order") in (None, expected)
        self.seen["orders"] += 1

    async def change(self) -> None:
        sku = random.choice(SKUS)
        version = self.till.world.version[sku] = self.till.world.version[sku] + 1
        await self.till.purge(random.choice((f"product:{sku}", "upstream:shop", "role:catalog")))
        if random.random() < 0.5:
            return
        await self.till.purge(f"product:{sku}")
        self.purged[sku] = max(self.purged[sku], version)


async def test_fifty_callers_get_their_own_and_nothing_purged(tmp_path: Path) -> None:
    random.seed(20261127)
    async with counter(tmp_path, CALLERS) as till:
        judge = Judge(till)
        left = iter(range(REQUESTS))

        async def client() -> None:
            for _ in left:
                chance = random.random()
                if chance < 0.02:
                    await judge.change()
                elif chance < 0.1:
                    await judge.ask_orders()
                else:
                    await judge.ask()

        await asyncio.gather(*(client() for _ in range(AT_ONCE)))

    assert judge.seen["hit"] > REQUESTS / 10
    assert judge.seen["refused"] > REQUESTS / 20
    assert judge.purged.total() > 20


async def test_answers_from_memory_are_those_that_would_be_worked_out(tmp_path: Path) -> None:
    random.seed(20261128)
    queries = [
        f'{{ product(sku: "{sku}") {{ {" ".join(fields)} }} }}'
        for sku in SKUS
        for fields in (["name"], ["name", "price { agreement }"], ["id", *FIELDS.values()])
    ]
    async with counter(tmp_path, CALLERS) as till:
        hits = 0
        for _ in range(1_000):
            query, who = random.choice(queries), random.choice([None, *list(CALLERS)[:10]])
            kept = await till.post(query, who)
            made = await till.post(query, who, cache_control="no-store")
            if "errors" not in made.json():
                assert kept.content == made.content
            hits += "; hit; ttl" in kept.headers["cache-status"]
    assert hits > 300
