"""How cost grows: with the answer, with distinct documents, with requests in flight, with workers.

Usage: python benchmarks/growth.py [products] [documents] [flights] [workers]
Without a name all four. The first three run in this process on systems in memory; the last starts
`passerelle serve` on a free port of 127.0.0.1 and ends it.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from memory import QUERIES, VARIABLES, Gateway, Systems
from storefront import cpu_seconds, free_port

from gateway.cli.memory import keep_memory
from schema.build import schema

ROUNDS = 7
SIZES = (1, 10, 100, 1_000, 10_000)
DOCUMENTS = (1, 10, 100, 1_000)
FLIGHTS = (1, 100, 1_000)
SECONDS_OF_LOAD = 4


def main() -> None:
    tables: dict[str, Callable[[], None]] = {
        "products": lambda: asyncio.run(products()),
        "documents": lambda: asyncio.run(documents()),
        "flights": lambda: asyncio.run(flights()),
        "workers": workers,
    }
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", help=", ".join(tables))
    names = parser.parse_args().tables or list(tables)
    like_a_server()
    for name in names:
        tables[name]()
        print()


def like_a_server() -> None:
    """As `gateway.cli.serving` does before it serves."""
    keep_memory()
    schema()
    gc.collect()
    gc.freeze()
    gc.set_threshold(25_000, 5, 400)


def row(*cells: object) -> None:
    print("|", " | ".join(map(str, cells)), "|")


def head(*cells: str) -> None:
    row(*cells)
    print("|" + "---|" * len(cells))


async def products() -> None:
    """Q4 with pages of any size."""
    gateway, first = Gateway(Systems(max(SIZES))), 0.0
    head("products", "CPU ms", "us a product", "x one of 100")
    rows = []
    for size in SIZES:
        took = min([await cpu(gateway, QUERIES["Q4"], {"size": size}) for _ in range(ROUNDS)])
        rows.append((size, took))
        first = took / size if size == 100 else first
    for size, took in rows:
        row(
            f"{size:,}",
            f"{took * 1e3:.3f}",
            f"{took / size * 1e6:.2f}",
            f"{took / size / first:.2f}",
        )


async def documents() -> None:
    """Documents of the same form that differ in an article number, and documents of other forms."""
    head(
        "distinct documents",
        "differ in",
        "us a first request",
        "us a later request",
        "plans compiled",
    )
    systems = Systems(max(DOCUMENTS))
    for what, text in (("a literal", literal), ("the fields", fields)):
        for count in DOCUMENTS:
            gateway = Gateway(systems)
            texts = [text(number) for number in range(count)]
            await gateway.ask("{ __typename }")  # the schema's own caches are warm
            before = 0 if gateway.plans is None else gateway.plans.compiled
            first = await each(gateway, texts)
            again = min([await each(gateway, texts) for _ in range(ROUNDS)])
            made = 0 if gateway.plans is None else gateway.plans.compiled - before
            row(f"{count:,}", what, f"{first * 1e6:.0f}", f"{again * 1e6:.0f}", made)


def literal(number: int) -> str:
    return (
        f'{{ product(sku: "P{number:06d}") {{ sku name brand gtin family price {{ unit {{ net '
        "{ amount currency } } } availability { available } } }"
    )


def fields(number: int) -> str:
    return literal(0).replace("sku name", f"a{number}: sku name")


async def each(gateway: Gateway, texts: Sequence[str]) -> float:
    began = time.process_time()
    for text in texts:
        await gateway.ask(text)
    return (time.process_time() - began) / len(texts)


class Held(Systems):
    """Every listing waits until it is let go."""

    def __init__(self) -> None:
        super().__init__(100)
        self.awaited = 0
        self.all = asyncio.Event()
        self.go = asyncio.Event()

    def close(self, awaited: int) -> None:
        self.awaited = awaited
        self.all.clear()
        self.go.clear()

    async def search(self, *asked: Any, **more: Any) -> Any:
        self.awaited -= 1
        if not self.awaited:
            self.all.set()
        await self.go.wait()
        return await super().search(*asked, **more)


async def flights() -> None:
    """Q2 held by its first system: what an operation holds while it waits, and what it leaves."""
    head("in flight", "KiB each waiting", "KiB each at the peak", "bytes each left, once more")
    for count in FLIGHTS:
        systems = Held()
        gateway = Gateway(systems)
        await flight(gateway, systems, count)
        tracemalloc.start()
        _, _, before = await flight(gateway, systems, count)
        waiting, peak, left = await flight(gateway, systems, count)
        tracemalloc.stop()
        sizes = ((waiting - before) / 1024, (peak - before) / 1024)
        row(
            f"{count:,}", *(f"{one / count:.1f}" for one in sizes), f"{(left - before) / count:.0f}"
        )


async def flight(gateway: Gateway, systems: Held, count: int) -> tuple[int, int, int]:
    """Bytes while all wait, at the most, and when all are over."""
    systems.close(count)
    asked = [asyncio.create_task(sized(gateway)) for _ in range(count)]
    await systems.all.wait()
    waiting = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    systems.go.set()
    await asyncio.gather(*asked)
    peak = tracemalloc.get_traced_memory()[1]
    del asked
    gc.collect()
    return waiting, peak, tracemalloc.get_traced_memory()[0]


async def sized(gateway: Gateway) -> int:
    """As a server does: the answer is written and forgotten."""
    return len((await gateway.ask(QUERIES["Q2"], dict(VARIABLES["Q2"]))).errors)


async def cpu(gateway: Gateway, query: str, variables: dict[str, object]) -> float:
    began = time.process_time()
    await gateway.ask(query, variables)
    return time.process_time() - began


def workers() -> None:
    """`{ __typename }` through HTTP, access, limits and engine, from a process of its own."""
    head("workers", "requests/s", "CPU us a request", "requests a second of CPU, all workers")
    cores = os.cpu_count() or 1
    for count in (1, 2):
        with served(count) as (url, pids):
            before = sum(map(cpu_seconds, pids))
            done = load(url, clients=max(1, cores - 1))
            used = sum(map(cpu_seconds, pids)) - before
        row(
            count,
            f"{done / SECONDS_OF_LOAD:,.0f}",
            f"{used / done * 1e6:.0f}",
            f"{done / used * count:,.0f}",
        )


@contextmanager
def served(count: int) -> Iterator[tuple[str, list[int]]]:
    """A gateway in front of nothing, with the processes it is made of."""
    with tempfile.TemporaryDirectory() as folder:
        config, port = Path(folder) / "passerelle.toml", free_port()
        # Limits are looked at, and never reached.
        most = "".join(
            f"{name} = 1_000_000\n" for name in ("cost_per_second", "burst", "requests_per_second")
        )
        config.write_text(f"[access]\nanonymous = true\n[rates.anonymous]\n{most}")
        passerelle = Path(sys.executable).with_name("passerelle")
        command = [passerelle, "serve", "--config", config, "--port", str(port)]
        process = subprocess.Popen(
            [*command, "--workers", str(count)],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            asyncio.run(wait_for(url))
            time.sleep(1)  # the other workers
            yield url, [process.pid, *children(process.pid)]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(one) for one in found.split()]


async def wait_for(url: str) -> None:
    limit = time.monotonic() + 20
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < limit:
            try:
                async with session.get(f"{url}/healthz"):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
    raise SystemExit("the gateway did not start")


def load(url: str, clients: int) -> int:
    """How many requests are answered meanwhile; each client is a process, with 32 connections."""
    with multiprocessing.get_context("spawn").Pool(clients) as pool:
        return sum(pool.map(loading, [url] * clients))


def loading(url: str) -> int:
    return asyncio.run(_loading(url))


async def _loading(url: str) -> int:
    done, until = 0, time.monotonic() + SECONDS_OF_LOAD
    async with aiohttp.ClientSession() as session:

        async def client() -> None:
            nonlocal done
            while time.monotonic() < until:
                async with session.post(f"{url}/graphql", json={"query": "{ __typename }"}) as told:
                    await told.read()
                    assert told.status == 200, await told.text()
                done += 1

        await asyncio.gather(*(client() for _ in range(32)))
    return done


if __name__ == "__main__":
    main()
