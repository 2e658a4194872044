"""How each upstream does, told from its last five minutes on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass

from ports.systems import LastError, Latency, System, SystemStatus
from upstream.connector import Upstream
from upstream.exchanges import Exchanges, Summary


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
        status=status(summary, failing=exchanges.failing),
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


def _last_error(exchanges: Exchanges) -> LastError | None:
    if (last := exchanges.last_failure) is None:
        return None
    request_id = None if last.request_id == "-" else last.request_id
    return LastError(at=last.at, code=last.code, message=last.message, request_id=request_id)
