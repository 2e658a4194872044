"""Keeps calls from a system that is out: a circuit per upstream and operation.

Closed, it counts; open, it answers at once that the system is not available; half-open, it lets
one call at a time find out whether the system is back.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf

import structlog

from ports.errors import MalformedError, RefusedError, TransientError, UnavailableError
from upstream.limits import QueueFullError, QueueTimedOutError

Clock = Callable[[], float]
"Monotonic seconds."

log = structlog.get_logger(__name__)


class CircuitState(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class CircuitRules:
    """When a circuit opens, and how it finds back.

    It opens when of at least `minimum` calls of the last `window_seconds` the share `error_rate`
    failed, or `minimum` failed in a row. It stays open `open_seconds`, doubled after every probe
    that fails up to `open_seconds_max`. A probe that has not ended after `probe_seconds` makes
    room for the next one, or one hung call would keep a system that is back from being noticed.
    A caller's own deadline speaks against the system only if it left it `patience_seconds`.
    """

    window_seconds: float = 10.0
    buckets: int = 10
    minimum: int = 5
    error_rate: float = 0.5
    open_seconds: float = 1.0
    open_seconds_max: float = 4.0
    probe_seconds: float = 3.0
    patience_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class CircuitChange:
    """What a listener is told; `error_rate` is that of the window when it changed."""

    system: str
    upstream: str
    operation: str
    before: CircuitState
    after: CircuitState
    error_rate: float


Listener = Callable[[CircuitChange], None]


class Circuit:
    """One operation's circuit: `begin` around each call, and then how it ended."""

    def __init__(
        self,
        name: tuple[str, str, str],
        rules: CircuitRules,
        *,
        clock: Clock = time.monotonic,
        listener: Listener | None = None,
    ) -> None:
        """`name`: the kind of system, the upstream, the operation."""
        self._system, self._upstream, self._operation = name
        self._rules = rules
        self._clock = clock
        self._listener = listener
        self._window = _Window(rules, clock)
        self._state = CircuitState.CLOSED
        # The token of all calls while closed; another one after each change.
        self._era = object()
        self._wait = rules.open_seconds
        self._probe_at = 0.0
        self._probe: Probe | None = None
        self._was_called = False

    @property
    def state(self) -> CircuitState:
        """OPEN only while no probe may be sent; then HALF_OPEN until one has succeeded."""
        if self._state is CircuitState.OPEN and self._clock() >= self._probe_at:
            return CircuitState.HALF_OPEN
        return self._state

    @property
    def error_rate(self) -> float:
        """Of the calls of the rolling window; 0 where there were none."""
        return self._window.error_rate

    @property
    def was_called(self) -> bool:
        return self._was_called

    def begin(self) -> object:
        """A token of one call, for `succeeded` or `failed`, whichever it ends by.

        Raises UnavailableError at once while open.
        """
        self._was_called = True
        if self._state is CircuitState.CLOSED:
            return self._era
        now = self._clock()
        if now < self._probe_at:
            raise self._refusal(self._probe_at - now)
        self._change(CircuitState.HALF_OPEN)
        self._probe = Probe(self._era)
        self._probe_at = now + self._rules.probe_seconds
        return self._probe

    def succeeded(self, token: object) -> None:
        if token is not self._era:
            self._probed(token, True)  # noqa: FBT003 - a verdict
        elif self._window.succeeded():
            self._open(self._rules.open_seconds)

    def failed(self, token: object, error: BaseException, patience: float = inf) -> None:
        """What was raised decides; `patience` are the seconds that the call had, if it used them up.

        Transient errors and answers that cannot be read are the system's failures; a refusal is
        the answer of a system that is there; anything else (the caller went away or was in a
        hurry, our own queue was full, a mistake of ours) says nothing about it.
        """
        good = _verdict(error) if patience >= self._rules.patience_seconds else None
        if good:
            self.succeeded(token)
        elif token is not self._era:
            self._probed(token, good)
        elif good is not None and self._window.failed():
            self._open(self._rules.open_seconds)

    def _probed(self, token: object, good: bool | None) -> None:  # noqa: FBT001 - a verdict
        """Ends of calls that began before the last change say nothing about what is now."""
        if not isinstance(token, Probe) or token.era is not self._era:
            return
        if good:
            self._close()
        elif token is not self._probe:
            return
        elif good is None:
            self._probe, self._probe_at = None, self._clock()
        else:
            self._open(min(self._wait * 2, self._rules.open_seconds_max))

    def _open(self, seconds: float) -> None:
        self._wait = seconds
        self._probe = None
        self._probe_at = self._clock() + seconds
        if self._state is CircuitState.CLOSED:
            self._era = object()
        self._change(CircuitState.OPEN)

    def _close(self) -> None:
        self._probe = None
        self._era = object()
        self._change(CircuitState.CLOSED)
        self._window.clear()

    def _change(self, state: CircuitState) -> None:
        before, self._state = self._state, state
        if before is state or self._listener is None:
            return
        name = (self._system, self._upstream, self._operation)
        self._listener(CircuitChange(*name, before, state, self.error_rate))

    def _refusal(self, retry_after: float) -> UnavailableError:
        return UnavailableError(
            system=self._system,
            upstream=self._upstream,
            operation=self._operation,
            detail="the circuit is open",
            retry_after=retry_after,
        )


class Circuits:
    """The circuits of one upstream, made as operations are first called."""

    def __init__(
        self,
        system: str,
        upstream: str,
        rules: CircuitRules | None = None,
        *,
        clock: Clock = time.monotonic,
        listener: Listener | None = None,
    ) -> None:
        self._system = system
        self._upstream = upstream
        self._rules = rules or CircuitRules()
        self._clock = clock
        self._listener = listener or log_change
        self._made: dict[str, Circuit] = {}

    def of(self, operation: str) -> Circuit:
        if (found := self._made.get(operation)) is None:
            name = (self._system, self._upstream, operation)
            found = Circuit(name, self._rules, clock=self._clock, listener=self._listener)
            self._made[operation] = found
        return found

    def states(self) -> dict[str, CircuitState]:
        """By operation, of those that were called."""
        return {name: one.state for name, one in self._made.items() if one.was_called}


def log_change(change: CircuitChange) -> None:
    told = log.info if change.after is CircuitState.CLOSED else log.warning
    told(
        "circuit changed",
        system=change.system,
        upstream=change.upstream,
        operation=change.operation,
        before=change.before.value,
        after=change.after.value,
        error_rate=round(change.error_rate, 3),
    )


class Probe:
    """The token of the one call that finds out; `era` is the one it began in."""

    __slots__ = ("era",)

    def __init__(self, era: object) -> None:
        self.era = era


class _Window:
    """Calls and failures of the last seconds, in buckets, so that its size is bounded."""

    def __init__(self, rules: CircuitRules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock
        self._width = rules.window_seconds / rules.buckets
        self._buckets: deque[list[int]] = deque()
        self._latest = [-1, 0, 0]  # none yet
        self._in_a_row = 0
        # Failures are rare, and their sum need not be looked for where none may be.
        self._failed_in = -rules.buckets - 1

    def succeeded(self) -> bool:
        """Whether the circuit should open; so after `failed`."""
        number = int(self._clock() / self._width)
        latest = self._latest if self._latest[0] == number else self._next(number)
        latest[1] += 1
        self._in_a_row = 0
        return number - self._failed_in <= self._rules.buckets and self._is_bad()

    def failed(self) -> bool:
        number = int(self._clock() / self._width)
        latest = self._latest if self._latest[0] == number else self._next(number)
        latest[1] += 1
        latest[2] += 1
        self._in_a_row += 1
        self._failed_in = number
        return self._is_bad()

    @property
    def error_rate(self) -> float:
        calls, failures = self._totals()
        return failures / calls if calls else 0.0

    def _next(self, number: int) -> list[int]:
        self._latest = [number, 0, 0]
        self._buckets.append(self._latest)
        if len(self._buckets) > self._rules.buckets:
            self._buckets.popleft()
        return self._latest

    def _is_bad(self) -> bool:
        calls, failures = self._totals()
        if self._in_a_row >= self._rules.minimum:
            return True
        return calls >= self._rules.minimum and failures >= calls * self._rules.error_rate

    def clear(self) -> None:
        self._buckets.clear()
        self._latest = [-1, 0, 0]
        self._in_a_row = 0

    def _totals(self) -> tuple[int, int]:
        oldest = int(self._clock() / self._width) - self._rules.buckets
        while self._buckets and self._buckets[0][0] <= oldest:
            self._buckets.popleft()
        return sum(one[1] for one in self._buckets), sum(one[2] for one in self._buckets)


def _verdict(error: BaseException) -> bool | None:
    """Whether the system is there; None where the error does not tell."""
    if isinstance(error, QueueFullError | QueueTimedOutError):
        return None
    if isinstance(error, TransientError | MalformedError):
        return False
    return True if isinstance(error, RefusedError) else None
