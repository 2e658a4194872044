"""What one call accepts of what is known: how old, and when at all past its lifetime."""

from math import inf

import msgspec

from ports.caller import Call
from upstream.lifetimes import Lifetime
from upstream.memory import ABSENT, Entry


class Terms(msgspec.Struct, frozen=True):
    """In seconds, except for times of the cache's clock.

    `max_age` is the oldest fresh answer; past that one stands in for `revalidate` while the system
    is slow, and for `stale` where it fails. A call under way serves this one too if it began at
    `since` or later.
    """

    scope: str
    call: Call
    now: float
    max_age: float
    revalidate: float
    stale: float
    since: float

    def accepts(self, entry: Entry) -> bool:
        return self.now - entry.born < min(entry.fresh, self.max_age)

    def covers_slowness(self, entry: Entry) -> bool:
        return self._covers(entry, self.revalidate, self.now)

    def covers_failure(self, entry: Entry, now: float) -> bool:
        return self._covers(entry, self.stale, now)

    def _covers(self, entry: Entry, seconds: float, now: float) -> bool:
        """That nothing was known is no answer to give while nobody can be asked."""
        if entry.value is ABSENT or seconds <= 0:
            return False
        return now - entry.born < min(entry.fresh, self.max_age) + seconds


def terms_of(call: Call, scope: str, lifetime: Lifetime, now: float) -> Terms:
    """A call tightens the operation's lifetimes. One that names an age waits for the system."""
    stale = lifetime.stale_if_error
    if call.stale_if_error is not None:
        stale = min(stale, call.stale_if_error)
    if call.max_age is None:
        revalidate = min(lifetime.stale_while_revalidate, stale)
        return Terms(scope, call, now, inf, revalidate, stale, -inf)
    return Terms(scope, call, now, call.max_age, 0.0, stale, now - call.max_age)
