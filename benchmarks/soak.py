"""Ten minutes of a shop's day against the sandbox: whether the gateway's memory stays where it is.

Usage: python benchmarks/soak.py [--seconds N] [--warm-up N] [--rate N]
It starts `passerelle demo` on free ports of 127.0.0.1 and ends it. Many customers ask the storefront
queries at a bounded pace while 5 % of all systems' answers are errors, something is purged each
second, and the ERP is out for a tenth of the time; before that, in a warm-up, the same in short, so
that all that happens later has happened once. Ends with 1 where memory grew by 5 % or more.
"""

import argparse
import asyncio
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import aiohttp
from storefront import QUERIES, Demo, demo, resident_mib

SYSTEMS = ("akeneo", "odoo", "hubspot", "dhl", "ups")
CUSTOMERS = 12
CATEGORIES = ("screws", "belts", "cutting")
SAMPLE_SECONDS = 5.0
GROWTH = 0.05
# So many samples at each end are compared by their medians.
ENDS = 6
MOST_AT_ONCE = 400
# What is asked, and how often beside the others.
MIX = {"product": 55, "listing": 10, "tracking": 14, "order-history": 6, "fresh": 12, "wrong": 3}
FRESH = """query($sku: String!, $customer: String!)
@fresh(maxAge: 0) @inContext(customer: $customer) {
  product(sku: $sku) { name price { unit { net { amount } } } availability { available } }
}"""
SKUS = "query($key: String!) { category(code: $key) { products(first: 24) { nodes { sku } } } }"
PARCELS = """query($key: String!) {
  customer(number: $key) { orders(first: 20) { nodes { shipments { trackingNumber } } } }
}"""
WRONG = "query($sku: String!) { product(sku: $sku) { name nonsense%d } }"


@dataclass
class Seen:
    """Resident MiB by seconds since the start; answers by kind; their milliseconds."""

    memory: list[tuple[float, float]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    purges: int = 0


class Shop:
    """Those who ask the gateway; `open` tells them what for."""

    def __init__(self, session: aiohttp.ClientSession, running: Demo) -> None:
        self._session = session
        self._facts = running.facts
        self._url = running.facts["graphql"]
        self._control = running.facts["sandbox"] + "/_control"
        self._staff = {"authorization": f"Bearer {running.facts['tokens']['staff']}"}
        self._queries = {
            name: _for_customer((QUERIES / f"{name}.graphql").read_text())
            for name in ("product", "listing", "tracking", "order-history")
        }
        self.customers: Sequence[str] = ()
        self.skus: Sequence[str] = ()
        self.parcels: Sequence[str] = ()

    async def open(self) -> None:
        """Learns who and what there is."""
        told = await self._data(f"{{ customers(first: {CUSTOMERS}) {{ nodes {{ number }} }} }}")
        self.customers = [one["number"] for one in told["customers"]["nodes"]]
        skus, parcels = [], []
        for code in CATEGORIES:
            found = await self._data(SKUS, key=code)
            skus += [one["sku"] for one in found["category"]["products"]["nodes"]]
        self.skus = skus
        for number in self.customers[:5]:
            found = await self._data(PARCELS, key=number)
            orders = found["customer"]["orders"]["nodes"]
            parcels += [one["trackingNumber"] for order in orders for one in order["shipments"]]
        self.parcels = [one for one in parcels if one]

    async def ask(self, seen: Seen) -> None:
        kind = random.choices(list(MIX), list(MIX.values()))[0]
        customer = random.choice(self.customers)
        variables = {"customer": customer, **self._variables(kind)}
        body = {"query": self._query(kind), "variables": variables}
        begun = time.monotonic()
        async with self._session.post(self._url, json=body, headers=self._staff) as answer:
            content = await answer.read()
        seen.times.append((time.monotonic() - begun) * 1000)
        seen.kinds[kind] += 1
        seen.outcomes[_outcome(answer.status, content)] += 1

    async def purge(self) -> None:
        products = [f"product:{sku}" for sku in random.sample(self.skus, 6)]
        tag = random.choice((*products, "role:stock", "upstream:pim"))
        key = {"x-api-key": self._facts["api_keys"]["developer"]}
        url = self._facts["graphql"].replace("/graphql", "/admin/cache/purge")
        async with self._session.post(url, json={"tags": [tag]}, headers=key) as answer:
            answer.raise_for_status()

    async def breaks(self, system: str, **fault: Any) -> None:
        async with self._session.put(f"{self._control}/faults/{system}", json=fault) as answer:
            answer.raise_for_status()

    def _query(self, kind: str) -> str:
        if kind == "wrong":
            return WRONG % random.randrange(10**9)
        return FRESH if kind == "fresh" else self._queries[kind]

    def _variables(self, kind: str) -> dict[str, str]:
        if kind == "listing":
            return {"category": random.choice(CATEGORIES)}
        if kind == "tracking":
            return {"trackingNumber": random.choice(self.parcels)}
        return {} if kind == "order-history" else {"sku": random.choice(self.skus)}

    async def _data(self, query: str, **variables: str) -> Any:
        body = {"query": query, "variables": variables}
        async with self._session.post(self._url, json=body, headers=self._staff) as answer:
            return (await answer.json())["data"]


def _for_customer(query: str) -> str:
    """The query, asked for a customer that its variables name."""
    head, _, rest = query.partition("{")
    if "$customer" not in head:
        head = head.replace("(", "($customer: String!, ", 1)
    return f"{head}@inContext(customer: $customer) {{{rest}"


def _outcome(status: int, content: bytes) -> str:
    if status != 200:
        return f"HTTP {status}"
    if b'"errors"' not in content[:20]:
        return "good"
    codes = {one["extensions"]["code"] for one in json.loads(content)["errors"]}
    return ", ".join(sorted(codes))


async def soak(running: Demo, warm_up: float, seconds: float, rate: float) -> Seen:
    seen = Seen()
    connector = aiohttp.TCPConnector(limit=MOST_AT_ONCE)
    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        shop = Shop(session, running)
        await shop.open()
        begun = time.monotonic()
        last = begun + warm_up + seconds
        async with asyncio.TaskGroup() as group:
            group.create_task(_asking(shop, seen, last, rate))
            group.create_task(_purging(shop, seen, last))
            group.create_task(_breaking(shop, begun, (warm_up, seconds)))
            group.create_task(_weighing(running, seen, begun, last))
    return seen


async def _asking(shop: Shop, seen: Seen, last: float, rate: float) -> None:
    begun, sent = time.monotonic(), 0
    tasks: set[asyncio.Task[None]] = set()
    while (now := time.monotonic()) < last:
        due = int((now - begun) * rate) - sent
        sent += due
        for _ in range(min(due, MOST_AT_ONCE - len(tasks))):
            task = asyncio.create_task(shop.ask(seen))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(1 / rate)
    await asyncio.gather(*tasks)


async def _purging(shop: Shop, seen: Seen, last: float) -> None:
    while time.monotonic() < last:
        await shop.purge()
        seen.purges += 1
        await asyncio.sleep(1)


async def _breaking(shop: Shop, begun: float, stretches: Sequence[float]) -> None:
    """All systems fail a little; the ERP wholly, for a tenth in the midst of each stretch."""
    for system in SYSTEMS:
        await shop.breaks(system, error_rate=0.05)
    for seconds in stretches:
        await asyncio.sleep(max(0.0, begun + seconds * 0.45 - time.monotonic()))
        await shop.breaks("odoo", status=503)
        await asyncio.sleep(seconds * 0.1)
        await shop.breaks("odoo", error_rate=0.05)
        begun += seconds


async def _weighing(running: Demo, seen: Seen, begun: float, last: float) -> None:
    while (now := time.monotonic()) < last:
        seen.memory.append((now - begun, resident_mib(running.gateway_pid)))
        await asyncio.sleep(SAMPLE_SECONDS)


def growth(seen: Seen, warm_up: float) -> float:
    """Of what is resident, from the end of the warm-up to the end of all."""
    samples = [size for at, size in seen.memory if at >= warm_up]
    return median(samples[-ENDS:]) / median(samples[:ENDS]) - 1


def show(seen: Seen, warm_up: float, write: Callable[[str], object]) -> None:
    write("seconds: MiB  " + "  ".join(f"{at:.0f}: {size:.1f}" for at, size in seen.memory[::6]))
    count, times = sum(seen.kinds.values()), sorted(seen.times)
    late = [size for at, size in seen.memory if at >= warm_up]
    rows = {
        "questions": f"{count}; {dict(seen.kinds)}",
        "answers": ", ".join(f"{kind} {many / count:.2%}" for kind, many in _most(seen.outcomes)),
        "p50, p99": f"{times[count // 2]:.1f} ms, {times[int(count * 0.99)]:.1f} ms",
        "purges": str(seen.purges),
        "most memory beside that after the warm-up": f"{max(late) / median(late[:ENDS]) - 1:+.1%}",
        "memory grew after the warm-up by (wanted < 5 %)": f"{growth(seen, warm_up):+.1%}",
    }
    write("\n| what | measured |\n|---|---|")
    for name, told in rows.items():
        write(f"| {name} | {told} |")


def _most(counted: Counter[str]) -> Sequence[tuple[str, int]]:
    return counted.most_common(8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--warm-up", type=float, default=180)
    parser.add_argument("--rate", type=float, default=60, help="questions a second")
    options = parser.parse_args()
    random.seed(4)
    with demo() as running:
        seconds, rate = min(3600.0, options.seconds), min(200.0, options.rate)
        seen = asyncio.run(soak(running, options.warm_up, seconds, rate))
    show(seen, options.warm_up, print)
    sys.exit(growth(seen, options.warm_up) >= GROWTH)


if __name__ == "__main__":
    main()
