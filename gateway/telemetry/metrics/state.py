"""Gauges that are looked at when somebody asks: circuits, queues, the process itself."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.telemetry.metrics.exposition import Labels, gauge
from upstream.circuit import CircuitState
from upstream.connector import Upstream

STATES = {CircuitState.CLOSED: 0.0, CircuitState.HALF_OPEN: 1.0, CircuitState.OPEN: 2.0}
_STARTED = time.time()


def upstream_lines(upstreams: Iterable[Upstream]) -> Iterator[str]:
    states: dict[Labels, float] = {}
    inside: dict[Labels, float] = {}
    waiting: dict[Labels, float] = {}
    failing: dict[Labels, float] = {}
    for one in upstreams:
        for operation, state in one.circuits.states().items():
            states[one.name, operation] = STATES[state]
        bulkheads = one.exchanges.bulkheads
        inside[one.name,] = sum(bulkhead.inside for bulkhead in bulkheads)
        waiting[one.name,] = sum(bulkhead.waiting for bulkhead in bulkheads)
        failing[one.name,] = float(one.exchanges.failing)
    told = "Circuits: 0 closed, 1 half-open, 2 open."
    yield from gauge("passerelle_circuit_state", told, states, "upstream", "operation")
    yield from gauge("passerelle_upstream_in_flight", "Calls under way.", inside, "upstream")
    yield from gauge("passerelle_upstream_queue", "Calls that wait.", waiting, "upstream")
    told = "Whether the latest call failed."
    yield from gauge("passerelle_upstream_failing", told, failing, "upstream")


def process_lines() -> Iterator[str]:
    used = os.times()
    told = "Resident memory in bytes."
    yield from gauge("process_resident_memory_bytes", told, {(): resident_bytes()})
    told = "When the process began, in Unix time."
    yield from gauge("process_start_time_seconds", told, {(): round(_STARTED, 3)})
    yield "# HELP process_cpu_seconds_total Processor time in seconds."
    yield "# TYPE process_cpu_seconds_total counter"
    yield f"process_cpu_seconds_total {used.user + used.system:.2f}"


def resident_bytes() -> float:
    """0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
        return float(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "win32":
        return 0.0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(most if sys.platform == "darwin" else most * 1024)
