"""What one system's trouble, or too much load, does to everybody else; against the sandbox.

Usage: python benchmarks/resilience.py [--seconds N]
It starts `passerelle demo` on free ports of 127.0.0.1 and ends it. All questions ask systems
(`@fresh(maxAge: 0)`), so that no cache hides them.
"""

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from flood import Plan, asked
from storefront import Demo, cpu_seconds, demo

PRICE = "query($sku: String!) @fresh(maxAge: 0, staleIfError: 0) { product(sku: $sku) { name %s } }"
ERP_TOO = PRICE % "availability { available }"
PIM_ONLY = PRICE % "description"
# Work of the gateway alone: how many of the others it can answer, the sandbox beside it decides.
SCHEMA = "{ __schema { types { name fields { name args { name } type { name kind } } } } }"

# Of turns in which an ordinary and a troubled system are compared.
ROUNDS = 6


@dataclass(frozen=True)
class Row:
    promise: str
    wanted: str
    measured: str


@dataclass
class Answers:
    """Milliseconds of answers without errors, with errors, and of refusals."""

    good: list[float] = field(default_factory=list)
    bad: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.good) + len(self.bad) + len(self.refused)


class Client:
    """Asks the gateway, and tells the sandbox what to break."""

    def __init__(self, session: aiohttp.ClientSession, running: Demo) -> None:
        self._session = session
        self._facts = running.facts
        self._url = running.facts["graphql"]
        self._control = running.facts["sandbox"] + "/_control"

    async def ask(self, query: str, into: Answers) -> bool:
        body = {"query": query, "variables": self._variables(query)}
        begun = time.monotonic()
        async with self._session.post(self._url, json=body) as answer:
            content = await answer.read()
        took = (time.monotonic() - begun) * 1000
        if answer.status == 503:
            into.refused.append(took)
        else:
            is_good = answer.status == 200 and b'"errors"' not in content
            (into.good if is_good else into.bad).append(took)
        return bool(into.good) and into.good[-1] == took

    def raw(self, query: str) -> tuple[str, int, str]:
        """Host, port and the text of a request."""
        url = urlsplit(self._url)
        host, port = url.hostname or "", url.port or 80
        body = json.dumps({"query": query, "variables": self._variables(query)})
        told = {
            "x-api-key": self._facts["api_keys"]["developer"],
            "host": f"{host}:{port}",
            "content-type": "application/json",
            "content-length": str(len(body)),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return host, port, f"POST {url.path} HTTP/1.1\r\n{lines}\r\n{body}"

    def _variables(self, query: str) -> Mapping[str, str]:
        examples = self._facts["examples"]
        return {"sku": examples["sku"]} if "$sku" in query else {}

    async def calls(self, system: str) -> int:
        async with self._session.get(f"{self._control}/calls") as answer:
            total: int = (await answer.json())[system]["total"]
        return total

    @asynccontextmanager
    async def fault(self, system: str, **fault: Any) -> AsyncIterator[None]:
        async with self._session.put(f"{self._control}/faults/{system}", json=fault) as answer:
            answer.raise_for_status()
        try:
            yield
        finally:
            async with self._session.delete(f"{self._control}/faults"):
                pass


async def main_async(running: Demo, seconds: float) -> list[Row]:
    headers = dict(running.facts.get("headers", {}))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        client = Client(session, running)
        for query in (ERP_TOO, PIM_ONLY):
            if not await client.ask(query, Answers()):
                raise SystemExit("the gateway does not answer")
        rows = [await errors(client, seconds * 2), await slow(client, seconds * 6)]
        rows += [*await outage(client, seconds), *await hang(client)]
        return [*rows, *await overload(client, running, seconds)]


async def outage(client: Client, seconds: float) -> list[Row]:
    down, before = Answers(), await client.calls("odoo")
    async with client.fault("odoo", status=503):
        await closed_loop(client, ERP_TOO, down, clients=8, seconds=seconds)
        calls = await client.calls("odoo") - before
        opened = Answers()
        for _ in range(100):
            await client.ask(ERP_TOO, opened)
    took = await until_good(client, ERP_TOO)
    ratio = calls / down.count
    told = f"{ratio:.3f} ({calls} calls, {down.count} queries)"
    return [
        Row("calls a query, ERP down", "<= 1.1", told),
        Row("answer while the circuit is open, p99", "<= 20 ms", ms(opened.bad, 0.99)),
        Row("recovery after the ERP is back", "<= 5 s", f"{took:.2f} s"),
    ]


async def hang(client: Client) -> list[Row]:
    """The first callers of a system that hangs pay a try's time; all others nothing."""
    hung, opened = Answers(), Answers()
    async with client.fault("odoo", hang=True):
        await asyncio.gather(*(client.ask(ERP_TOO, hung) for _ in range(8)))
        for _ in range(100):
            await client.ask(ERP_TOO, opened)
    took = await until_good(client, ERP_TOO)
    return [
        Row("longest answer, ERP hangs", "<= 10.25 s", ms(hung.bad, 1)),
        Row("answer after that, p50", "<= 20 ms", ms(opened.bad, 0.5)),
        Row("recovery after the ERP no longer hangs", "<= 5 s", f"{took:.2f} s"),
    ]


async def errors(client: Client, seconds: float) -> Row:
    told = Answers()
    async with client.fault("odoo", error_rate=0.05):
        await closed_loop(client, ERP_TOO, told, clients=4, seconds=seconds)
    share = 100 * len(told.good) / told.count
    return Row("queries without error, 5 % of the ERP's answers 500", ">= 99.9 %", f"{share:.2f} %")


async def slow(client: Client, seconds: float) -> Row:
    """The PIM's queries while others, at the same pace, ask an ERP that is as ever, then slow.

    By turns, of which the one in the middle counts: what else the machine does comes in bursts.
    """
    await beside(client, Answers(), 1)
    usual, slowed = [], []
    for _ in range(ROUNDS):
        ordinary, troubled = Answers(), Answers()
        await beside(client, ordinary, seconds / ROUNDS)
        delay = max(200, int(quantile(ordinary.good, 0.5) * 10))
        async with client.fault("odoo", delay_ms=delay):
            await beside(client, troubled, seconds / ROUNDS)
        usual.append(quantile(ordinary.good, 0.99))
        slowed.append(quantile(troubled.good, 0.99))
    share = median(slowed) / median(usual) - 1
    told = f"{share:+.0%} ({ms(usual, 0.5)} -> {ms(slowed, 0.5)})"
    return Row("p99 of queries that need no ERP, ERP slow", "<= +20 %", told)


async def beside(client: Client, into: Answers, seconds: float) -> None:
    others = asyncio.create_task(paced(client, ERP_TOO, Answers(), 20, seconds))
    await paced(client, PIM_ONLY, into, 40, seconds)
    await others


async def overload(client: Client, running: Demo, seconds: float) -> list[Row]:
    """From a process of its own, over connections that stay open, for what asks no system.

    Refusals are timed by who is refused, so what the machine had no time for is in them.
    """
    host, port, request = client.raw(SCHEMA)
    pid, cpu = running.gateway_pid, [cpu_seconds(running.gateway_pid)]
    peak = await asyncio.to_thread(asked, Plan(host, port, request, 8, 0, seconds))
    cpu.append(cpu_seconds(pid))
    rate = len(peak.good) / seconds
    much = await asyncio.to_thread(asked, Plan(host, port, request, 200, rate * 10, seconds))
    cpu.append(cpu_seconds(pid))
    goodput = len(much.good) / seconds
    each = len(peak.good) / (cpu[1] - cpu[0]), len(much.good) / (cpu[2] - cpu[1])
    told = f"{goodput / rate:.0%} ({rate:.0f} -> {goodput:.0f} a second)"
    refused = much.refused
    quick = f"p50 {ms(refused, 0.5)}, p99 {ms(refused, 0.99)} of {len(refused)}"
    return [
        Row("goodput at 10 times the load", ">= 80 %", told),
        Row("the same, a second of the gateway's CPU", ">= 80 %", f"{each[1] / each[0]:.0%}"),
        Row("refusals", "<= 50 ms", quick if refused else "none"),
    ]


async def closed_loop(
    client: Client, query: str, into: Answers, *, clients: int, seconds: float
) -> None:
    last = time.monotonic() + seconds

    async def one() -> None:
        while time.monotonic() < last:
            await client.ask(query, into)

    await asyncio.gather(*(one() for _ in range(clients)))


async def paced(
    client: Client, query: str, into: Answers, per_second: float, seconds: float
) -> None:
    """As many a second whether or not they are answered, as people do."""
    begun = time.monotonic()
    tasks: list[asyncio.Task[bool]] = []
    for number in range(int(per_second * seconds)):
        await asyncio.sleep(max(0.0, begun + number / per_second - time.monotonic()))
        tasks.append(asyncio.create_task(client.ask(query, into)))
    await asyncio.gather(*tasks)


async def until_good(client: Client, query: str) -> float:
    begun, told = time.monotonic(), Answers()
    while not told.good and time.monotonic() < begun + 30:
        await client.ask(query, told)
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


def quantile(times: list[float], share: float) -> float:
    ordered = sorted(times) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ms(times: list[float], share: float) -> str:
    return f"{quantile(times, share):.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    options = parser.parse_args()
    with demo() as running:
        rows = asyncio.run(main_async(running, min(60.0, options.seconds)))
    print("| promise | wanted | measured |\n|---|---|---|")
    for row in rows:
        print(f"| {row.promise} | {row.wanted} | {row.measured} |")


if __name__ == "__main__":
    main()
