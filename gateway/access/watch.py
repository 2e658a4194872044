"""Suspicious activity: counted per caller in sliding windows, logged as security events.

What is counted is kept as keyed hashes only; numbers, SKUs and secrets are never stored or logged.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Protocol

import structlog

from gateway.operations.request import RequestError

MAX_CALLERS = 100_000
# About 150 bytes each: 30 MB when everybody is suspicious at once.
MAX_ENTRIES = 200_000
MAX_FACT_CHARACTERS = 64
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


class Watch:
    """Counts for one process: replicas each count what they see."""

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

    def observe(self, caller: str, observed: Observed) -> None:
        """Counts all that one operation did."""
        for event, value in notes_of(observed):
            self.note(event, caller=caller, **({} if value is None else {"value": value}))

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

    def _hashed(self, value: object) -> bytes | None:
        if value is None:
            return None
        return blake2b(str(value).encode(errors="replace"), key=self._salt, digest_size=8).digest()

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
            self._throttled[caller] = self._clock() + seconds
            self._throttled.move_to_end(caller)
            if len(self._throttled) > self._max_callers:
                self._throttled.popitem(last=False)

    def _shrink(self) -> None:
        """Forgets those who have been quiet longest, which keeps memory bounded."""
        while len(self._windows) > self._max_callers or (
            self._entries > self._max_entries and len(self._windows) > 1
        ):
            _, window = self._windows.popitem(last=False)
            self._entries -= len(window.entries)


class _Window:
    """The latest entries, oldest first, at most as many as make an alarm."""

    __slots__ = ("entries", "quiet_until", "serial")

    def __init__(self) -> None:
        self.entries: OrderedDict[bytes | int, float] = OrderedDict()
        self.serial = 0
        self.quiet_until = float("-inf")

    def add(self, value: bytes | None, now: float, rule: Rule) -> bool:
        """Whether this entry makes an alarm; after one there is none for the length of a window."""
        while self.entries and next(iter(self.entries.values())) <= now - rule.window_seconds:
            self.entries.popitem(last=False)
        key: bytes | int = value if value is not None else self.serial
        self.serial += 1
        self.entries.pop(key, None)
        self.entries[key] = now
        if len(self.entries) > rule.threshold:
            self.entries.popitem(last=False)
        if len(self.entries) < rule.threshold or now < self.quiet_until:
            return False
        self.quiet_until = now + rule.window_seconds
        return True


def _each(event: Event, values: Iterable[str]) -> Iterator[Note]:
    for value in values:
        yield event, value


def _short(value: object) -> str | int | float | bool:
    if isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= MAX_FACT_CHARACTERS else text[: MAX_FACT_CHARACTERS - 1] + "…"
