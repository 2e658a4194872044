"""What access costs: CPU a request beside the product query's, and the worst document's refusal.

Usage: python benchmarks/access.py [--requests N]
It starts `passerelle demo` on free ports of 127.0.0.1 and ends it.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from starlette.datastructures import Headers
from storefront import Demo, ask, body_of, cpu_seconds, demo

from gateway.access.key_ring import KeyRing, Order
from gateway.access.key_wiring import peppers_of, store_of
from gateway.access.observing import observed_of
from gateway.access.watch import Observed
from gateway.access.wiring import Access
from gateway.execution.answer import Answer
from gateway.settings import read
from ports.caller import Call
from resolvers.context import Context, Ports

PEPPER = "only-for-this-benchmark-" * 2
SCOPES = frozenset({"catalog:read", "prices:read", "stock:read"})
PRODUCT_COST = 60
ROUNDS = 20_000
PROBES = 5
PRICED = Observed(skus=("VIS-HEX-M8X40-A2",))
UNHURRIED = {"cost_per_second": 10**6, "burst": 10**8, "requests_per_second": 10**5}


@dataclass(frozen=True)
class Refusal:
    """Milliseconds of the slowest of PROBES; `healthz`: of the slowest `/healthz` meanwhile."""

    document: str
    answer: str
    refused_ms: float
    healthz_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000)
    requests = parser.parse_args().requests
    with demo() as running:
        product = asyncio.run(product_cpu(running, requests))
        access = asyncio.run(access_cpu(running))
        refusals = asyncio.run(refuse_all(running))
    show(product, access, refusals)


async def product_cpu(running: Demo, requests: int) -> float:
    """Microseconds of the gateway's CPU a warm product query that is run, by API key.

    What systems answered is kept; the whole answer is asked for anew.
    """
    headers = {**running.facts["headers"], "content-type": "application/json"}
    headers["cache-control"] = "no-cache"
    body = body_of("product", running.facts["examples"])
    async with aiohttp.ClientSession(headers=headers) as session:
        for _ in range(20):
            await ask(session, running.facts["graphql"], body)
        before = cpu_seconds(running.gateway_pid)
        for _ in range(requests):
            await ask(session, running.facts["graphql"], body)
    return (cpu_seconds(running.gateway_pid) - before) / requests * 1e6


async def access_cpu(running: Demo) -> dict[str, float]:
    """Microseconds of CPU that admitting, charging and watching one warm request takes."""
    with tempfile.TemporaryDirectory() as folder:
        tables: dict[str, Any] = {
            "access": {
                "anonymous": True,
                "issuers": {
                    "demo": {
                        "issuer": running.facts["issuer"],
                        "audience": "https://api.passerelle.example",
                    }
                },
                "keys": {"store": f"sqlite:{folder}/keys.db", "pepper": PEPPER},
            },
            "rates": dict.fromkeys(("application", "anonymous"), UNHURRIED),
        }
        settings = read(tables)
        store = store_of(settings.access.keys)
        order = Order("benchmark", SCOPES, frozenset({"C10001"}))
        key = (await KeyRing(store, peppers_of(settings.access.keys)).create(order)).secret
        await store.aclose()
        token = running.facts["tokens"]["storefront"]
        async with Access(settings) as access:
            return {
                "API key": await _spent(access, (b"x-api-key", key.encode())),
                "access token": await _spent(
                    access, (b"authorization", f"Bearer {token}".encode())
                ),
                "nobody known": await _spent(access),
            }


async def _spent(access: Access, *credentials: tuple[bytes, bytes]) -> float:
    """As the gateway does it for each request; by far the most are warm."""
    raw = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), *credentials]
    headers, scope = Headers(raw=raw), {"client": ("127.0.0.1", 1)}
    answer = Answer({}, [])
    await access.admit(headers, scope)
    before = time.process_time()
    for _ in range(ROUNDS):
        admitted = await access.admit(headers, scope)
        context = Context(Call(admitted.caller, "en", 0.0), Ports(), str, list)
        await access.take(context, PRODUCT_COST)
        access.watch.observe(admitted.caller.subject, observed_of(context, answer) or PRICED)
    return (time.process_time() - before) / ROUNDS * 1e6


def documents() -> Mapping[str, str]:
    """The slowest of each kind that is known; most are just below another limit."""
    return {**_valid_by_themselves(), **_wrong(), **_too_long()}


def _valid_by_themselves() -> Mapping[str, str]:
    """Refused for how much they ask."""
    chain = " ".join(f"fragment F{n} on Product {{ ...F{n + 1} ...F{n + 1} }}" for n in range(150))
    chain += " fragment F150 on Product { a: sku }"
    shared = " ".join(
        f"fragment F{n} on Product {{ {'model { variants { sku } } ' * 3} }}" for n in range(60)
    )
    spread = " ".join(f"...F{n}" for n in range(60))
    operations = " ".join(f"query Q{n} {{ ...F0 }}" for n in range(150))
    links = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(110))
    return {
        "fragments that double 150 times": _product("...F0") + f" {chain}",
        "240 times the same two levels": _product("model { variants { sku } } " * 240),
        "480 times the same level": _product("model { code } " * 480),
        "120 times the same five levels": _category("parent { " * 5 + "code " + "} " * 5, 120),
        "60 fragments that overlap": f"{_product(spread)} {shared}",
        "1,980 times the same field": _product("sku " * 1_980),
        "150 operations through 110 fragments": (
            f"{operations} {links} fragment F110 on Query {{ __typename }}"
        ),
        "lists in lists": "{ customers(first: 100) { nodes { orders(first: 100) { nodes { lines {"
        " sku } } } } } }",
    }


def _wrong() -> Mapping[str, str]:
    return {
        "1,900 unknown fields": _product(" ".join(f"name{n}" for n in range(1_900))),
        "200 unknown types": " ".join(
            f"fragment F{n} on ProductConnectionX{n} {{ sku }}" for n in range(200)
        ),
        "unknown types of 4,000 letters": " ".join(
            f"fragment F{n} on {'P' * 4_000}{n} {{ sku }}" for n in range(24)
        ),
        "210 conflicting arguments": _product(
            " ".join(f"related(first: {n}) {{ sku }}" for n in range(210))
        ),
        "640 times the same argument": f"{{ product({'sku: 1 ' * 640}) {{ sku }} }}",
        "1,800 unknown values": (
            f"{{ orders(filter: {{status: [{'SHIPPE ' * 1_800}]}}) {{ totalCount }} }}"
        ),
        "240 wrong objects": f"{{ basket(lines: [{'{skux: 1 q: 2} ' * 240}]) {{ orderable }} }}",
    }


def _too_long() -> Mapping[str, str]:
    variables = " ".join(f"$v{n}: Int" for n in range(5_000))
    return {
        "20,000 fields": _product("sku " * 20_000),
        "1,000 operations": " ".join(f"query Q{n} {{ __typename }}" for n in range(1_000)),
        "5,000 variables": f"query({variables}) {{ __typename }}",
        "40,000 braces": "{" * 40_000,
        "400 levels": _product("... on Product { " * 400 + "sku " + "} " * 400),
        "a string of escapes": _product("sku", "\\u0041" * 13_000) + " {",
    }


def _product(fields: str, sku: str = "x") -> str:
    return f'{{ product(sku: "{sku}") {{ {fields} }} }}'


def _category(fields: str, times: int) -> str:
    return f'{{ category(code: "x") {{ {fields * times} }} }}'


async def refuse_all(running: Demo) -> list[Refusal]:
    headers = {**running.facts["headers"], "content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        return [
            await refuse(session, running.facts["graphql"], name, text)
            for name, text in documents().items()
        ]


async def refuse(session: aiohttp.ClientSession, url: str, name: str, text: str) -> Refusal:
    body = json.dumps({"query": text}).encode()
    health = url.removesuffix("/graphql") + "/healthz"
    refused, alive, told = 0.0, 0.0, ""
    for _ in range(PROBES):
        attack = asyncio.create_task(_timed(lambda: _code(session, url, body)))
        while not attack.done():
            taken, _ = await _timed(lambda: _healthy(session, health))
            alive = max(alive, taken)
        taken, told = await attack
        refused = max(refused, taken)
    return Refusal(name, told, refused, alive)


async def _timed(question: Callable[[], Awaitable[str]]) -> tuple[float, str]:
    begun = time.monotonic()
    told = await question()
    return (time.monotonic() - begun) * 1000, told


async def _code(session: aiohttp.ClientSession, url: str, body: bytes) -> str:
    async with session.post(url, data=body) as answer:
        found = await answer.json(content_type=None)
    if not found.get("errors"):
        raise SystemExit("a document that should be refused was served")
    code: str = found["errors"][0]["extensions"]["code"]
    return code


async def _healthy(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as answer:
        return (await answer.read()).decode()


def show(product: float, access: Mapping[str, float], refusals: list[Refusal]) -> None:
    print(f"product query: {product:.0f} us CPU a request\n")
    print("| caller | access, us CPU a request | share of the product query |\n|---|---|---|")
    for name, spent in access.items():
        print(f"| {name} | {spent:.0f} | {spent / product:.1%} |")
    print(
        "\n| document | answer | refused within ms | `/healthz` meanwhile ms |\n|---|---|---|---|"
    )
    for one in sorted(refusals, key=lambda one: -one.refused_ms):
        print(f"| {one.document} | {one.answer} | {one.refused_ms:.0f} | {one.healthz_ms:.0f} |")


if __name__ == "__main__":
    main()
