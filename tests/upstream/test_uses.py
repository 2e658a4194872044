"""How answers came about is told to every call that was given them, and to no other."""

import asyncio
from math import inf
from typing import Any

import pytest

from ports.errors import UnavailableError
from tests.upstream.shop import Shop, Stock, asking, failed
from upstream.guard import Guarded
from upstream.lifetimes import CachePolicy
from upstream.stores import Reading
from upstream.uses import Use


class Noted:
    """A call's own notes."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.uses: list[Use] = []

    async def ask(self, *skus: str, **terms: Any) -> Any:
        return await self._shop.port.availability(skus, call=asking(note=self.uses.append, **terms))

    @property
    def last(self) -> Use:
        return self.uses[-1]


async def test_what_holds_is_as_long_as_its_first_end() -> None:
    shop = Shop()
    noted = Noted(shop)
    await noted.ask("a")
    shop.time.now += 4
    await noted.ask("a", "b")
    shop.time.now += 1

    assert [use.fresh_for for use in noted.uses] == [10.0, 6.0]
    assert noted.last.until - shop.time.now == 5.0
    assert noted.last.born == noted.uses[0].at
    assert set(noted.last.tags()) >= {"product:a", "product:b", "upstream:erp-fr", "role:stock"}


async def test_a_lifetime_that_was_made_shorter_is_told() -> None:
    shop = Shop(CachePolicy(jitter=0.5))
    shop.cache.chance = lambda: 1.0
    noted = Noted(shop)
    await noted.ask("a")

    assert noted.last.fresh_for == 5.0


async def test_terms_of_the_call_end_it_sooner() -> None:
    shop = Shop()
    noted = Noted(shop)
    await noted.ask("a")
    shop.time.now += 2
    await noted.ask("a", max_age=5)
    await noted.ask("a", max_age=0)

    assert [use.fresh_for for use in noted.uses] == [10.0, 3.0, 0.0]


async def test_all_who_joined_a_call_are_told_of_it() -> None:
    shop = Shop()
    callers = [Noted(shop) for _ in range(10)]
    shop.erp.open.clear()
    asking = [asyncio.create_task(one.ask("a")) for one in callers]
    await asyncio.sleep(0)
    shop.erp.open.set()
    await asyncio.gather(*asking)

    assert len(shop.erp.asked) == 1
    assert [[use.live for use in one.uses] for one in callers] == [[1]] * 10
    assert {one.last.fresh_for for one in callers} == {10.0}


async def test_keys_gathered_for_others_are_not_ones_own() -> None:
    shop = Shop()
    first, second = Noted(shop), Noted(shop)
    await asyncio.gather(first.ask("a", "b"), second.ask("b"))

    assert (first.last.live, second.last.live) == (2, 1)
    assert "product:a" not in set(second.last.tags())


async def test_what_was_purged_on_its_way_holds_no_longer() -> None:
    shop = Shop()
    noted = Noted(shop)
    shop.erp.open.clear()
    asking = asyncio.create_task(noted.ask("a", "b"))
    await asyncio.sleep(0)
    await shop.cache.purge(["product:a"])
    shop.erp.open.set()
    await asking

    assert (noted.last.live, noted.last.fresh_for) == (2, 0.0)


async def test_what_is_never_kept_holds_for_nobody() -> None:
    shop, uses = Shop(), []
    await shop.port.live(["a"], call=asking(note=uses.append))

    assert (uses[0].live, uses[0].fresh_for, uses[0].born) == (1, 0.0, inf)


async def test_old_answers_and_failed_keys_hold_no_longer() -> None:
    shop = Shop()
    noted = Noted(shop)
    await noted.ask("a", "broken")
    assert (noted.last.live, noted.last.failed, noted.last.fresh_for) == (1, 1, 0.0)

    born = shop.time.now
    shop.time.now += 15
    shop.erp.error = failed()
    await noted.ask("a")
    assert (noted.last.stale, noted.last.fresh_for, noted.last.born) == (1, 0.0, born)


async def test_a_call_that_fails_is_told_too() -> None:
    shop = Shop()
    noted = Noted(shop)
    shop.erp.error = failed()
    with pytest.raises(UnavailableError):
        await noted.ask("a", "b")

    assert (noted.last.failed, noted.last.fresh_for) == (2, 0.0)


class Silent:
    """A store that has nothing."""

    def place(self, fingerprint: str, scope: str, key: object) -> str:
        return f"{fingerprint} {scope} {key}"

    async def read(self, places: Any, broad: Any) -> Reading:
        return Reading("1", {})

    async def write(self, answers: Any, generation: str) -> None:
        """Forgets it."""

    async def purge(self, tags: Any) -> int:
        await asyncio.sleep(0)
        return 0

    def listen(self, heard: Any) -> None:
        """Nobody else purges."""

    async def aclose(self) -> None:
        """Holds nothing."""


async def test_where_others_may_purge_nothing_holds_past_what_heals_it() -> None:
    shop = Shop(CachePolicy(memory_seconds=3))
    noted = Noted(shop)
    shop.cache.store = Silent()
    shop.port = Guarded("stock", Stock, shop.erp, shop.upstream, shop.cache)
    await noted.ask("a")

    assert noted.last.fresh_for == 3.0


async def test_purges_are_heard_before_they_are_over() -> None:
    shop = Shop()
    heard: list[Any] = []
    shop.cache.store = Silent()
    shop.cache.subscribe(heard.append)
    await shop.cache.purge(["product:a"])

    assert heard == [["product:a"], ["product:a"]]
