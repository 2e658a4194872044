"""How answers came about, for headers, figures and whatever is made of several of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

import msgspec

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.flights import Flight
from upstream.memory import ABSENT, Entry


class Use(msgspec.Struct, frozen=True):
    """How the answers of one call came about: numbers of keys, and for how long they hold.

    `fresh_for` is the least number of seconds, counted from `at`, that any of them stays fresh;
    an old answer, a failed key, one of a second source, and one that is not kept or was purged
    meanwhile make it 0. `born` is when the oldest was asked. Both times are of the cache's clock.
    `entries` are those that are kept. `source` is the second system that gave the `fallback` ones.
    """

    upstream: str
    operation: str
    varies_on: tuple[str, ...]
    cached: int = 0
    stale: int = 0
    live: int = 0
    failed: int = 0
    fallback: int = 0
    fresh_for: float = 0.0
    at: float = 0.0
    born: float = inf
    entries: tuple[Entry, ...] = ()
    source: str | None = None

    @property
    def until(self) -> float:
        """When the first of the answers is no longer fresh."""
        return self.at + self.fresh_for

    def tags(self) -> Iterator[str]:
        """By which the answers are purged; a tag may come several times."""
        for entry in self.entries:
            yield from entry.tags
        if self.entries:
            yield from self.entries[0].broad


Observe = Callable[[Call, Use], object]


class Portion(msgspec.Struct, frozen=True):
    """One call of a port operation to its system, with all its tries and waits; what `watch` hears.

    `keys` is None for what asks no keys, `error` the code of what it failed of. Times are of
    `time.monotonic()`.
    """

    upstream: str
    operation: str
    keys: int | None
    began: float
    ended: float
    error: str | None = None


@dataclass(slots=True)
class Known:
    """What is known of the keys of one call: good answers, old ones that may stand in, flights."""

    good: dict[Any, Entry]
    old: dict[Any, Entry]
    stale: int = 0
    flights: Mapping[Any, Flight] = field(default_factory=dict)

    def answers(self, keys: Sequence[Any], flown: Mapping[Any, Any]) -> dict[Any, Any]:
        """By key, without those that the system does not know."""
        good = self.good
        if not flown:
            return {key: one.value for key, one in good.items() if one.value is not ABSENT}
        found = {}
        for key in keys:
            value = good[key].value if key in good else flown[key]
            if value is not ABSENT:
                found[key] = value
        return found

    def use(
        self,
        like: Use,
        flown: Mapping[Any, Any],
        max_age: float | None,
        clock: tuple[float, float],
    ) -> Use:
        """`like` names the operation. `clock`: the time, and how long an entry is trusted."""
        now, trusted = clock
        entries, failed = [*self.good.values()], 0
        for key, value in flown.items():
            if (entry := self.flights[key].kept.get(key)) is not None:
                entries.append(entry)
            if isinstance(value, UpstreamError):
                failed += 1
        until, born = _span(entries, trusted) if entries else (inf, inf)
        if max_age is not None:
            until = min(until, born + max_age)
        # What is not kept was purged on its way, or is never to be reused.
        holds = entries and len(entries) == len(self.good) + len(flown) and not self.stale
        if self.stale:
            born = min([born, *(one.born for one in self.old.values())])
        return Use(
            like.upstream,
            like.operation,
            like.varies_on,
            cached=len(self.good),
            stale=self.stale,
            live=len(flown) - self.stale - failed,
            failed=failed,
            fresh_for=max(0.0, until - now) if holds else 0.0,
            at=now,
            born=born,
            entries=tuple(entries),
        )


def _span(entries: Sequence[Entry], trusted: float) -> tuple[float, float]:
    """When the first of them ends, and when the oldest was asked.

    None is trusted for longer than `trusted` seconds after it was looked at.
    """
    # Lists, not one loop: a page of kept answers spends its time here.
    ends = min([one.born + one.fresh for one in entries])
    checked = min([one.checked for one in entries])
    return min(ends, checked + trusted), min([one.born for one in entries])
