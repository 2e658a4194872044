"""CPU of the gateway a request: whole answers from memory, made of kept parts, and made anew.

Usage: python benchmarks/response_cache.py [--requests N] [--clients N]
It starts `passerelle demo` on free ports of 127.0.0.1 and ends it.
"""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp
from storefront import Demo, cpu_seconds, demo

PRODUCT = """query($sku: String!) { product(sku: $sku) { sku name brand description
price { unit { net { amount currency } } } availability { status available } } }"""
LISTING = """query($category: String!) { category(code: $category) { code name
products(first: 24) { totalCount edges { node { sku name brand
price { unit { net { amount currency } } } availability { status available } } } } } }"""
QUERIES = {"product": (PRODUCT, "sku"), "listing of 24": (LISTING, "category")}


@dataclass(frozen=True)
class Row:
    """Microseconds of the gateway's CPU a request."""

    what: str
    cpu: float
    size: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=16)
    options = parser.parse_args()
    with demo() as running:
        rows = asyncio.run(measure_all(running, options.requests, options.clients))
    print("| request | CPU us | bytes | x health check |\n|---|---|---|---|")
    for row in rows:
        print(f"| {row.what} | {row.cpu:.0f} | {row.size} | {row.cpu / rows[0].cpu:.1f} |")


Ask = Callable[[int], Awaitable[int]]


@dataclass(frozen=True)
class Bench:
    """A client of the running demo."""

    running: Demo
    session: aiohttp.ClientSession
    clients: int

    async def row(self, what: str, ask: Ask, requests: int) -> Row:
        size = await ask(0)
        before = cpu_seconds(self.running.gateway_pid)
        left = iter(range(requests))

        async def client() -> None:
            for one in left:
                await ask(one)

        await asyncio.gather(*(client() for _ in range(self.clients)))
        used = cpu_seconds(self.running.gateway_pid) - before
        return Row(what, used / requests * 1e6, size)

    def asking(self, query: str, variables: Mapping[str, str], headers: Mapping[str, str]) -> Ask:
        body = json.dumps({"query": query, "variables": variables}).encode()
        url, sent = self.running.facts["graphql"], {"accept-encoding": "identity", **headers}

        async def ask(_: int) -> int:
            async with self.session.post(url, data=body, headers=sent) as answer:
                return len(await answer.read())

        return ask

    async def healthy(self, _: int) -> int:
        url = self.running.facts["graphql"].replace("/graphql", "/healthz")
        async with self.session.get(url) as answer:
            return len(await answer.read())

    async def rows(self, name: str, requests: int) -> list[Row]:
        query, example = QUERIES[name]
        variables = {example: self.running.facts["examples"][example]}
        anew = query.replace(") {", ") @fresh(maxAge: 0) {", 1)
        ways: tuple[tuple[str, str, dict[str, str], int], ...] = (
            ("from memory", query, {}, requests),
            ("from memory, gzip", query, {"accept-encoding": "gzip"}, requests),
            ("of kept parts", query, {"cache-control": "no-cache"}, requests // 4),
            ("made anew", anew, {}, max(50, requests // 20)),
        )
        return [
            await self.row(f"{name}: {how}", self.asking(text, variables, headers), number)
            for how, text, headers, number in ways
        ]


async def measure_all(running: Demo, requests: int, clients: int) -> list[Row]:
    headers = {**running.facts.get("headers", {}), "content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers, auto_decompress=False) as session:
        bench = Bench(running, session, clients)
        rows = [await bench.row("`/healthz`", bench.healthy, requests)]
        for name in QUERIES:
            rows += await bench.rows(name, requests)
    return rows


if __name__ == "__main__":
    main()
