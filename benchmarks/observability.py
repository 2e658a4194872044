"""What looking at the gateway costs it: CPU of a listing with journal, figures and traces on or off.

Usage: python benchmarks/observability.py [--rounds N]
It starts the sandbox on a free port of 127.0.0.1 and ends it; the gateways run in this process,
each asked in turn, so that whatever else the machine does hits them alike.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message
from storefront import QUERIES
from storefront import demo as started

from gateway.app import build
from gateway.cli.demo import Demo
from gateway.settings import read
from gateway.telemetry import logs
from resolvers.scopes import PUBLIC_SCOPES

OFF: Mapping[str, Any] = {
    "journal": {"enabled": False},
    "metrics": {"enabled": False},
    "tracing": {"propagate": False},
}
ON: Mapping[str, Any] = {
    "journal": {},
    "metrics": {},
    # Nobody listens there: the spans are made and dropped.
    "tracing": {"endpoint": "http://127.0.0.1:9", "sample": 0.1},
}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "off": OFF,
    "journal": {**OFF, "journal": ON["journal"]},
    "figures": {**OFF, "metrics": ON["metrics"]},
    "traces": {**OFF, "tracing": ON["tracing"]},
    "everything": ON,
    # What is made first is quicker by itself: the truth is between the two.
    "off again": OFF,
}
WANTED = {"journal": 0.03, "everything": 0.10}
WANTED_CACHED = {"everything": 0.03}
RATES = {"cost_per_second": 10**6, "burst": 10**8, "requests_per_second": 10**5}


@dataclass
class Asked:
    """A gateway and a request. `seconds` are CPU a request, one number a round."""

    app: ASGIApp
    headers: list[tuple[bytes, bytes]]
    body: bytes
    seconds: list[float] = field(default_factory=list)

    async def __call__(self) -> bytes:
        told: list[bytes] = []
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                await asyncio.Event().wait()
            sent = True
            return {"type": "http.request", "body": self.body, "more_body": False}

        async def send(message: Message) -> None:
            told.append(message.get("body", b""))

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": "/graphql",
            "query_string": b"",
            "headers": self.headers,
            "client": ("127.0.0.1", 1),
            "state": {},
        }
        await self.app(scope, receive, send)
        return b"".join(told)

    async def round(self, requests: int) -> None:
        began = time.process_time()
        for _ in range(requests):
            answer = await self()
        if b'"errors"' in answer:
            raise SystemExit("the query failed")
        self.seconds.append((time.process_time() - began) / requests)


@asynccontextmanager
async def living(app: ASGIApp) -> Any:
    told: asyncio.Queue[Any] = asyncio.Queue()
    heard: asyncio.Queue[Any] = asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan", "state": {}}, told.get, heard.put))
    await told.put({"type": "lifespan.startup"})
    await heard.get()
    try:
        yield
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await running


async def measured(sandbox: int, category: str, rounds: int) -> dict[str, dict[str, Asked]]:
    listing = (QUERIES / "listing.graphql").read_text()
    anew = listing.replace(") {", ") @fresh(maxAge: 0) {", 1)
    kinds = {
        "asks systems": (anew, [], 20),
        "of kept parts": (listing, [(b"cache-control", b"no-cache")], 60),
        "kept whole": (listing, [], 300),
    }
    found: dict[str, dict[str, Asked]] = {kind: {} for kind in kinds}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for variant, sections in VARIANTS.items():
            app = build(read(tables(sandbox, folder / variant, sections)))
            await stack.enter_async_context(living(app))
            for kind, (query, headers, _) in kinds.items():
                body = json.dumps({"query": query, "variables": {"category": category}}).encode()
                own = [(b"content-type", b"application/json"), (b"accept", b"*/*"), *headers]
                asked = found[kind][variant] = Asked(app, own, body)
                if b'"errors"' in await asked():
                    raise SystemExit("the query failed")
        for kind, variants in found.items():
            for number in range(rounds * (1 if kind == "asks systems" else 4)):
                order = list(variants.values())
                # Each comes first as often as last.
                for one in order[number % len(order) :] + order[: number % len(order)]:
                    await one.round(kinds[kind][2])
    return found


def tables(sandbox: int, folder: Path, sections: Mapping[str, Any]) -> dict[str, Any]:
    told = Demo(sandbox_port=sandbox).tables("only-for-this-benchmark-" * 2)
    told["access"]["keys"]["store"] = f"sqlite:{folder / 'keys.db'}"
    told["access"] |= {"issuers": {}, "anonymous_scopes": sorted(PUBLIC_SCOPES)}
    own = dict(sections)
    own["journal"] = {"file": str(folder / "journal.db"), **own["journal"]}
    # Asked without a pause, the loop is always late.
    unhurried = {"resilience": {"shedding": {"max_requests": 0}}, "rates": {"anonymous": RATES}}
    return {**told, **own, **unhurried}


def quietest(seconds: Sequence[float]) -> float:
    """The median of the lower third."""
    return median(sorted(seconds)[: max(1, len(seconds) // 3)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    logs.configure("json")
    with started() as running:
        port = urlsplit(running.facts["sandbox"]).port or 80
        found = asyncio.run(measured(port, running.facts["examples"]["category"], rounds))
    print(
        "| listing | what is on | CPU us a request | more than off | wanted |\n|---|---|---|---|---|"
    )
    for kind, variants in found.items():
        wanted = WANTED if kind == "asks systems" else WANTED_CACHED
        for variant, one in variants.items():
            # The quietest rounds: whatever else the machine did only adds.
            off = quietest(variants["off"].seconds) + quietest(variants["off again"].seconds)
            more = 2 * quietest(one.seconds) / off - 1
            most = f"<= {wanted[variant]:.0%}" if variant in wanted else ""
            told = f"{quietest(one.seconds) * 1e6:.0f} | {more:+.1%} | {most}"
            print(f"| {kind} | {variant} | {told} |")


if __name__ == "__main__":
    main()
