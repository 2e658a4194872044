"""Any course of events against a plain statement of what a cache may answer."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ports.caller import Call
from ports.common import Answers, Freshness, FreshnessState, SystemName
from ports.errors import UnavailableError, UpstreamError
from ports.operation import batch
from tests.upstream.loopback import call
from upstream.cache import Cache
from upstream.connector import Manifest, Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded
from upstream.lifetimes import CachePolicy

MAX_AGE, STALE, NEGATIVE = 10, 30, 5
SKUS = ("a", "b", "c")


class Level(msgspec.Struct, frozen=True):
    version: int
    freshness: Freshness


class Stock(Protocol):
    @batch(varies_on=(), max_age=MAX_AGE, stale_if_error=STALE)
    async def availability(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, Level]: ...


class Machine(RuleBasedStateMachine):
    """One system whose stock changes, one cache, one clock.

    `versions` are what the system holds now (None: not known there), `reads` what it was last
    asked and told, and when; a purge forgets them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = 1000.0
        self.down = False
        self.calls = 0
        self.changes = 0
        self.versions: dict[str, int | None] = dict.fromkeys(SKUS, 0)
        self.reads: dict[str, list[tuple[float, int | None]]] = {sku: [] for sku in SKUS}
        policy = CachePolicy(negative_seconds=NEGATIVE, jitter=0, memory_entries=2)
        self.cache = Cache(policy, clock=lambda: self.now)
        manifest = Manifest("x", "X", SystemName.ERP, ("stock",), "a:B", "a:C")
        upstream = Upstream("erp", manifest, Exchanges())
        self.upstream = upstream
        self.port: Any = Guarded("stock", Stock, self, upstream, self.cache)

    async def availability(self, skus: Sequence[str], /, *, call: Call) -> dict[str, Level]:
        self.calls += 1
        if self.down:
            raise UnavailableError(system="ERP", upstream="erp", operation="stock.availability")
        told = {sku: self.versions[sku] for sku in skus}
        for sku, version in told.items():
            self.reads[sku].append((self.now, version))
        fresh = self.upstream.read_now()
        return {sku: Level(one, fresh) for sku, one in told.items() if one is not None}

    @rule(seconds=st.sampled_from((0.5, 3.0, 6.0, 11.0, 45.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(sku=st.sampled_from(SKUS), known=st.booleans())
    def stock_changes(self, sku: str, known: bool) -> None:
        self.changes += 1
        self.versions[sku] = self.changes if known else None

    @rule(down=st.booleans())
    def system_fails_or_returns(self, down: bool) -> None:
        self.down = down

    @rule(sku=st.sampled_from(SKUS))
    def purged(self, sku: str) -> None:
        self.run(self.cache.purge([f"product:{sku}"]))
        self.reads[sku].clear()

    @rule(
        skus=st.lists(st.sampled_from(SKUS), min_size=1, unique=True),
        max_age=st.sampled_from((None, 0, 4, 100)),
        stale_if_error=st.sampled_from((None, 0, 8, 100)),
    )
    def asked(self, skus: list[str], max_age: int | None, stale_if_error: int | None) -> None:
        terms = msgspec.structs.replace(call(), max_age=max_age, stale_if_error=stale_if_error)
        before = self.calls
        try:
            told = self.run(self.port.availability(skus, call=terms))
        except UpstreamError as error:
            told = dict.fromkeys(skus, error)
        assert self.calls <= before + 1
        fresh = min(MAX_AGE, MAX_AGE if max_age is None else max_age)
        stale = fresh + min(STALE, STALE if stale_if_error is None else stale_if_error)
        for sku in skus:
            self.judge(sku, told.get(sku), fresh, stale)

    def judge(
        self, sku: str, told: Level | UpstreamError | None, fresh: float, stale: float
    ) -> None:
        """The answer is what the system told, no longer ago than its state allows."""
        if isinstance(told, UpstreamError):
            assert self.down
        elif told is None:
            assert self.was_told(sku, None, min(fresh, NEGATIVE))
        elif told.freshness.state is FreshnessState.LIVE:
            assert (self.now, told.version) in self.reads[sku]
        elif told.freshness.state is FreshnessState.CACHED:
            assert self.was_told(sku, told.version, fresh)
        else:
            assert self.down
            assert self.was_told(sku, told.version, stale)

    def was_told(self, sku: str, version: int | None, seconds: float) -> bool:
        """Just now, or less than so many seconds ago."""
        return any(
            one == version and (at == self.now or self.now - at < seconds)
            for at, one in self.reads[sku]
        )

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.cache.memory) <= 2

    def run(self, awaited: Any) -> Any:
        return self.loop.run_until_complete(awaited)

    def teardown(self) -> None:
        self.run(self.cache.aclose())
        self.loop.close()


TestCache = Machine.TestCase
TestCache.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
