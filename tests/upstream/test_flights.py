"""One call for all who ask the same at the same time, and what a purge means for it."""

import asyncio

import pytest

from ports.errors import (
    TimedOutError,
    UnavailableError,
)
from tests.upstream.shop import Shop, failed


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
    shop.erp.error = failed()
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
