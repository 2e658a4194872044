"""How each upstream does, told from its last five minutes on the wire and its circuits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ports.systems import LastError, Latency, System, SystemStatus
from upstream.circuit import CircuitState
from upstream.connector import Upstream
from upstream.exchanges import Exchanges, Summary

# So long nothing that was called succeeded: then it is down, whatever else was before.
DOWN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Watched:
    """An upstream and the roles that it serves here."""

    upstream: Upstream
    roles: tuple[str, ...]


def systems(watched: Sequence[Watched]) -> list[System]:
    return [_system(one) for one in watched]


def _system(one: Watched) -> System:
    upstream, exchanges = one.upstream, one.upstream.exchanges
    summary = exchanges.summary()
    return System(
        name=upstream.manifest.system,
        upstream=upstream.name,
        connector=upstream.manifest.name,
        status=_status(one.upstream, summary),
        since=exchanges.changed_at,
        latency=Latency(summary.p50, summary.p95, summary.p99),
        error_rate=summary.failed / summary.calls if summary.calls else 0.0,
        roles=one.roles,
        last_success_at=exchanges.last_success_at,
        last_error=_last_error(exchanges),
    )


def status(summary: Summary, *, failing: bool) -> SystemStatus:
    """DOWN when nothing succeeded or the latest failed among mostly failures; see the tests."""
    if summary.calls == 0:
        return SystemStatus.UNKNOWN
    if summary.failed == 0:
        return SystemStatus.UP
    if summary.failed == summary.calls or (failing and summary.failed * 2 > summary.calls):
        return SystemStatus.DOWN
    return (
        SystemStatus.DEGRADED if failing or summary.failed * 20 > summary.calls else SystemStatus.UP
    )


def _status(upstream: Upstream, summary: Summary) -> SystemStatus:
    exchanges, circuits = upstream.exchanges, upstream.circuits.states().values()
    told = guarded_status(status(summary, failing=exchanges.failing), circuits)
    # Open circuits let too little through to outweigh the successes of five minutes.
    is_out = any(one is not CircuitState.CLOSED for one in circuits)
    if told is SystemStatus.DEGRADED and is_out and exchanges.failing:
        silent = datetime.now(UTC) - exchanges.changed_at
        return SystemStatus.DOWN if silent.total_seconds() >= DOWN_SECONDS else told
    return told


def guarded_status(seen: SystemStatus, circuits: Collection[CircuitState]) -> SystemStatus:
    """What was seen on the wire, or worse: an open circuit lets nothing through to be seen.

    DOWN when all operations that were called are kept from the system, DEGRADED when some are.
    """
    out = sum(state is not CircuitState.CLOSED for state in circuits)
    if out == 0 or seen is SystemStatus.DOWN:
        return seen
    return SystemStatus.DOWN if out == len(circuits) else SystemStatus.DEGRADED


def _last_error(exchanges: Exchanges) -> LastError | None:
    if (last := exchanges.last_failure) is None:
        return None
    request_id = None if last.request_id == "-" else last.request_id
    return LastError(at=last.at, code=last.code, message=last.message, request_id=request_id)
