"""A purge between a look at the shared store and its answer; the store is held by the test."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from tests.upstream.shop import Shop
from upstream.stores import Kept, Reading


class Held:
    """A store that answers reads with what it had when they came, once it is let."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}
        self.open = asyncio.Event()
        self.open.set()
        self.purging = asyncio.Event()
        self.purging.set()
        self.reads = 0

    def place(self, fingerprint: str, scope: str, key: object) -> str:
        return f"{fingerprint} {scope} {key}"

    async def read(self, places: Sequence[str], broad: Sequence[str]) -> Reading | None:
        self.reads += 1
        found = {place: self.kept[place] for place in places if place in self.kept}
        await self.open.wait()
        return Reading(",".join(broad), found)

    async def write(self, answers: Mapping[str, Kept], generation: str) -> None:
        self.kept.update(answers)

    async def purge(self, tags: Sequence[str]) -> int:
        await self.purging.wait()
        gone = [place for place, one in self.kept.items() if not set(tags).isdisjoint(one.tags)]
        for place in gone:
            del self.kept[place]
        return len(gone)

    def listen(self, heard: Callable[[Sequence[str]], object]) -> None:
        return

    async def aclose(self) -> None:
        return


async def held() -> tuple[Shop, Held]:
    """The store has an answer that this process has not."""
    shop, store = Shop(), Held()
    shop.cache.store = store
    await shop.ask("a")
    await asyncio.sleep(0)
    shop.cache.memory.purge(["product:a"])
    return shop, store


async def looking(shop: Shop, store: Held) -> asyncio.Task[dict[str, object]]:
    before = store.reads
    task = asyncio.create_task(shop.ask("a"))
    while store.reads == before:
        await asyncio.sleep(0)
    return task


async def test_what_the_store_has_is_taken_from_it() -> None:
    shop, store = await held()

    assert await shop.ask("a") == {"a": (1, "CACHED")}
    assert store.reads == 2


async def test_what_was_looked_up_before_a_purge_is_not_remembered_after_it() -> None:
    shop, store = await held()
    store.open.clear()
    look = await looking(shop, store)

    await shop.cache.purge(["product:a"])
    store.open.set()
    await look

    assert await shop.ask("a") == {"a": (2, "LIVE")}


async def test_what_was_looked_up_while_the_store_forgets_is_forgotten_too() -> None:
    shop, store = await held()
    store.purging.clear()
    purge = asyncio.create_task(shop.cache.purge(["product:a"]))
    await asyncio.sleep(0)
    look = await looking(shop, store)
    assert await look == {"a": (1, "CACHED")}

    store.purging.set()
    await purge

    assert await shop.ask("a") == {"a": (2, "LIVE")}
