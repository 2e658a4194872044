"""How long answers are good: what ports declare, what configuration overrides, what a value tells.

All lengths are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ports.operation import Operation
from ports.tracking import ShipmentStatus, Tracking

_DAY = 86_400.0

# Carriers do not revise what has ended.
_ENDED: Mapping[ShipmentStatus, float] = {
    ShipmentStatus.DELIVERED: 7 * _DAY,
    ShipmentStatus.RETURNED: _DAY,
}


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Fresh for `max_age`.

    For `stale_while_revalidate` more, who asks waits for the system no longer than the policy's
    patience. For `stale_if_error` from the end of `max_age`, the old value stands in when the
    system fails; 0 forbids both.
    """

    max_age: float
    stale_while_revalidate: float
    stale_if_error: float


@dataclass(frozen=True, slots=True)
class Override:
    """What configuration says of an operation; None leaves what the port declares."""

    max_age: float | None = None
    stale_while_revalidate: float | None = None
    stale_if_error: float | None = None


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """The knobs of the cache.

    `overrides` are by upstream, then by operation (`stock.availability`) or whole role (`stock`).
    `jitter` shortens each lifetime by a random part of up to this fraction, so that what was read
    together does not end together. `memory_seconds` bounds how long a process trusts its own
    memory where a store is shared: a missed invalidation ends with it.
    """

    jitter: float = 0.1
    negative_seconds: float = 5.0
    patience_seconds: float = 0.5
    call_seconds: float = 10.0
    memory_entries: int = 50_000
    memory_bytes: int = 128 * 1024 * 1024
    memory_seconds: float = 60.0
    overrides: Mapping[str, Mapping[str, Override]] = field(default_factory=dict)

    def lifetime(self, upstream: str, name: str, operation: Operation) -> Lifetime:
        told = self.overrides.get(upstream, {})
        found = told.get(name) or told.get(name.partition(".")[0]) or Override()
        max_age = _first(found.max_age, operation.max_age)
        return Lifetime(
            max_age,
            # Once more the lifetime: what is served is then never older than twice of it.
            _first(found.stale_while_revalidate, max_age),
            _first(found.stale_if_error, operation.stale_if_error),
        )


def fresh_seconds(value: object, lifetime: Lifetime) -> float:
    """How long this value is fresh; a parcel that has arrived changes no more."""
    if isinstance(value, Tracking) and lifetime.max_age:
        return max(lifetime.max_age, _ENDED.get(value.status, 0.0))
    return lifetime.max_age


def _first(told: float | None, declared: float) -> float:
    return declared if told is None else told
