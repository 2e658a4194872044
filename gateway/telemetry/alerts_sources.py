"""Where alerts come from besides the systems' state: drift, the journal's errors, the calendar."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import structlog

from gateway.doctor.watching import DriftEvent
from gateway.telemetry.alerts import Alert, Desk, shortened
from gateway.telemetry.journal.grouping import Group, grouped
from gateway.telemetry.journal.query import Query
from gateway.telemetry.journal.search import Reader
from gateway.telemetry.journal.store import JournalUnavailableError
from ports.errors import UpstreamError
from upstream.diagnosis import Expiring
from upstream.reference import own_call

# What drifted and did not drift again for so long was taken note of, or has ended.
DRIFT_SECONDS = 24 * 3600.0
SPIKE_SECONDS = 300.0
BEFORE_SECONDS = 3600.0
_MOST = 5_000

log = structlog.get_logger(__name__)

GroupKey = tuple[str, str, str, str]


def drift_alert(event: DriftEvent) -> Alert:
    now, drift = datetime.now(UTC), event.drift
    return Alert(
        event="drift",
        key=f"drift:{event.upstream}:{drift.operation}:{drift.change}:{drift.place}",
        state="firing",
        severity="critical" if event.grave else "warning",
        title=f"{event.upstream} answers {drift.operation} differently",
        text=f"{drift.change} at {drift.place}: {drift.detail}",
        since=now,
        at=now,
        upstream=event.upstream,
        details={"fields": shortened(event.fields)},
        runbook="docs/operations.md#an-answer-drifted",
    )


@dataclass(slots=True)
class ErrorSpikes:
    """Groups of errors that are many all of a sudden: `count` in five minutes at the least.

    And `factor` times what five minutes of the hour before had. Over when they are half of it.
    """

    desk: Desk
    journal: Path
    count: int = 20
    factor: float = 4.0
    clock: Callable[[], float] = time.time
    _firing: dict[str, int] = field(default_factory=dict)

    def read(self) -> tuple[Sequence[Group], Mapping[GroupKey, int]]:
        """The groups of now, and counts of the hour before. Reads a file: not for the event loop."""
        now = self.clock()
        try:
            with Reader(self.journal) as reader:
                lately = reader.search(Query(errors=True, since=now - SPIKE_SECONDS, limit=_MOST))
                if not lately:
                    return (), {}
                begins = now - SPIKE_SECONDS - BEFORE_SECONDS
                before = reader.search(
                    Query(errors=True, since=begins, until=now - SPIKE_SECONDS, limit=_MOST)
                )
        except JournalUnavailableError:
            return (), {}
        return grouped(lately), {_key(one): one.count for one in grouped(before)}

    def told(self, groups: Sequence[Group], before: Mapping[GroupKey, int]) -> None:
        counts = {f"errors:{':'.join(_key(one))}": one for one in groups}
        for key, group in counts.items():
            usual = before.get(_key(group), 0) * SPIKE_SECONDS / BEFORE_SECONDS
            if group.count >= max(self.count, self.factor * usual):
                self._firing.setdefault(key, group.count)
                self.desk.fire(_spike(group, key, usual))
        for key, peak in list(self._firing.items()):
            left = counts[key].count if key in counts else 0
            if left * 2 <= min(peak, self.count):
                del self._firing[key]
                self.desk.resolve(key, f"{left} in the last five minutes.")


AskEnd = Callable[[], Awaitable[datetime | None]]
"""Asks a system when the gateway's credentials end. Raises UpstreamError."""


def end_asks(connectors: Mapping[str, object]) -> dict[str, AskEnd]:
    """By upstream, of the connectors whose system tells it."""
    return {name: _ask(one) for name, one in connectors.items() if isinstance(one, Expiring)}


def _ask(connector: Expiring) -> AskEnd:
    return lambda: connector.credentials_end(call=own_call())


@dataclass(slots=True)
class Expiries:
    """Credentials whose last day the configuration tells, or their system where it is asked.

    What the configuration tells of a name counts. Over when a later day is told.
    """

    desk: Desk
    ends: Mapping[str, date]
    days: int = 14
    today: Callable[[], date] = lambda: datetime.now(UTC).date()
    asks: Mapping[str, AskEnd] = field(default_factory=dict)
    told: dict[str, date] = field(default_factory=dict)
    _firing: dict[str, str] = field(default_factory=dict)

    async def ask(self) -> None:
        """What a system does not tell now stays as it was told before."""
        for name, ask in self.asks.items():
            if name in self.ends:
                continue
            try:
                end = await ask()
            except UpstreamError as error:
                log.info("credential end not told", upstream=name, code=error.code)
                continue
            if end is None:
                self.told.pop(name, None)
            else:
                self.told[name] = end.date()

    def look(self) -> None:
        today, near = self.today(), dict[str, str]()
        for name, end in {**self.told, **self.ends}.items():
            if end - today <= timedelta(days=self.days):
                alert = _expiry(name, end, (end - today).days)
                near[name] = alert.key
                self.desk.fire(alert)
        for name, key in self._firing.items():
            if near.get(name) != key:
                self.desk.resolve(key, f"{name} has a later end.")
        self._firing = near


def _expiry(name: str, end: date, days: int) -> Alert:
    now = datetime.now(UTC)
    left = f"ends in {days} days" if days > 0 else "has ended" if days < 0 else "ends today"
    return Alert(
        event="credentials",
        key=f"credentials:{name}:{end}",
        state="firing",
        severity="warning" if days > 0 else "critical",
        title=f"Credential {name} {left}",
        text=f"{name} {left} ({end}). Make the one that follows and configure it.",
        since=now,
        at=now,
        details={"end": end.isoformat(), "days": days},
        runbook="docs/operations.md#a-credential-ends",
    )


def _spike(group: Group, key: str, usual: float) -> Alert:
    now = datetime.now(UTC)
    return Alert(
        event="errors",
        key=key,
        state="firing",
        severity="warning",
        title=f"{group.count} errors of {group.upstream} {group.operation}",
        text=f"{group.error}: {group.pattern or 'not answered'}. {group.count} in five minutes, "
        f"{usual:.1f} in others.",
        since=datetime.fromtimestamp(group.first, UTC),
        at=now,
        upstream=group.upstream,
        system=group.system,
        details={
            "operations": shortened(group.graphql),
            "clients": shortened(group.clients),
            "customers": group.customers,
            "entries": _numbers(group.examples),
        },
        runbook="docs/operations.md#errors-of-one-cause-are-many",
    )


def _key(group: Group) -> GroupKey:
    return group.upstream, group.operation, group.error, group.pattern


def _numbers(examples: Iterable[int]) -> list[int]:
    return list(examples)
