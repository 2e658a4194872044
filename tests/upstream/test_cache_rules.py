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

    `history` holds for each SKU when it took which version; None: it is not known there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.now = 1000.0
        self.down = False
        self.calls = 0
        self.history: dict[str, list[tuple[float, int | None]]] = {sku: [(0.0, 0)] for sku in SKUS}
        self.read: dict[str, float] = {}
        self.floor: dict[str, float] = dict.fromkeys(SKUS, 0.0)
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
        told = {sku: self.history[sku][-1][1] for sku in skus}
        self.read.update(dict.fromkeys(skus, self.now))
        fresh = self.upstream.read_now()
        return {sku: Level(one, fresh) for sku, one in told.items() if one is not None}

    @rule(seconds=st.sampled_from((0.5, 3.0, 6.0, 11.0, 45.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(sku=st.sampled_from(SKUS), known=st.booleans())
    def stock_changes(self, sku: str, known: bool) -> None:
        version = len(self.history[sku])
        self.history[sku].append((self.now, version if known else None))

    @rule(down=st.booleans())
    def system_fails_or_returns(self, down: bool) -> None:
        self.down = down

    @rule(sku=st.sampled_from(SKUS))
    def purged(self, sku: str) -> None:
        self.run(self.cache.purge([f"product:{sku}"]))
        self.floor[sku] = self.now

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
        """The answer was true at some time no longer ago than its state allows."""
        if isinstance(told, UpstreamError):
            assert self.down
            return
        if told is None:
            oldest = 0.0 if not self.down and self.read.get(sku) == self.now else NEGATIVE
            assert self.was_true(sku, None, oldest)
            return
        state = told.freshness.state
        if state is FreshnessState.LIVE:
            assert not self.down
            assert self.was_true(sku, told.version, 0.0)
        else:
            assert state is not FreshnessState.STALE or self.down
            oldest = fresh if state is FreshnessState.CACHED else stale
            assert self.was_true(sku, told.version, oldest)

    def was_true(self, sku: str, version: int | None, seconds: float) -> bool:
        since = max(self.now - seconds, self.floor[sku])
        events = self.history[sku]
        ends = [start for start, _ in events[1:]] + [self.now]
        return any(
            one == version and end >= since for (_, one), end in zip(events, ends, strict=True)
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
TestCache.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
