"""Suspicious activity: counted per caller in sliding windows, logged as security events.

What is counted is kept as keyed hashes only; numbers, SKUs and secrets are never stored or logged.
"""

import os
import secrets
import sys
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from heapq import nlargest
from operator import itemgetter
from typing import Protocol

import structlog

from gateway.access.rates import network_of
from gateway.operations.request import RequestError
from ports.caller import Caller, CallerKind

MAX_CALLERS = 100_000
# About 150 bytes each: 30 MB when everybody is suspicious at once.
MAX_ENTRIES = 200_000
MAX_FACT_CHARACTERS = 64
# So many times the threshold are held at most, where no alarm may be told anyway.
_CROWD = 2
# What an event may say besides; everything else might be personal or secret.
_TOLD = frozenset({"address", "key_id", "issuer", "origin", "request_id", "why"})

log = structlog.get_logger(__name__)


class Event(StrEnum):
    """What is watched; the values are the keys of `[watch]`."""

    NUMBER_ENUMERATION = "number_enumeration"
    CUSTOMER_READING = "customer_reading"
    PRICE_SCRAPING = "price_scraping"
    LOGIN_FAILURE = "login_failure"
    API_KEY_REFUSED = "api_key_refused"
    SCOPE_PROBE = "scope_probe"


_REASONS: Mapping[Event, str] = {
    Event.NUMBER_ENUMERATION: "many different unknown order or tracking numbers asked for",
    Event.CUSTOMER_READING: "many different customers read",
    Event.PRICE_SCRAPING: "many different SKUs priced",
    Event.LOGIN_FAILURE: "many credentials not accepted",
    Event.API_KEY_REFUSED: "an API key used again and again that is not accepted",
    Event.SCOPE_PROBE: "many fields refused for want of a scope",
}


class Rule(Protocol):
    """What a table of `[watch]` holds."""

    @property
    def threshold(self) -> int: ...
    @property
    def window_seconds(self) -> float: ...
    @property
    def throttle_seconds(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Observed:
    """What one operation asked for, as its resolvers counted it."""

    unknown_numbers: Collection[str] = ()
    customers: Collection[str] = ()
    skus: Collection[str] = ()
    refused_fields: int = 0


Note = tuple[Event, str | None]


def notes_of(observed: Observed) -> Iterator[Note]:
    """The events of one operation; those with a value count once for each different value."""
    yield from _each(Event.NUMBER_ENUMERATION, observed.unknown_numbers)
    yield from _each(Event.CUSTOMER_READING, observed.customers)
    yield from _each(Event.PRICE_SCRAPING, observed.skus)
    for _ in range(observed.refused_fields):
        yield Event.SCOPE_PROBE, None


# Told of each note: the event, the caller and the value.
Tell = Callable[[Event, str, str | None], None]


def watched_as(caller: Caller, address: str) -> str:
    """By what name a caller is counted: one stranger must not have all others throttled."""
    if caller.kind is CallerKind.ANONYMOUS:
        return f"{caller.subject} {network_of(address)}"
    return caller.subject


class Watch:
    """Counts for one process. What it counts may be shared with other replicas."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        *,
        clock: Callable[[], float] = time.monotonic,
        max_callers: int = MAX_CALLERS,
        max_entries: int = MAX_ENTRIES,
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._max_callers = max_callers
        self._max_entries = max_entries
        self._windows: OrderedDict[tuple[Event, str], _Window] = OrderedDict()
        self._entries = 0
        self._throttled: OrderedDict[str, float] = OrderedDict()
        self._salt = secrets.token_bytes(16)
        # Python's own hash of texts is keyed anew in each process, unless it was told not to.
        self._is_keyed = bool(sys.flags.hash_randomization) and "PYTHONHASHSEED" not in os.environ
        self._tell: Tell | None = None

    def share(self, tell: Tell) -> None:
        """`tell` is called with all that is counted from now on. Must not block, nor raise."""
        self._tell = tell

    def note(self, event: str, *, caller: str, **facts: object) -> None:
        """Counts one event of a caller: a subject, or the address of a login failure.

        With the fact `value` only different values count; it is kept as a hash. A few other
        facts are told by the security event (address, key_id, issuer, origin, request_id, why or
        reason), as short texts; the rest is dropped. Never raises.
        """
        try:
            known = Event(event.replace(" ", "_"))
        except ValueError:
            log.warning("unknown security event", kind=_short(event))
            return
        if (rule := self._rules.get(known)) is None:
            return
        window = self._window(known, caller)
        before = len(window.entries)
        crossed = window.add(self._hashed(facts.get("value")), self._clock(), rule)
        self._entries += len(window.entries) - before
        if crossed:
            self._raise_alarm(known, caller, rule, facts)
        self._shrink()
        if self._tell is not None:
            value = facts.get("value")
            self._tell(known, caller, None if value is None else str(value))

    def crossed(self, event: Event, caller: str) -> None:
        """What all replicas have counted together has crossed its threshold."""
        rule = self._rules[event]
        window = self._window(event, caller)
        if window.quiets(self._clock(), rule):
            self._raise_alarm(event, caller, rule, {"why": "counted by all replicas"})
        self._shrink()

    def throttle(self, caller: str, seconds: float) -> None:
        self._throttled[caller] = self._clock() + seconds
        self._throttled.move_to_end(caller)
        if len(self._throttled) > self._max_callers:
            self._throttled.popitem(last=False)

    def observe(self, caller: str, observed: Observed) -> None:
        """Counts all that one operation did: a page of prices is one look at the caller's window."""
        self._count(Event.NUMBER_ENUMERATION, caller, observed.unknown_numbers)
        self._count(Event.CUSTOMER_READING, caller, observed.customers)
        self._count(Event.PRICE_SCRAPING, caller, observed.skus)
        for _ in range(observed.refused_fields):
            self.note(Event.SCOPE_PROBE, caller=caller)
        if self._tell is not None:
            for event, value in notes_of(observed):
                if value is not None:
                    self._tell(event, caller, value)

    def _count(self, event: Event, caller: str, values: Collection[str]) -> None:
        rule = self._rules.get(event)
        if not values or rule is None:
            return
        window, now = self._window(event, caller), self._clock()
        before, salt = len(window.entries), self._salt
        hashed = map(hash, values) if self._is_keyed else [hash((salt, one)) for one in values]
        crossed = window.add_all(hashed, now, rule)
        self._entries += len(window.entries) - before
        if crossed:
            self._raise_alarm(event, caller, rule, {})
        self._shrink()

    def throttled(self, caller: str) -> float | None:
        """Seconds until the caller is served again; None when it may go on."""
        until = self._throttled.get(caller)
        if until is None:
            return None
        if (left := until - self._clock()) > 0:
            return left
        del self._throttled[caller]
        return None

    def require_unthrottled(self, caller: str) -> None:
        """Raises RequestError 429 for a caller who is throttled."""
        if (seconds := self.throttled(caller)) is not None:
            raise RequestError(
                429,
                "Too many suspicious requests; try again later.",
                "RATE_LIMITED",
                ((b"retry-after", b"%d" % (int(seconds) + 1)),),
            )

    def _window(self, event: Event, caller: str) -> "_Window":
        window = self._windows.setdefault((event, caller), _Window())
        self._windows.move_to_end((event, caller))
        return window

    def _hashed(self, value: object) -> int | None:
        """Keyed, so that it tells nothing of the text."""
        if value is None:
            return None
        return hash(str(value)) if self._is_keyed else hash((self._salt, str(value)))

    def _raise_alarm(
        self, event: Event, caller: str, rule: Rule, facts: Mapping[str, object]
    ) -> None:
        given = {"why": facts["reason"], **facts} if "reason" in facts else facts
        told = {name: _short(value) for name, value in given.items() if name in _TOLD}
        seconds = rule.throttle_seconds
        log.warning(
            "security event",
            **{**told, "kind": event.value, "caller": _short(caller)},
            count=rule.threshold,
            window_seconds=rule.window_seconds,
            reason=_REASONS[event],
            throttled_seconds=seconds,
        )
        if seconds > 0:
            self.throttle(caller, seconds)

    def _shrink(self) -> None:
        """Forgets those who have been quiet longest, which keeps memory bounded."""
        while len(self._windows) > self._max_callers or (
            self._entries > self._max_entries and len(self._windows) > 1
        ):
            _, window = self._windows.popitem(last=False)
            self._entries -= len(window.entries)


class _Window:
    """When each value was seen last, of little more of them than make an alarm.

    What is too old is looked for only where it could matter: most callers never come near.
    """

    __slots__ = ("entries", "quiet_until", "serial")

    def __init__(self) -> None:
        self.entries: dict[int | str, float] = {}
        self.serial = 0
        self.quiet_until = float("-inf")

    def add(self, value: int | None, now: float, rule: Rule) -> bool:
        """Whether this entry makes an alarm; after one there is none for the length of a window."""
        key = value if value is not None else f"#{self.serial}"
        self.serial += 1
        return self.add_all((key,), now, rule)

    def add_all(self, keys: Iterable[int | str], now: float, rule: Rule) -> bool:
        """As `add`, for several at once."""
        entries, most = self.entries, rule.threshold
        entries.update(dict.fromkeys(keys, now))
        if len(entries) < most:
            return False
        if now < self.quiet_until and len(entries) < _CROWD * most:
            return False
        self.entries = entries = _latest(entries, now - rule.window_seconds, most)
        return len(entries) >= most and self.quiets(now, rule)

    def quiets(self, now: float, rule: Rule) -> bool:
        """Whether an alarm may be told now; then there is none for the length of a window."""
        if now < self.quiet_until:
            return False
        self.quiet_until = now + rule.window_seconds
        return True


def _latest(entries: Mapping[int | str, float], oldest: float, most: int) -> dict[int | str, float]:
    """Those seen after `oldest`, `most` of them."""
    kept = {key: seen for key, seen in entries.items() if seen > oldest}
    if len(kept) <= most:
        return kept
    return dict(nlargest(most, kept.items(), key=itemgetter(1)))


def _each(event: Event, values: Iterable[str]) -> Iterator[Note]:
    for value in values:
        yield event, value


def _short(value: object) -> str | int | float | bool:
    if isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= MAX_FACT_CHARACTERS else text[: MAX_FACT_CHARACTERS - 1] + "…"
