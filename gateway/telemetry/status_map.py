"""The map of the information system: callers, operations, the gateway, systems, and what flows."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from gateway.http.shedding import Shedding
from gateway.telemetry.instruments import Instruments
from gateway.telemetry.metrics.figures import OTHER
from gateway.telemetry.systems import Watched
from gateway.telemetry.traffic import WINDOW_SECONDS, Tally, Traffic
from ports.systems import StandIn, System

# What a page can show; the rest counts as one.
_MOST_CALLERS, _MOST_OPERATIONS = 8, 12
Told = TypeVar("Told", bound=msgspec.Struct)
OWN = "gateway"
"""The operation of calls that nobody's operation caused."""


class Flow(msgspec.Struct, frozen=True, rename="camel"):
    """What flows from one end to the other. `rate` a second, `p95` in milliseconds."""

    source: str
    target: str
    rate: float
    error_rate: float
    p95: float | None


class Place(msgspec.Struct, frozen=True, rename="camel"):
    """A caller or an operation."""

    name: str
    rate: float
    error_rate: float
    p95: float | None


class Core(msgspec.Struct, frozen=True, rename="camel"):
    """The gateway itself. `hit_rate` is of keys that were asked for, None where nobody counts."""

    rate: float
    error_rate: float
    p95: float | None
    hit_rate: float | None
    under_way: int
    shed: int
    journal: bool


class Met(msgspec.Struct, frozen=True, rename="camel"):
    """The last error, as JSON tells it."""

    at: datetime
    code: str
    message: str
    request_id: str | None


class Touch(msgspec.Struct, frozen=True, rename="camel"):
    """An impact, as JSON tells it."""

    minutes: int
    fields: Sequence[str]
    operations: Sequence[str]
    clients: Sequence[str]
    customers: int
    failed: int
    stand_ins: Sequence[StandIn]


class Sight(msgspec.Struct, frozen=True, rename="camel"):
    """One system. Its rate, errors and `p95` are of the last minute; `circuits` by operation."""

    name: str
    system: str
    title: str
    status: str
    since: datetime
    rate: float
    error_rate: float
    p95: float | None
    hit_rate: float | None
    circuits: Mapping[str, str]
    roles: Sequence[str]
    last_success_at: datetime | None
    last_error: Met | None
    impact: Touch | None


class StatusMap(msgspec.Struct, frozen=True, rename="camel"):
    """All of it. `asks` go from callers to operations, `calls` from operations to systems."""

    at: datetime
    window_seconds: float
    callers: Sequence[Place]
    operations: Sequence[Place]
    asks: Sequence[Flow]
    calls: Sequence[Flow]
    gateway: Core
    systems: Sequence[Sight]


class HitRates:
    """Shares of keys that were answered from what was known and good, over a minute or so."""

    def __init__(
        self,
        counts: Callable[[], Mapping[tuple[str, ...], float]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`counts` are those of `Figures.answers`: by upstream, operation and result."""
        self._counts = counts
        self._clock = clock
        self._samples: deque[tuple[float, dict[str, tuple[float, float]]]] = deque(maxlen=64)

    def look(self) -> None:
        sums: dict[str, tuple[float, float]] = {}
        for (upstream, _, result), count in list(self._counts().items()):
            if result == "fallback":  # counted before, as what the first system failed of
                continue
            good, whole = sums.get(upstream, (0.0, 0.0))
            sums[upstream] = (good + (count if result == "hit" else 0), whole + count)
        now = self._clock()
        while len(self._samples) > 1 and self._samples[1][0] < now - WINDOW_SECONDS:
            self._samples.popleft()
        self._samples.append((now, sums))

    def rates(self) -> dict[str, tuple[float, float]]:
        """Hits and all, by upstream; those that were not asked for anything are absent."""
        if not self._samples:
            return {}
        first, last = self._samples[0][1], self._samples[-1][1]
        found = {}
        for upstream, (good, whole) in last.items():
            before = first.get(upstream, (0.0, 0.0)) if len(self._samples) > 1 else (0.0, 0.0)
            if whole > before[1]:
                found[upstream] = (good - before[0], whole - before[1])
        return found


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws the map of what it is given."""

    watched: Sequence[Watched]
    traffic: Traffic
    hits: HitRates
    instruments: Instruments
    shedding: Shedding
    title: Callable[[str], str]

    def drawn(self, systems: Sequence[System]) -> StatusMap:
        asked, called = self.traffic.asked.totals(), self.traffic.called.totals()
        seconds = self.traffic.asked.seconds
        top = _top((operation for _, operation in asked), asked, 1, _MOST_OPERATIONS)
        who = _top((client for client, _ in asked), asked, 0, _MOST_CALLERS)
        asks = _joined(asked, lambda key: (_kept(key[0], who), _kept(key[1], top)))
        calls = _joined(called, lambda key: (OWN if key[0] is None else _kept(key[0], top), key[1]))
        return StatusMap(
            at=datetime.now(UTC),
            window_seconds=seconds,
            callers=_places(_joined(asks, lambda key: key[0]), seconds),
            operations=_places(_joined(asks, lambda key: key[1]), seconds),
            asks=_flows(asks, seconds),
            calls=_flows(calls, seconds),
            gateway=self._core(asks.values(), seconds),
            systems=self._systems(systems, _joined(called, lambda key: key[1])),
        )

    def _core(self, tallies: Iterable[Tally], seconds: float) -> Core:
        whole = Tally()
        for one in tallies:
            whole.join(one)
        rates = self.hits.rates().values()
        journal = self.instruments.journal
        return Core(
            rate=_rate(whole, seconds),
            error_rate=whole.error_rate,
            p95=whole.p95,
            hit_rate=_share(sum(one[0] for one in rates), sum(one[1] for one in rates)),
            under_way=self.shedding.under_way,
            shed=self.shedding.refused,
            journal=journal is not None and journal.is_writing,
        )

    def _systems(self, systems: Sequence[System], called: Mapping[str, Tally]) -> Sequence[Sight]:
        seconds, rates = self.traffic.called.seconds, self.hits.rates()
        upstreams = {one.upstream.name: one.upstream for one in self.watched}
        return [
            Sight(
                name=one.upstream,
                system=one.name.value,
                title=self.title(one.connector),
                status=one.status.value,
                since=one.since,
                rate=_rate(tally := called.get(one.upstream, Tally()), seconds),
                error_rate=round(tally.error_rate, 4),
                p95=tally.p95 if tally.count else one.latency.p95,
                hit_rate=_share(*rates.get(one.upstream, (0.0, 0.0))),
                circuits={
                    name: state.value
                    for name, state in upstreams[one.upstream].circuits.states().items()
                },
                roles=one.roles,
                last_success_at=one.last_success_at,
                last_error=_told_as(one.last_error, Met),
                impact=_told_as(one.impact, Touch),
            )
            for one in systems
        ]


def _top(
    names: Iterable[str], asked: Mapping[tuple[str, str], Tally], place: int, most: int
) -> frozenset[str]:
    counts: dict[str, int] = dict.fromkeys(names, 0)
    for key, tally in asked.items():
        counts[key[place]] += tally.count
    return frozenset(sorted(counts, key=lambda name: -counts[name])[:most])


def _kept(name: str, known: frozenset[str]) -> str:
    return name if name in known else OTHER


def _joined(tallies: Mapping[Any, Tally], key: Callable[[Any], Any]) -> dict[Any, Tally]:
    found: dict[Any, Tally] = {}
    for one, tally in tallies.items():
        found.setdefault(key(one), Tally()).join(tally)
    return found


def _flows(tallies: Mapping[tuple[str, str], Tally], seconds: float) -> list[Flow]:
    return [
        Flow(source, target, *_told(tally, seconds))
        for (source, target), tally in sorted(tallies.items())
    ]


def _places(tallies: Mapping[str, Tally], seconds: float) -> list[Place]:
    ordered = sorted(tallies.items(), key=lambda one: (-one[1].count, one[0]))
    return [Place(name, *_told(tally, seconds)) for name, tally in ordered]


def _told(tally: Tally, seconds: float) -> tuple[float, float, float | None]:
    return _rate(tally, seconds), round(tally.error_rate, 4), tally.p95


def _told_as(record: object, kind: type[Told]) -> Told | None:
    return None if record is None else msgspec.convert(record, kind, from_attributes=True)


def _rate(tally: Tally, seconds: float) -> float:
    return round(tally.count / seconds, 3)


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None
