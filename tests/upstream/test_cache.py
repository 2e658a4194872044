"""What is asked of a system and what is answered from what is known, counted in calls."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec
import pytest

from ports.accounts import CreditStatus, CustomerAccount
from ports.caller import Call
from ports.common import Answers, Freshness, FreshnessState, Money, Page, PageRequest, SystemName
from ports.errors import (
    BadInputError,
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)
from ports.operation import batch, single
from ports.stock import Availability, AvailabilityStatus
from ports.tracking import CarrierTracking, Parcel, ShipmentStatus, Tracking
from tests.upstream.loopback import call
from upstream.cache import Cache
from upstream.connector import Manifest, OperationLimits, Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded
from upstream.lifetimes import CachePolicy, Override

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


class Stock(Protocol):
    """Lifetimes of its own, so that the numbers below stand beside each other."""

    @batch(varies_on=(), max_age=10, stale_if_error=300)
    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> Answers[str, Availability]: ...

    @batch(varies_on=("language", "customer", "caller"), max_age=10, stale_if_error=300)
    async def private(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, str]: ...

    @batch(varies_on=(), max_age=10, stale_if_error=300)
    async def accounts(
        self, customers: Sequence[str], /, *, call: Call
    ) -> Answers[str, CustomerAccount]: ...

    @single(varies_on=(), max_age=10, stale_if_error=300)
    async def search(
        self, text: str | None, page: PageRequest, /, *, call: Call
    ) -> Page[Availability]: ...

    @single(varies_on=(), max_age=10, stale_if_error=300)
    async def count(self, text: str, /, *, call: Call) -> int | None: ...

    @batch(varies_on=(), max_age=0, stale_if_error=0)
    async def live(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, int]: ...


class Erp:
    """Answers the number of the call that it was asked in, unless it is told to fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def availability(self, skus: Sequence[str], /, *, call: Call) -> dict[str, Any]:
        number = await self._answer(*skus)
        known = [sku for sku in skus if not sku.startswith("unknown")]
        return {sku: _failed() if sku == "broken" else available(number) for sku in known}

    async def private(self, skus: Sequence[str], /, *, call: Call) -> dict[str, str]:
        await self._answer(*skus)
        return dict.fromkeys(skus, f"{call.caller.subject} {call.caller.customer}")

    async def accounts(self, customers: Sequence[str], /, *, call: Call) -> dict[str, Any]:
        credit = CreditStatus(Money(Decimal(await self._answer(*customers)), "EUR"), freshness())
        return dict.fromkeys(customers, CustomerAccount("EUR", blocked=False, credit=credit))

    async def search(
        self, text: str | None, page: PageRequest, /, *, call: Call
    ) -> Page[Availability]:
        return Page((available(await self._answer(text, page)),), ("1",), has_next=False)

    async def count(self, text: str, /, *, call: Call) -> int | None:
        return await self._answer(text) if text else None

    async def live(self, skus: Sequence[str], /, *, call: Call) -> dict[str, int]:
        return dict.fromkeys(skus, await self._answer(*skus))

    async def _answer(self, *asked: Any) -> int:
        self.asked.append(asked)
        number = len(self.asked)
        await self.open.wait()
        if self.error:
            raise self.error
        return number


class Time:
    """The cache's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Shop:
    """A guarded ERP with its cache and clock."""

    def __init__(self, policy: CachePolicy | None = None, max_keys: int | None = None) -> None:
        self.erp = Erp()
        self.time = Time()
        self.cache = Cache(policy, clock=self.time, chance=lambda: 0.0)
        limits = {"stock.availability": OperationLimits(max_keys)} if max_keys else {}
        manifest = Manifest("x", "X", SystemName.ERP, ("stock",), "a:B", "a:C", operations=limits)
        self.upstream = Upstream("erp-fr", manifest, Exchanges())
        self.port: Any = Guarded("stock", Stock, self.erp, self.upstream, self.cache)

    async def ask(self, *skus: str, **terms: Any) -> dict[str, Any]:
        told = await self.port.availability(skus, call=asking(**terms))
        return {sku: seen(value) for sku, value in told.items()}


def asking(seconds: float = 10.0, **terms: Any) -> Call:
    return msgspec.structs.replace(call(seconds), **terms)


def freshness() -> Freshness:
    return Freshness(SystemName.ERP, "erp-fr", AS_OF)


def available(number: int) -> Availability:
    return Availability(AvailabilityStatus.IN_STOCK, Decimal(number), freshness())


def seen(value: Availability | UpstreamError) -> Any:
    if isinstance(value, UpstreamError):
        return value.code
    assert value.freshness.as_of == AS_OF
    return int(value.available), value.freshness.state.value


def _failed(kind: type[UpstreamError] = UnavailableError) -> UpstreamError:
    return kind(system="ERP", upstream="erp-fr", operation="stock.availability")


async def test_within_its_lifetime_an_answer_is_used_again() -> None:
    shop = Shop()

    assert await shop.ask("a") == {"a": (1, "LIVE")}
    shop.time.now += 9.9
    assert await shop.ask("a") == {"a": (1, "CACHED")}
    assert shop.erp.asked == [("a",)]


async def test_past_its_lifetime_the_system_is_asked() -> None:
    shop = Shop()
    await shop.ask("a")
    shop.time.now += 10

    assert await shop.ask("a") == {"a": (2, "LIVE")}


async def test_only_what_is_missing_goes_to_the_system() -> None:
    shop = Shop()
    await shop.ask("a", "b")

    told = await shop.ask("c", "b", "a", "b")
    assert told == {"c": (2, "LIVE"), "b": (1, "CACHED"), "a": (1, "CACHED")}
    assert list(told) == ["c", "b", "a"]
    assert shop.erp.asked == [("a", "b"), ("c",)]


@pytest.mark.parametrize(
    "kind", [UnavailableError, TimedOutError, ThrottledError, MalformedError, RefusedError]
)
async def test_an_old_answer_stands_in_for_a_system_that_fails(kind: type[UpstreamError]) -> None:
    shop = Shop()
    await shop.ask("a")
    shop.erp.error = _failed(kind)

    shop.time.now += 10 + 299
    assert await shop.ask("a") == {"a": (1, "STALE")}
    shop.time.now += 2
    with pytest.raises(kind):
        await shop.ask("a")


async def test_old_and_failed_keys_come_together() -> None:
    shop = Shop()
    await shop.ask("old")
    shop.erp.error = _failed()
    shop.time.now += 20

    assert await shop.ask("old", "new") == {"old": (1, "STALE"), "new": "UPSTREAM_UNAVAILABLE"}


async def test_a_key_that_failed_alone_is_not_kept() -> None:
    shop = Shop()

    assert await shop.ask("a", "broken") == {"a": (1, "LIVE"), "broken": "UPSTREAM_UNAVAILABLE"}
    assert await shop.ask("a", "broken") == {"a": (1, "CACHED"), "broken": "UPSTREAM_UNAVAILABLE"}
    assert await shop.ask("broken") == {"broken": "UPSTREAM_UNAVAILABLE"}


async def test_a_mistake_of_ours_is_never_covered() -> None:
    shop = Shop()
    await shop.ask("a")
    shop.erp.error = ZeroDivisionError()
    shop.time.now += 20

    with pytest.raises(ZeroDivisionError):
        await shop.ask("a")
    shop.erp.error = BadInputError("cursor")
    with pytest.raises(BadInputError):
        await shop.port.search("x", PageRequest(1), call=asking())


async def test_a_call_may_ask_for_younger_answers() -> None:
    shop = Shop()
    await shop.ask("a")
    shop.time.now += 5

    assert await shop.ask("a", max_age=6) == {"a": (1, "CACHED")}
    assert await shop.ask("a", max_age=5) == {"a": (2, "LIVE")}
    assert await shop.ask("a", max_age=0) == {"a": (3, "LIVE")}
    assert await shop.ask("a") == {"a": (3, "CACHED")}


async def test_a_call_cannot_stretch_a_lifetime() -> None:
    shop = Shop()
    await shop.ask("a")
    shop.time.now += 20
    assert await shop.ask("a", max_age=100) == {"a": (2, "LIVE")}

    shop.erp.error = _failed()
    shop.time.now += 311
    with pytest.raises(UnavailableError):
        await shop.ask("a", stale_if_error=1000)


async def test_a_call_may_ask_rather_for_the_error() -> None:
    shop = Shop()
    await shop.ask("a")
    shop.erp.error = _failed()
    shop.time.now += 15

    with pytest.raises(UnavailableError):
        await shop.ask("a", stale_if_error=0)
    with pytest.raises(UnavailableError):
        await shop.ask("a", stale_if_error=4)
    assert await shop.ask("a", stale_if_error=6) == {"a": (1, "STALE")}
    with pytest.raises(UnavailableError):
        await shop.ask("a", max_age=0, stale_if_error=14)
    assert await shop.ask("a", max_age=0) == {"a": (1, "STALE")}


async def test_shortly_past_the_lifetime_a_slow_system_is_not_waited_for() -> None:
    shop = Shop(CachePolicy(patience_seconds=0))
    await shop.ask("a")
    shop.erp.open.clear()
    shop.time.now += 15

    assert await shop.ask("a") == {"a": (1, "STALE")}
    assert await shop.ask("a") == {"a": (1, "STALE")}
    assert len(shop.erp.asked) == 2
    shop.erp.open.set()
    await asyncio.sleep(0.01)
    assert await shop.ask("a") == {"a": (2, "CACHED")}


async def test_long_past_the_lifetime_it_is_waited_for_to_the_deadline() -> None:
    shop = Shop(CachePolicy(patience_seconds=0))
    await shop.ask("a")
    shop.erp.open.clear()
    shop.time.now += 25

    asked = asyncio.create_task(shop.ask("a"))
    await asyncio.sleep(0.01)
    assert not asked.done()
    shop.erp.open.set()
    assert await asked == {"a": (2, "LIVE")}


async def test_a_system_that_hangs_costs_the_deadline_and_no_more() -> None:
    shop = Shop()
    await shop.ask("old")
    shop.erp.open.clear()
    shop.time.now += 25

    told = await shop.ask("old", "new", seconds=0.05)
    assert told == {"old": (1, "STALE"), "new": "UPSTREAM_TIMEOUT"}
    with pytest.raises(TimedOutError) as late:
        await shop.ask("other", seconds=0.05)
    assert (late.value.upstream, late.value.operation) == ("erp-fr", "stock.availability")
    await shop.cache.aclose()


async def test_what_is_not_known_is_not_asked_again_at_once() -> None:
    shop = Shop()

    assert await shop.ask("unknown", "a") == {"a": (1, "LIVE")}
    shop.time.now += 4.9
    assert await shop.ask("unknown", "a") == {"a": (1, "CACHED")}
    assert len(shop.erp.asked) == 1
    shop.time.now += 0.2
    assert await shop.ask("unknown") == {}
    assert len(shop.erp.asked) == 2


async def test_that_nothing_is_known_does_not_stand_in() -> None:
    shop = Shop()
    await shop.ask("unknown")
    shop.erp.error = _failed()
    shop.time.now += 8

    with pytest.raises(UnavailableError):
        await shop.ask("unknown")


async def test_a_thousand_callers_make_one_call() -> None:
    shop = Shop()
    shop.erp.open.clear()
    callers = [asyncio.create_task(shop.ask("a", "b")) for _ in range(1000)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    shop.erp.open.set()

    assert await asyncio.gather(*callers) == [{"a": (1, "LIVE"), "b": (1, "LIVE")}] * 1000
    assert shop.erp.asked == [("a", "b")]


async def test_callers_who_overlap_ask_only_what_nobody_has_asked() -> None:
    shop = Shop()
    shop.erp.open.clear()
    first = asyncio.create_task(shop.ask("a", "b"))
    await asyncio.sleep(0)
    second = asyncio.create_task(shop.ask("b", "c"))
    await asyncio.sleep(0.01)
    shop.erp.open.set()

    assert await first == {"a": (1, "LIVE"), "b": (1, "LIVE")}
    assert await second == {"b": (1, "LIVE"), "c": (2, "LIVE")}
    assert shop.erp.asked == [("a", "b"), ("c",)]


async def test_who_leaves_takes_nothing_from_the_others() -> None:
    shop = Shop()
    shop.erp.open.clear()
    first = asyncio.create_task(shop.ask("a"))
    await asyncio.sleep(0)
    second = asyncio.create_task(shop.ask("a"))
    late = asyncio.create_task(shop.ask("a", seconds=0.02))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(TimedOutError):
        await late
    shop.erp.open.set()

    assert await second == {"a": (1, "LIVE")}
    assert first.cancelled()
    assert len(shop.erp.asked) == 1


async def test_an_error_reaches_all_who_wait() -> None:
    shop = Shop()
    shop.erp.open.clear()
    shop.erp.error = _failed()
    callers = [asyncio.create_task(shop.ask("a")) for _ in range(5)]
    await asyncio.sleep(0)
    shop.erp.open.set()

    told = await asyncio.gather(*callers, return_exceptions=True)
    assert {type(one) for one in told} == {UnavailableError}
    assert len(shop.erp.asked) == 1


async def test_who_wants_it_live_does_not_join_a_call_that_began_before() -> None:
    shop = Shop()
    shop.erp.open.clear()
    before = asyncio.create_task(shop.ask("a"))
    await asyncio.sleep(0)
    shop.time.now += 1
    live = asyncio.create_task(shop.ask("a", max_age=0))
    await asyncio.sleep(0)
    shop.erp.open.set()

    assert await before == {"a": (1, "LIVE")}
    assert await live == {"a": (2, "LIVE")}
    assert await shop.ask("a") == {"a": (2, "CACHED")}


async def test_under_load_callers_of_one_scope_go_together() -> None:
    shop = Shop()
    shop.erp.open.clear()
    callers = [asyncio.create_task(shop.ask(f"sku-{number}")) for number in range(20)]
    await asyncio.sleep(0.05)
    shop.erp.open.set()

    assert all(len(told) == 1 for told in await asyncio.gather(*callers))
    assert [len(keys) for keys in shop.erp.asked] == [1, 1, 1, 1, 16]


async def test_portions_are_the_vendors() -> None:
    shop = Shop(max_keys=2)

    assert len(await shop.ask("a", "b", "c")) == 3
    assert shop.erp.asked == [("a", "b"), ("c",)]


async def test_what_is_not_declared_shared_is_the_callers_own() -> None:
    shop = Shop()

    async def told(**caller: Any) -> str:
        who = msgspec.structs.replace(asking().caller, **caller)
        answers = await shop.port.private(("a",), call=asking(caller=who))
        return str(answers["a"])

    people = [{"subject": "1"}, {"subject": "2"}, {"subject": "1", "customer": "1"}]
    assert [await told(**one) for one in people] == ["1 None", "2 None", "1 1"]
    assert [await told(**one) for one in people] == ["1 None", "2 None", "1 1"]
    assert len(shop.erp.asked) == 3
    await shop.port.private(("a",), call=asking(language="fr"))
    assert len(shop.erp.asked) == 4


async def test_partial_records_are_not_taken_for_whole_ones() -> None:
    shop = Shop()
    await shop.ask("a", wanted=frozenset({"status"}))

    assert await shop.ask("a") == {"a": (2, "LIVE")}
    assert await shop.ask("a", wanted=frozenset({"status"})) == {"a": (1, "CACHED")}
    assert await shop.ask("a", wanted=frozenset({"status", "unit"})) == {"a": (3, "LIVE")}


async def test_answers_to_arguments_are_kept_by_all_of_them() -> None:
    shop = Shop()

    async def told(text: str | None, first: int) -> tuple[int, str]:
        page = await shop.port.search(text, PageRequest(first), call=asking())
        number, state = seen(page.items[0])
        return number, state

    assert await told("x", 1) == (1, "LIVE")
    assert await told("x", 2) == (2, "LIVE")
    assert await told(None, 1) == (3, "LIVE")
    assert await told("x", 1) == (1, "CACHED")
    shop.erp.error = _failed()
    shop.time.now += 15
    assert await told("x", 1) == (1, "STALE")
    with pytest.raises(UnavailableError):
        await told("y", 1)


async def test_none_is_an_answer_of_its_own() -> None:
    shop = Shop()

    assert await shop.port.count("", call=asking()) is None
    assert await shop.port.count("", call=asking()) is None
    assert await shop.port.count("x", call=asking()) == 1
    assert await shop.port.count("x", call=asking()) == 1


async def test_a_state_deep_within_a_record_is_told() -> None:
    shop = Shop()

    async def state() -> FreshnessState:
        told = await shop.port.accounts(("1",), call=asking())
        credit: CreditStatus = told["1"].credit
        assert credit.outstanding == Money(Decimal(1), "EUR")
        return credit.freshness.state

    assert await state() is FreshnessState.LIVE
    assert await state() is FreshnessState.CACHED
    shop.erp.error = _failed()
    shop.time.now += 15
    assert await state() is FreshnessState.STALE


async def test_operations_without_lifetime_only_collapse() -> None:
    shop = Shop()
    shop.erp.open.clear()
    both = [asyncio.create_task(shop.port.live(("a",), call=asking())) for _ in range(2)]
    await asyncio.sleep(0)
    shop.erp.open.set()

    assert await asyncio.gather(*both) == [{"a": 1}, {"a": 1}]
    assert await shop.port.live(("a",), call=asking()) == {"a": 2}
    assert len(shop.cache.memory) == 0


async def test_configuration_overrides_lifetimes() -> None:
    own = {"erp-fr": {"stock.availability": Override(max_age=60), "stock": Override(max_age=0)}}
    shop = Shop(CachePolicy(overrides=own))
    await shop.ask("a")
    shop.time.now += 59
    assert await shop.ask("a") == {"a": (1, "CACHED")}

    await shop.port.count("x", call=asking())
    assert await shop.port.count("x", call=asking()) == 3


async def test_lifetimes_end_apart() -> None:
    shop = Shop(CachePolicy(jitter=0.5))
    chances = iter((0.0, 1.0))
    shop.cache.chance = lambda: next(chances)
    await shop.ask("long", "short")
    shop.time.now += 6
    shop.erp.open.clear()

    told = await shop.ask("long", "short", seconds=0.02, stale_if_error=0)
    assert told == {"long": (1, "CACHED"), "short": "UPSTREAM_TIMEOUT"}
    await shop.cache.aclose()


async def test_a_parcel_that_has_arrived_is_asked_once_a_week() -> None:
    class Carrier:
        async def track(self, parcels: Sequence[Parcel], /, *, call: Call) -> dict[Parcel, Any]:
            fresh = Freshness(SystemName.CARRIER, "dhl", AS_OF)
            return {one: Tracking(ShipmentStatus[one.number], "x", fresh) for one in parcels}

    shop = Shop()
    port: Any = Guarded("tracking", CarrierTracking, Carrier(), shop.upstream, shop.cache)
    day = 86_400
    numbers = ("IN_TRANSIT", "RETURNED", "DELIVERED")

    async def states() -> list[str]:
        told = await port.track([Parcel("dhl", one) for one in numbers], call=asking())
        return [one.freshness.state.value for one in told.values()]

    assert await states() == ["LIVE", "LIVE", "LIVE"]
    shop.time.now += day - 1
    assert await states() == ["LIVE", "CACHED", "CACHED"]
    shop.time.now += 1
    assert await states() == ["CACHED", "LIVE", "CACHED"]
    shop.time.now += 6 * day
    assert await states() == ["LIVE", "LIVE", "LIVE"]


async def test_purged_answers_are_gone() -> None:
    shop = Shop()
    await shop.ask("a", "b")

    assert await shop.cache.purge(["product:a", "product:other"]) == 1
    assert await shop.ask("a", "b") == {"a": (2, "LIVE"), "b": (1, "CACHED")}


@pytest.mark.parametrize("tag", ["upstream:erp-fr", "role:stock", "type:Availability"])
async def test_broad_tags_purge_all_of_their_kind(tag: str) -> None:
    shop = Shop()
    await shop.ask("a", "b")

    assert await shop.cache.purge(["upstream:other", "role:other", "type:Other"]) == 0
    assert await shop.cache.purge([tag]) == 2
    assert await shop.ask("a") == {"a": (2, "LIVE")}


@pytest.mark.parametrize("tag", ["product:a", "upstream:erp-fr"])
async def test_what_was_under_way_when_purged_is_not_kept(tag: str) -> None:
    shop = Shop()
    shop.erp.open.clear()
    before = asyncio.create_task(shop.ask("a", "b"))
    await asyncio.sleep(0)
    await shop.cache.purge([tag])
    after = asyncio.create_task(shop.ask("a"))
    await asyncio.sleep(0)
    shop.erp.open.set()

    assert (await before)["a"] == (1, "LIVE")
    assert await after == {"a": (2, "LIVE")}
    assert await shop.ask("a") == {"a": (2, "CACHED")}


async def test_a_closed_cache_leaves_no_call_behind() -> None:
    shop = Shop()
    shop.erp.open.clear()
    asked = asyncio.create_task(shop.ask("a"))
    await asyncio.sleep(0)
    await shop.cache.aclose()

    with pytest.raises(TimedOutError):
        await asked
