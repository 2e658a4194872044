"""What a system that does badly means, for whom: from the graph, the journal, and nothing else."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from gateway.doctor.risk import at_risk
from gateway.telemetry.journal.record import FAILED, FALLBACK, STALE
from gateway.telemetry.journal.search import Reader, Touched
from gateway.telemetry.journal.store import JournalUnavailableError
from ports.systems import Impact, StandIn, System, SystemStatus
from schema.coordinates import affected

MINUTES = 5
BAD = frozenset({SystemStatus.DEGRADED, SystemStatus.DOWN})
_UNNAMED = "unnamed"


def impacts(
    systems: Iterable[System], journal: Path | None, now: float | None = None
) -> dict[str, Impact]:
    """By upstream, of those that do badly. Reads the journal's file: not for the event loop."""
    bad = [one for one in systems if one.status in BAD]
    if not bad:
        return {}
    if journal is not None:
        try:
            with Reader(journal) as reader:
                since = (time.time() if now is None else now) - MINUTES * 60
                return {one.upstream: _read(one, reader, since) for one in bad}
        except JournalUnavailableError:
            pass
    return {one.upstream: Impact(MINUTES, tuple(affected(one))) for one in bad}


def _read(system: System, reader: Reader, since: float) -> Impact:
    touched = reader.touched(since, system.upstream)
    return Impact(
        minutes=MINUTES,
        fields=_fields(system, touched),
        operations=_sorted(one.graphql or _UNNAMED for one in touched),
        clients=_sorted(client for one in touched for client in one.clients),
        customers=reader.customers(since, system.upstream),
        failed=_failed(reader, since, system.upstream),
        stand_ins=_stand_ins(reader, since, system.upstream),
    )


def _fields(system: System, touched: Sequence[Touched]) -> tuple[str, ...]:
    """All that it serves while it is down; else what the operations feed that fail."""
    asked = {one.asked for one in touched if one.asked and (one.failed or one.stale)}
    fields = {field for one in asked for field in at_risk(one, system.roles)}
    if system.status is SystemStatus.DOWN or not asked:
        fields.update(affected(system))
    return _sorted(fields)


def _failed(reader: Reader, since: float, upstream: str) -> int:
    """Keys where the cache tells how each call ended; else requests with a call that failed.

    Less what a second system answered.
    """
    rows = reader.rows(
        "SELECT sum(tried = 0 AND cache != ?), "
        "sum(CASE cache WHEN ? THEN keys WHEN ? THEN -keys ELSE 0 END), "
        "count(DISTINCT CASE WHEN error IS NOT NULL THEN request_id END) - "
        "count(DISTINCT CASE WHEN cache = ? THEN request_id END) FROM exchange "
        "WHERE at >= ? AND upstream = ? AND asked IS NOT NULL AND (error IS NOT NULL OR tried = 0)",
        (FALLBACK, FAILED, FALLBACK, FALLBACK, since, upstream),
    )
    ends, keys, requests = rows[0]
    return max(0, int(keys or 0) if ends else int(requests))


def _stand_ins(reader: Reader, since: float, upstream: str) -> tuple[StandIn, ...]:
    rows = reader.rows(
        "SELECT asked, cache, sum(keys), max(age), detail FROM exchange "
        "WHERE at >= ? AND upstream = ? AND cache IN (?, ?) "
        "GROUP BY asked, cache, detail ORDER BY sum(keys) DESC",
        (since, upstream, STALE, FALLBACK),
    )
    return tuple(StandIn(asked or "", *found) for asked, *found in rows)


def with_impact(systems: Iterable[System], found: dict[str, Impact]) -> list[System]:
    """Those that do badly with what is known of whom it touches."""
    return [_with(one, found.get(one.upstream)) for one in systems]


def _with(system: System, impact: Impact | None) -> System:
    if system.status not in BAD:
        return system
    known = impact or Impact(MINUTES, tuple(affected(system)))
    return msgspec.structs.replace(system, impact=known)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
