"""What each feature costs: two gateways side by side, the whole one and one without, asked in turn.

Each pair of rounds is a second apart, so that what the machine does besides falls on both.
"""

import argparse
import importlib.util
import json
import os
import shlex
import time
import urllib.error
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness import HERE, Harness, HarnessError, Server

QUERIES = ("Q1", "Q2", "Q3", "Q4")
WITHOUT = ("access", "limits", "watch", "exchanges", "plans")
WHOLE = Server("live")
SERVERS = (
    *(Server(f"no-{one}", without=one) for one in WITHOUT),
    Server("no-circuits", environment={"PASSERELLE_RESILIENCE__CIRCUIT__ENABLED": "false"}),
    Server("no-journal", environment={"PASSERELLE_JOURNAL__ENABLED": "false"}),
    Server("no-metrics", environment={"PASSERELLE_METRICS__ENABLED": "false"}),
    # Nobody listens there: what is measured is what making and sending spans costs.
    Server(
        "all-traced",
        environment={
            "PASSERELLE_TRACING__ENDPOINT": "http://127.0.0.1:9/v1/traces",
            "PASSERELLE_TRACING__SAMPLE": "1",
        },
    ),
)
PAIRS = 5
CONNECTIONS = 4
SERVER_CORE = 0
LOAD_CORE = 1
_TRIES = 600

Prices = dict[str, dict[str, float]]
"""By server and query: how many times the capacity of the whole gateway it has."""


@dataclass(frozen=True)
class Running:
    """A gateway that answers."""

    url: str
    pid: int


def measured(harness: Harness, servers: Sequence[Server] = SERVERS) -> Prices:
    """Prints each server's line as soon as it is known."""
    os.environ.update(harness.workplace.environment)
    found: Prices = {}
    with _bench(harness) as bench:
        whole = _started(bench, WHOLE, harness.port + 1)
        for at, server in enumerate(servers):
            other = _started(bench, server, harness.port + 2 + at)
            found[server.name] = {
                query: _ratio(bench, harness, query, (whole, other)) for query in QUERIES
            }
            bench.stop(next(one for one in bench.procs if one.pid == other.pid))
            print(line(server.name, found[server.name]), flush=True)
    return found


def line(name: str, ratios: Mapping[str, float]) -> str:
    return f"{name:14}" + "".join(f"  {query} x{ratio:.2f}" for query, ratio in ratios.items())


def _ratio(bench: Any, harness: Harness, query: str, pair: tuple[Running, Running]) -> float:
    """CPU a request of the whole over that of the other, the median of pairs of rounds."""
    whole, other = pair
    for one in pair:
        _cpu(bench, harness, query, one)
    pairs = [
        (_cpu(bench, harness, query, whole), _cpu(bench, harness, query, other))
        for _ in range(PAIRS)
    ]
    return median(ours / theirs for ours, theirs in pairs)


def _cpu(bench: Any, harness: Harness, query: str, server: Running) -> float:
    headers = {"X-API-Key": harness.workplace.key}
    queries = json.loads((HERE / "ours.json").read_text(encoding="utf-8"))
    before = bench.used(server.pid)
    done = bench.wrk(server.url, query, queries, headers, 1, CONNECTIONS)
    if done["bad"] or not done["n"]:
        raise HarnessError(f"{server.url}: {query} was answered badly or not at all")
    return float((bench.used(server.pid) - before) / done["n"])


@contextmanager
def _bench(harness: Harness) -> Iterator[Any]:
    """The harness's own object, its mock running."""
    module = _module(harness.folder / "bench.py")
    options = argparse.Namespace(port=harness.port, load_core=LOAD_CORE, traffic="spread")
    bench = module.Bench(options)
    bench.used, bench.ask = module.cpu, module.http
    try:
        yield bench
    finally:
        bench.close()


def _module(file: Path) -> Any:
    spec = importlib.util.spec_from_file_location("peers_bench", file)
    if spec is None or spec.loader is None:
        raise HarnessError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _started(bench: Any, server: Server, port: int) -> Running:
    command = shlex.split(server.command.replace("{port}", str(port)))
    process = bench.spawn(command, SERVER_CORE)
    running = Running(f"http://127.0.0.1:{port}/graphql", process.pid)
    for _ in range(_TRIES):
        if process.poll() is not None or _answers(bench, running.url):
            break
        time.sleep(0.05)
    if process.poll() is not None:
        raise HarnessError(f"{server.name} ended while it started")
    return running


def _answers(bench: Any, url: str) -> bool:
    try:
        bench.ask(url.replace("/graphql", "/healthz"))
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
