"""The gateway beside its peers over the same mock of four systems: tables, ratios, prices.

Usage: benchmarks/peers/run [--json] [--secs N] [--parts PART,...] [PEER...]
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness import Harness, Results, Server, installed, workplace
from prices import measured
from ratios import comparisons, latencies, ratio_lines

SLOW = ("--delay", "20", "--conns", "8", "--queries", "Q2,Q3")


@dataclass(frozen=True)
class Order:
    """What was asked for on the command line."""

    peers: tuple[str, ...]
    secs: int
    as_json: bool


def main() -> None:
    order, parts, port = _asked()
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(installed(), workplace(Path(folder), port), port, order.secs)
        found = {part: PARTS[part](harness, order) for part in parts}
    if order.as_json:
        print(json.dumps(found, indent=1))


def compared(harness: Harness, order: Order) -> Results:
    """Live and cached, all clients asking different things."""
    servers = [Server("live"), Server("cached", config="cached.toml")]
    results = harness.run(servers, order.peers)
    _say(ratio_lines(comparisons(results)))
    return results


def same(harness: Harness, order: Order) -> Results:
    """All clients ask the same thing: what collapsing saves, a row of its own."""
    peers = tuple(peer for peer in order.peers or ("tailcall+dedupe",) if "dedupe" in peer)
    servers = [Server("live"), Server("collapsed", config="collapsed.toml")]
    return harness.run(servers, peers or ("tailcall+dedupe",), "--traffic", "same")


def latency(harness: Harness, order: Order) -> Results:
    """Upstreams that take 20 ms: what the gateway adds to them."""
    results = harness.run([Server("live")], order.peers or ("yoga+jit", "tailcall"), *SLOW)
    _say(latencies(results))
    return results


def price(harness: Harness, _order: Order) -> Results:
    """The same gateway with one of its features taken out, or one more, beside the whole."""
    print("\ncapacity beside the whole gateway's", flush=True)
    return {**measured(harness)}


PARTS: Mapping[str, Callable[[Harness, Order], Results]] = {
    "peers": compared,
    "same": same,
    "latency": latency,
    "price": price,
}


def _asked() -> tuple[Order, list[str], int]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="*", metavar="PEER", help="else all that there are")
    parser.add_argument("--json", action="store_true", help="print all figures as JSON at the end")
    parser.add_argument("--secs", type=int, default=4, help="seconds of each measurement")
    parser.add_argument("--port", type=int, default=22400, help="the first port to be used")
    parser.add_argument("--parts", default=",".join(PARTS), help="which of " + ", ".join(PARTS))
    given = parser.parse_args()
    parts = given.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}")
    if shutil.which("taskset") is None:
        parser.error("taskset is needed: servers and load are kept on cores of their own")
    return Order(tuple(given.peers), given.secs, given.json), parts, given.port


def _say(lines: list[str]) -> None:
    print("\n".join(["", *lines]), flush=True)


if __name__ == "__main__":
    main()
