"""What is worth waking somebody, told once when it begins and once when it is over."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import msgspec
import structlog

from gateway.telemetry.impact import BAD
from ports.systems import System, SystemStatus

Event = Literal["system", "drift", "errors", "credentials"]
EVENTS: tuple[Event, ...] = ("system", "drift", "errors", "credentials")
State = Literal["firing", "resolved"]
Severity = Literal["warning", "critical"]

_SHOWN = 12

log = structlog.get_logger(__name__)


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """`key` is the same for all that is told of one thing. `details` are for people to read."""

    event: Event
    key: str
    state: State
    severity: Severity
    title: str
    text: str
    since: datetime
    at: datetime
    upstream: str | None = None
    system: str | None = None
    details: Mapping[str, object] = {}
    runbook: str = ""


class Desk:
    """Tells each alert once, again after `repeat_seconds` while it lasts, and its end.

    `send` must not block. What was told last is forgotten when it is resolved.
    """

    def __init__(
        self,
        send: Callable[[Alert], object],
        *,
        repeat_seconds: float = 4 * 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._repeat = repeat_seconds
        self._clock = clock
        self._firing: dict[str, tuple[Alert, float]] = {}

    @property
    def firing(self) -> list[Alert]:
        return [alert for alert, _ in self._firing.values()]

    def is_firing(self, key: str) -> bool:
        return key in self._firing

    def fire(self, alert: Alert) -> None:
        known, now = self._firing.get(alert.key), self._clock()
        if known is not None:
            if now - known[1] < self._repeat:
                return
            alert = msgspec.structs.replace(alert, since=known[0].since)
        self._firing[alert.key] = (alert, now)
        self._tell(alert)

    def resolve(self, key: str, text: str) -> None:
        known = self._firing.pop(key, None)
        if known is None:
            return
        alert = known[0]
        title = f"Resolved: {alert.title}"
        self._tell(
            msgspec.structs.replace(
                alert, state="resolved", title=title, text=text, at=datetime.now(UTC), details={}
            )
        )

    def expire(self, event: Event, seconds: float) -> None:
        """Forgets what was told so long ago of an event that has no end of its own."""
        oldest = self._clock() - seconds
        gone = [
            key
            for key, (alert, told) in self._firing.items()
            if alert.event == event and told < oldest
        ]
        for key in gone:
            del self._firing[key]

    def _tell(self, alert: Alert) -> None:
        told = log.info if alert.state == "resolved" else log.warning
        told("alert", event_kind=alert.event, key=alert.key, state=alert.state, title=alert.title)
        self._send(alert)


@dataclass(slots=True)
class SystemAlerts:
    """Systems that are down, told `down_seconds` after, and up again for `recovery_seconds`.

    To be told of all systems after each look. One that nobody calls any more is not known to be up.
    """

    desk: Desk
    down_seconds: float = 10.0
    recovery_seconds: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _since: dict[str, tuple[bool, float]] = field(default_factory=dict)

    def told(self, systems: Sequence[System]) -> None:
        for one in systems:
            if one.status is not SystemStatus.UNKNOWN:
                self._look(one)

    def _look(self, system: System) -> None:
        is_down, now = system.status is SystemStatus.DOWN, self.clock()
        before = self._since.get(system.upstream)
        if before is None or before[0] is not is_down:
            before = self._since[system.upstream] = (is_down, now)
        lasted, key = now - before[1], f"system:{system.upstream}"
        if is_down and lasted >= self.down_seconds:
            self.desk.fire(_down(system, key))
        elif not is_down and lasted >= self.recovery_seconds:
            state = "answers" if system.status not in BAD else "answers again, though not always"
            self.desk.resolve(key, f"{system.upstream} {state}.")


def _down(system: System, key: str) -> Alert:
    impact = system.impact
    details: dict[str, object] = {}
    if system.last_error is not None:
        details["lastError"] = f"{system.last_error.code}: {system.last_error.message}"
    if impact is not None:
        details |= {
            "fields": shortened(impact.fields),
            "operations": shortened(impact.operations),
            "clients": shortened(impact.clients),
            "customers": impact.customers,
            "unanswered": impact.failed,
            "answeredInstead": sum(one.keys for one in impact.stand_ins),
        }
    hurt = "" if impact is None else f" {impact.customers} customers were touched lately."
    return Alert(
        event="system",
        key=key,
        state="firing",
        severity="critical",
        title=f"{system.upstream} is down",
        text=f"{system.upstream} ({system.name.value}) does not answer.{hurt}",
        since=system.since,
        at=datetime.now(UTC),
        upstream=system.upstream,
        system=system.name.value,
        details=details,
        runbook="docs/operations.md#a-system-is-down",
    )


def shortened(names: Iterable[str]) -> list[str]:
    """The first few, and how many more there are."""
    known = list(names)
    rest = len(known) - _SHOWN
    return known if rest <= 0 else [*known[:_SHOWN], f"and {rest} more"]
