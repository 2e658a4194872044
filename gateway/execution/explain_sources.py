"""Which upstreams answer a port operation here: what they bear, how long it takes, what is kept."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING

from gateway.execution.explain_report import Batch, Keeping, Worst
from ports.operation import Operation, operations
from upstream.config import UpstreamConfig
from upstream.connector import Upstream
from upstream.lifetimes import CachePolicy, Lifetime
from upstream.paces import Pace
from upstream.roles import ROLES

if TYPE_CHECKING:
    from gateway.settings import Settings

PaceOf = Callable[[Upstream, str], Pace | None]
"""How long calls of a port operation of an upstream take, as far as is known."""


def lately(until: float | None = None) -> PaceOf:
    """As this process saw it itself, up to a moment (`time.monotonic()`)."""

    def pace_of(upstream: Upstream, operation: str) -> Pace | None:
        return upstream.paces.of(operation, time.monotonic() if until is None else until)

    return pace_of


@dataclass(frozen=True, slots=True)
class Source:
    """One upstream for one port operation. `lifetime` None: no answer is kept."""

    upstream: Upstream
    config: UpstreamConfig
    operation: Operation
    max_keys: int | None
    pace: Pace | None
    lifetime: Lifetime | None
    store: str
    deadline_seconds: float
    second: str | None = None

    @property
    def is_batch(self) -> bool:
        return self.operation.shape == "batch"

    def batches(self, keys: int) -> tuple[Batch, ...]:
        """The calls that so many keys, or single questions, are put in."""
        if not self.is_batch:
            return (Batch(keys),)
        if self.max_keys is None or keys <= self.max_keys:
            return (Batch(1, keys),)
        full, rest = divmod(keys, self.max_keys)
        return (Batch(full, self.max_keys), *((Batch(1, rest),) if rest else ()))

    def worst(self, keys: int) -> Worst:
        """Of all calls, as many at once as the upstream bears."""
        calls = sum(one.calls for one in self.batches(keys))
        rounds = ceil(calls / (self._concurrency or calls))
        limit = self.deadline_seconds
        if self.pace is not None:
            seconds = min(limit, rounds * self.pace.seconds)
            return Worst(_milliseconds(seconds), "p95", self.pace.calls)
        seconds = min(limit, rounds * self.config.timeout_seconds * self.config.tries)
        return Worst(_milliseconds(seconds), "timeout")

    def keeping(self, max_age: float | None, stale_if_error: float | None) -> Keeping | None:
        """What a client asks of lifetimes tightens them."""
        if self.lifetime is None:
            return None
        life = self.lifetime
        age = life.max_age if max_age is None else min(life.max_age, max_age)
        stale = (
            life.stale_if_error
            if stale_if_error is None
            else min(life.stale_if_error, stale_if_error)
        )
        between = life.stale_while_revalidate if max_age is None and stale else 0.0
        return Keeping(self.store, age, between, stale, self.operation.varies_on)

    @property
    def _concurrency(self) -> int | None:
        return self.config.concurrency or self.upstream.manifest.concurrency


@dataclass(frozen=True, slots=True)
class Server:
    """An upstream that serves a role, and the name of the one that stands in for it."""

    upstream: Upstream
    config: UpstreamConfig
    second: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """`servers` are by role; carriers are several. `policy` None: no answers are kept."""

    servers: Mapping[str, Sequence[Server]]
    policy: CachePolicy | None
    store: str = "memory"
    pace_of: PaceOf = field(default_factory=lately)
    deadline_seconds: float = 10.0
    cost_limit: int = 5_000
    declared: Mapping[str, Operation] = field(default_factory=lambda: dict(_declared()))

    @classmethod
    def of_settings(
        cls,
        settings: "Settings",
        upstreams: Mapping[str, Upstream],
        policy: CachePolicy | None,
        pace_of: PaceOf | None = None,
    ) -> "Sources":
        return cls(
            _servers(settings, upstreams),
            policy,
            "memory" if settings.redis.url is None else "memory, shared",
            pace_of or lately(),
            settings.graphql.deadline_seconds,
            settings.limits.cost,
        )

    def of(self, name: str) -> list[Source]:
        """None of an operation whose role nobody serves."""
        operation = self.declared.get(name)
        if operation is None:
            return []
        return [self._source(one, name, operation) for one in self._serving(name)]

    def _serving(self, name: str) -> Sequence[Server]:
        return self.servers.get(name.partition(".")[0], ())

    def _source(self, server: Server, name: str, operation: Operation) -> Source:
        upstream = server.upstream
        limits = upstream.manifest.operations.get(name)
        lifetime = self.policy and self.policy.lifetime(upstream.name, name, operation)
        return Source(
            upstream,
            server.config,
            operation,
            limits.max_keys if limits else None,
            self.pace_of(upstream, name),
            lifetime if lifetime and lifetime.max_age > 0 else None,
            self.store,
            self.deadline_seconds,
            server.second,
        )


def _declared() -> Iterator[tuple[str, Operation]]:
    for role, protocol in ROLES.items():
        for method, operation in operations(protocol).items():
            yield f"{role}.{method}", operation


def _servers(
    settings: "Settings", upstreams: Mapping[str, Upstream]
) -> dict[str, Sequence[Server]]:
    first, second = settings.roles, settings.fallbacks
    found: dict[str, Sequence[Server]] = {}
    pairs: list[tuple[str | None, str | None]]
    for role in ROLES:
        if role == "tracking":
            pairs = [(name, second.tracking.get(code)) for code, name in first.tracking.items()]
        else:
            pairs = [(getattr(first, role), getattr(second, role))]
        found[role] = [
            Server(upstreams[name], settings.upstreams[name], spare)
            for name, spare in dict(pairs).items()
            if name is not None
        ]
    return found


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
