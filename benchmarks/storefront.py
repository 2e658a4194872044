"""The four storefront queries against the sandbox: requests/s, CPU a request, upstream calls.

Usage: python benchmarks/storefront.py [--requests N] [--clients N] [--json]
It starts `passerelle demo` on free ports of 127.0.0.1 and ends it.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).parents[1]
QUERIES = ROOT / "gateway" / "http" / "queries"
VARIABLES = {
    "product": {"sku": "sku"},
    "listing": {"category": "category"},
    "order-history": {"customer": "customer"},
    "tracking": {"trackingNumber": "trackingNumber"},
}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    """One query: `cpu_ms` is the gateway's own CPU a request, `calls` upstream calls a request."""

    query: str
    requests_per_second: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    calls: dict[str, float]
    bytes: int


@dataclass(frozen=True)
class Demo:
    gateway_pid: int
    facts: Mapping[str, Any]
    startup_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with demo() as running:
        rows = asyncio.run(measure_all(running, options.requests, options.clients))
        memory = resident_mib(running.gateway_pid)
    if options.json:
        report = {"startup_seconds": running.startup_seconds, "memory_mib": memory}
        print(json.dumps({**report, "queries": [asdict(row) for row in rows]}, indent=2))
    else:
        show(rows, running.startup_seconds, memory)


@contextmanager
def demo() -> Iterator[Demo]:
    with tempfile.TemporaryDirectory() as folder:
        ports = {"PASSERELLE_PORT": free_port(), "PASSERELLE_SANDBOX_PORT": free_port()}
        environ = {**os.environ, **{name: str(port) for name, port in ports.items()}}
        passerelle = Path(sys.executable).with_name("passerelle")
        started = time.monotonic()
        process = subprocess.Popen(
            [passerelle, "demo"], cwd=folder, env=environ, stdout=subprocess.DEVNULL
        )
        try:
            facts = wait_for(Path(folder) / "var" / "demo.json", process)
            yield Demo(process.pid, facts, time.monotonic() - started)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=20)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for(file: Path, process: subprocess.Popen[bytes]) -> Mapping[str, Any]:
    limit = time.monotonic() + 30
    while not file.exists():
        if process.poll() is not None or time.monotonic() > limit:
            raise SystemExit("the demo did not start")
        time.sleep(0.01)
    facts: Mapping[str, Any] = json.loads(file.read_text())
    return facts


async def measure_all(running: Demo, requests: int, clients: int) -> list[Measured]:
    headers = {**running.facts.get("headers", {}), "content-type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        return [
            await measure(session, running, name, requests, clients)
            for name in ("viewer", *VARIABLES)
        ]


async def measure(
    session: aiohttp.ClientSession, running: Demo, name: str, requests: int, clients: int
) -> Measured:
    body = body_of(name, running.facts["examples"])
    url = running.facts["graphql"]
    size = await ask(session, url, body)  # warms reference data and connections
    async with session.delete(running.facts["sandbox"] + "/_control/calls"):
        pass
    times: list[float] = []
    left = iter(range(requests))
    cpu, started = cpu_seconds(running.gateway_pid), time.monotonic()

    async def client() -> None:
        for _ in left:
            begun = time.monotonic()
            await ask(session, url, body)
            times.append((time.monotonic() - begun) * 1000)

    await asyncio.gather(*(client() for _ in range(clients)))
    seconds, used = time.monotonic() - started, cpu_seconds(running.gateway_pid) - cpu
    async with session.get(running.facts["sandbox"] + "/_control/calls") as answer:
        counted = await answer.json()
    times.sort()
    calls = {system: one["total"] / requests for system, one in counted.items() if one["total"]}
    return Measured(
        name,
        requests / seconds,
        used / requests * 1000,
        times[len(times) // 2],
        times[int(len(times) * 0.99)],
        calls,
        size,
    )


async def ask(session: aiohttp.ClientSession, url: str, body: bytes) -> int:
    async with session.post(url, data=body) as answer:
        content = await answer.read()
        if answer.status != 200 or b'"errors"' in content:
            raise SystemExit(f"the query failed: {content[:500]!r}")
        return len(content)


def body_of(name: str, examples: Mapping[str, str]) -> bytes:
    if name == "viewer":
        return json.dumps({"query": "{ viewer { subject } }"}).encode()
    variables = {key: examples[example] for key, example in VARIABLES[name].items()}
    query = (QUERIES / f"{name}.graphql").read_text()
    return json.dumps({"query": query, "variables": variables}).encode()


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def show(rows: list[Measured], startup: float, memory: float) -> None:
    print(f"start-up {startup:.2f} s, resident memory after the run {memory:.0f} MiB\n")
    print(
        "| query | requests/s | CPU ms a request | p50 ms | p99 ms | upstream calls | CPU x viewer |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        calls = ", ".join(f"{system} {count:g}" for system, count in sorted(row.calls.items()))
        print(
            f"| {row.query} | {row.requests_per_second:.0f} | {row.cpu_ms:.2f} | {row.p50_ms:.1f} "
            f"| {row.p99_ms:.1f} | {calls or 'none'} | {row.cpu_ms / rows[0].cpu_ms:.1f} |"
        )


if __name__ == "__main__":
    main()
