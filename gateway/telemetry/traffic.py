"""The traffic of the last minute: who asks which operations, and which systems those call.

Operations are counted as they are answered; calls to systems are told by the journal's thread.
"""

import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from math import log2
from typing import Any, Generic, TypeVar

from gateway.execution.answer import Answer
from gateway.operations.request import RequestError
from gateway.telemetry.journal.record import Entry, Good, client_of
from gateway.telemetry.metrics.figures import UNNAMED, Names
from ports.caller import Caller, CallerKind
from resolvers.context import Context

WINDOW_SECONDS = 60.0
_PART_SECONDS = 5.0
# Names that are told apart; what else there is counts together.
_OPERATIONS = 100
_CLIENTS = 50
# Statuses and codes from here on are not the client's doing.
_OURS = 500
_OUR_CODES = frozenset({"INTERNAL", "DEADLINE_EXCEEDED"})
# Three buckets an octave from a quarter of a millisecond to sixteen seconds.
_SHORTEST, _BY_OCTAVE, _BUCKETS = 0.25, 3, 49

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Tally:
    """How often, how often in vain, and how long it took."""

    count: int = 0
    failed: int = 0
    times: list[int] = field(default_factory=lambda: [0] * _BUCKETS)

    def add(self, milliseconds: float, *, failed: bool) -> None:
        self.count += 1
        self.failed += failed
        self.times[_bucket(milliseconds)] += 1

    def join(self, other: "Tally") -> None:
        self.count += other.count
        self.failed += other.failed
        for place, number in enumerate(other.times):
            self.times[place] += number

    @property
    def error_rate(self) -> float:
        return self.failed / self.count if self.count else 0.0

    @property
    def p95(self) -> float | None:
        """Milliseconds, about an eighth off at most; None where nothing was counted."""
        missing = self.count * 0.95
        for place, number in enumerate(self.times):
            missing -= number
            if number and missing <= 0:
                return float(f"{_SHORTEST * 2 ** ((place - 0.5) / _BY_OCTAVE):.2g}")
        return None


class Window(Generic[Key]):
    """Tallies by key over the last minute. One thread adds; any may read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._parts: deque[tuple[float, dict[Key, Tally]]] = deque(
            maxlen=int(WINDOW_SECONDS / _PART_SECONDS) + 1
        )

    def add(self, key: Key, milliseconds: float, *, failed: bool) -> None:
        self.tally(key).add(milliseconds, failed=failed)

    def tally(self, key: Key) -> Tally:
        """That of now, to be added to at once."""
        now = self._clock()
        if not self._parts or now - self._parts[-1][0] >= _PART_SECONDS:
            self._parts.append((now, {}))
        part = self._parts[-1][1]
        tally = part.get(key)
        if tally is None:
            tally = part[key] = Tally()
        return tally

    @property
    def seconds(self) -> float:
        """Over how long it was counted: less than a minute in the beginning."""
        return max(_PART_SECONDS, min(WINDOW_SECONDS, self._clock() - self._began))

    def totals(self) -> dict[Key, Tally]:
        oldest = self._clock() - WINDOW_SECONDS
        found: dict[Key, Tally] = {}
        for began, part in list(self._parts):
            if began >= oldest:
                for key, tally in list(part.items()):
                    found.setdefault(key, Tally()).join(tally)
        return found


class Traffic:
    """`asked` is kept by client and operation, `called` by operation and upstream.

    A call that nobody's operation caused is the gateway's own, with None in its place. `kept`
    is what `Replies` tell, `told` what the journal tells.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.asked: Window[tuple[str, str]] = Window(clock)
        self.called: Window[tuple[str | None, str]] = Window(clock)
        self.reused = 0
        self._operations = Names(_OPERATIONS)
        self._clients = Names(_CLIENTS)

    def answered(self, caller: Caller, name: str | None, seconds: float, *, failed: bool) -> None:
        stranger = caller.kind is CallerKind.ANONYMOUS
        operation = self._operations.of(name, stranger=stranger)
        client = self._clients.of(client_of(caller), stranger=False)
        self.asked.add((client, operation), seconds * 1000, failed=failed)

    def kept(self, caller: Caller, source: object) -> None:
        """Told of an answer that was given again; `source` is that of its provenance."""
        self.reused += 1
        name = source[0] if isinstance(source, tuple) else None
        self.answered(caller, name, 0.0, failed=False)

    def told(self, entries: Iterable[Entry | Good]) -> None:
        """To be called by the journal, in its thread. Names as the operations were counted."""
        tallies: dict[tuple[str | None, str | None, str, str], Tally] = {}
        for one in entries:
            if one.tried:
                key = (one.asked, one.graphql, one.client, one.upstream)
                if (tally := tallies.get(key)) is None:
                    tally = tallies[key] = self.called.tally((self._caused(one), one.upstream))
                tally.add(one.milliseconds, failed=one.error is not None)

    def _caused(self, entry: Entry | Good) -> str | None:
        if entry.asked is None:
            return None
        if entry.graphql is None:
            return UNNAMED
        stranger = entry.client == CallerKind.ANONYMOUS.value.lower()
        return self._operations.of(entry.graphql, stranger=stranger)

    def over(
        self, context: Context, seconds: float, answer: Answer | None, refusal: RequestError | None
    ) -> None:
        """An `Over` of operations."""
        if answer is None:
            failed = refusal is None or refusal.status >= _OURS
        else:
            failed = bool(answer.errors) and any(map(_is_ours, answer.errors))
        self.answered(context.call.caller, context.call.operation, seconds, failed=failed)


def _is_ours(error: Mapping[str, Any]) -> bool:
    code = str((error.get("extensions") or {}).get("code", "INTERNAL"))
    return code.startswith("UPSTREAM_") or code in _OUR_CODES


def _bucket(milliseconds: float) -> int:
    if milliseconds <= _SHORTEST:
        return 0
    return min(_BUCKETS - 1, int(log2(milliseconds / _SHORTEST) * _BY_OCTAVE) + 1)
