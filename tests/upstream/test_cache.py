"""What is asked of a system and what is answered from what is known, counted in calls."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ports.accounts import CreditStatus
from ports.caller import Call
from ports.common import Freshness, FreshnessState, Money, PageRequest, SystemName
from ports.errors import (
    BadInputError,
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)
from ports.tracking import CarrierTracking, Parcel, ShipmentStatus, Tracking
from tests.upstream.shop import AS_OF, Shop, asking, failed, seen
from upstream.guard import Guarded
from upstream.lifetimes import CachePolicy, Override


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
    shop.erp.error = failed(kind)

    shop.time.now += 10 + 299
    assert await shop.ask("a") == {"a": (1, "STALE")}
    shop.time.now += 2
    with pytest.raises(kind):
        await shop.ask("a")


async def test_old_and_failed_keys_come_together() -> None:
    shop = Shop()
    await shop.ask("old")
    shop.erp.error = failed()
    shop.time.now += 20

    assert await shop.ask("old", "new") == {"old": (1, "STALE"), "new": "UPSTREAM_UNAVAILABLE"}


async def test_a_key_that_failed_alone_is_not_kept() -> None:
    shop = Shop()

    assert await shop.ask("a", "broken") == {"a": (1, "LIVE"), "broken": "UPSTREAM_UNAVAILABLE"}
    assert await shop.ask("a", "broken") == {"a": (1, "CACHED"), "broken": "UPSTREAM_UNAVAILABLE"}
    assert await shop.ask("broken") == {"broken": "UPSTREAM_UNAVAILABLE"}


async def test_those_beside_a_key_that_failed_are_kept() -> None:
    shop = Shop()
    await shop.ask("broken", "a")

    assert (await shop.ask("a", "broken"))["a"] == (1, "CACHED")
    assert shop.erp.asked == [("broken", "a"), ("broken",)]


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

    shop.erp.error = failed()
    shop.time.now += 311
    with pytest.raises(UnavailableError):
        await shop.ask("a", stale_if_error=1000)


async def test_a_call_may_ask_rather_for_the_error() -> None:
    shop = Shop()
    await shop.ask("a")
    shop.erp.error = failed()
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
    shop.erp.error = failed()
    shop.time.now += 8

    with pytest.raises(UnavailableError):
        await shop.ask("unknown")


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

    async def told(*wanted: str) -> tuple[int, str]:
        call = asking(wanted=frozenset(wanted) if wanted else None)
        return seen((await shop.port.search("x", PageRequest(1), call=call)).items[0])

    assert await told("status") == (1, "LIVE")
    assert await told() == (2, "LIVE")
    assert await told("status") == (1, "CACHED")
    assert await told("status", "unit") == (3, "LIVE")
    assert shop.erp.wanted == [{"status"}, None, {"status", "unit"}]


async def test_what_is_kept_by_key_is_whole_whatever_part_is_wanted() -> None:
    shop = Shop()

    assert await shop.ask("a", wanted=frozenset({"status"})) == {"a": (1, "LIVE")}
    assert await shop.ask("a", wanted=frozenset({"unit"})) == {"a": (1, "CACHED")}
    assert await shop.ask("a") == {"a": (1, "CACHED")}
    await shop.port.live(("a",), call=asking(wanted=frozenset({"status"})))

    assert shop.erp.wanted == [None, {"status"}]


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
    shop.erp.error = failed()
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
    shop.erp.error = failed()
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


async def test_how_answers_came_about_is_told() -> None:
    shop, uses = Shop(), []
    shop.cache.observe = lambda call, use: uses.append((call.request_id, use))
    await shop.ask("a", "unknown")
    shop.time.now += 4
    await shop.ask("a", "b")
    shop.erp.error = failed()
    shop.time.now += 7
    await shop.ask("a", "b")

    assert {request for request, _ in uses} == {"r-1"}
    assert [(use.cached, use.live, use.stale, use.fresh_for) for _, use in uses] == [
        (0, 2, 0, 5.0),
        (1, 1, 0, 6.0),
        (1, 0, 1, 0.0),
    ]
    assert (uses[0][1].upstream, uses[0][1].operation) == ("erp-fr", "stock.availability")
