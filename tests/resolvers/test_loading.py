import asyncio
from collections.abc import Sequence

import pytest

from ports.errors import UnavailableError
from resolvers.loading import Loader


class Peer:
    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[list[str]] = []
        self.failure = failure
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, keys: Sequence[str]) -> dict[str, str]:
        self.asked.append(list(keys))
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return {key: key.upper() for key in keys if key != "unknown"}


def down() -> UnavailableError:
    return UnavailableError(system="PIM", upstream="pim", operation="x")


async def test_keys_of_one_turn_go_together_and_once() -> None:
    peer = Peer()
    loader = Loader(peer, set())

    found = await asyncio.gather(loader.many(["a", "b", "a"]), loader.one("b"), loader.one("c"))

    assert found == [["A", "B", "A"], "B", "C"]
    assert peer.asked == [["a", "b", "c"]]


async def test_known_keys_are_not_asked_again() -> None:
    peer = Peer()
    loader = Loader(peer, set())
    await loader.many(["a"])

    assert await loader.many(["a", "b"]) == ["A", "B"]
    assert peer.asked == [["a"], ["b"]]


async def test_resolvers_one_await_apart_still_share_a_call() -> None:
    peer = Peer()
    loader = Loader(peer, set())

    async def later() -> object:
        await asyncio.sleep(0)
        return await loader.one("b")

    assert await asyncio.gather(loader.one("a"), later()) == ["A", "B"]
    assert peer.asked == [["a", "b"]]


async def test_an_unknown_key_is_none() -> None:
    assert await Loader(Peer(), set()).one("unknown") is None


async def test_a_port_error_stands_for_every_key() -> None:
    failure = down()

    assert await Loader(Peer(failure), set()).many(["a", "b"]) == [failure, failure]


async def test_a_fault_is_raised_at_every_waiter() -> None:
    loader = Loader(Peer(ZeroDivisionError("bug")), set())

    results = await asyncio.gather(loader.one("a"), loader.one("b"), return_exceptions=True)

    assert [type(one) for one in results] == [ZeroDivisionError, ZeroDivisionError]


async def test_an_ended_operation_cancels_its_waiters() -> None:
    peer, tasks = Peer(), set[asyncio.Task[None]]()
    peer.gate.clear()
    loader = Loader(peer, tasks)
    waiting = asyncio.create_task(loader.one("a"))
    while not peer.asked:
        await asyncio.sleep(0)

    for task in tuple(tasks):
        task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_cancelled_waiter_does_not_cost_the_others() -> None:
    peer = Peer()
    peer.gate.clear()
    loader = Loader(peer, set())
    first = asyncio.create_task(loader.many(["a"]))
    second = asyncio.create_task(loader.many(["a", "b"]))
    while not peer.asked:
        await asyncio.sleep(0)

    first.cancel()
    peer.gate.set()

    assert await second == ["A", "B"]
    assert first.cancelled()


async def test_a_failure_after_a_cancelled_waiter_reaches_the_rest() -> None:
    peer = Peer(ZeroDivisionError("bug"))
    peer.gate.clear()
    loader = Loader(peer, set())
    gone, stays = asyncio.create_task(loader.one("a")), asyncio.create_task(loader.one("b"))
    while not peer.asked:
        await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    peer.gate.set()

    with pytest.raises(ZeroDivisionError):
        await stays


async def test_what_was_started_is_not_asked_again() -> None:
    peer = Peer()
    loader = Loader(peer, set())
    loader.start(["a", "b"])

    assert await loader.many(["b", "c"]) == ["B", "C"]
    assert peer.asked == [["a", "b", "c"]]


async def test_found_tells_what_came_and_leaves_out_what_failed() -> None:
    peer = Peer()
    loader = Loader(peer, set())
    await loader.many(["a"])
    peer.failure = down()
    await loader.many(["b"])
    peer.gate.clear()
    loader.start(["c"])

    assert loader.found() == {"a": "A"}


async def test_values_of_several_calls_keep_the_order_of_their_keys() -> None:
    loader = Loader(Peer(), set())
    await loader.many(["b"])

    assert await loader.many(["a", "b", "unknown", "a"]) == ["A", "B", None, "A"]
    assert await loader.many([]) == []
