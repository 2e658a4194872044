"""How often a system is asked when it fails: tries, their budget, and queues, counted at a peer."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from ports.errors import MalformedError, UnavailableError, UpstreamError
from tests.upstream.loopback import IDENTITY, Loopback, call, config, good, serving
from upstream.any_transport import network
from upstream.budget import RetryBudget
from upstream.http import HttpClient, Request
from upstream.limits import Bulkhead, QueueFullError, QueueTimedOutError

ASKED = Request("catalog.products", "/products")
DOWN = good(status="503 Down")
ORDER = Request("orders.place", "/orders", method="POST", json={}, idempotent=False)
Connect = Callable[..., HttpClient]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    made: list[HttpClient] = []

    def make(peer: Loopback, parts: dict[str, Any] | None = None, **settings: Any) -> HttpClient:
        told = {"tries": 3, **settings}
        made.append(HttpClient(IDENTITY, config(peer.url, **told), **(parts or {})))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


async def test_a_system_that_is_down_is_asked_a_tenth_more_at_most(connect: Connect) -> None:
    async with serving(DOWN) as peer:
        # So many at once may find the peer slow to accept.
        client = connect(peer, timeout_seconds=100, connect_timeout_seconds=100)
        told = await asyncio.gather(
            *(client.send(ASKED, call=call(120)) for _ in range(1000)), return_exceptions=True
        )

    assert {type(one) for one in told} == {UnavailableError}
    assert 1000 < len(peer.received) <= 1100


async def test_one_failure_in_twenty_fails_nobody(connect: Connect) -> None:
    answers = [DOWN if number % 20 == 7 else good() for number in range(420)]
    async with serving(*answers) as peer:
        client = connect(peer)
        for _ in range(200):
            await client.send(ASKED, call=call())

    assert len(peer.received) == 210 + 1


async def test_what_is_to_be_asked_once_is(connect: Connect) -> None:
    async with serving(DOWN, good()) as peer:
        once = msgspec.structs.replace(call(), once=True)
        with pytest.raises(UnavailableError):
            await connect(peer).send(ASKED, call=once)

    assert len(peer.received) == 1


async def test_what_changes_something_is_asked_once(connect: Connect) -> None:
    async with serving(DOWN) as peer:
        with pytest.raises(UnavailableError):
            await connect(peer).send(ORDER, call=call())
    assert len(peer.received) == 1


async def half(writer: asyncio.StreamWriter) -> None:
    """An answer that ends in its midst."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + b"x" * 50)
    await writer.drain()


async def test_an_answer_cut_short_is_asked_for_once_more(connect: Connect) -> None:
    async with serving(half, good()) as peer:
        answer = await connect(peer).send(ASKED, call=call())
    assert answer.status == 200
    assert len(peer.received) == 2


async def test_so_it_is_over_another_transport(connect: Connect) -> None:
    async with serving(half, good()) as peer:
        parts = {"transport": network(config(peer.url))}
        answer = await connect(peer, parts).send(ASKED, call=call())
    assert answer.status == 200
    assert len(peer.received) == 2


@pytest.mark.parametrize(
    ("request_", "parts", "asked"),
    [(ASKED, {}, 2), (ORDER, {}, 1), (ASKED, {"budget": RetryBudget(0.1, reserve=0)}, 1)],
    ids=["a read", "a change", "no budget"],
)
async def test_always_cut_short_is_malformed(
    connect: Connect, request_: Request, parts: dict[str, Any], asked: int
) -> None:
    async with serving(half) as peer:
        with pytest.raises(MalformedError) as caught:
            await connect(peer, parts).send(request_, call=call())
    assert caught.value.code == "UPSTREAM_MALFORMED"
    assert len(peer.received) == asked


async def test_a_pause_beyond_the_deadline_is_not_waited_for(connect: Connect) -> None:
    async with serving(good(status="429 Slow", retry_after="30")) as peer:
        with pytest.raises(UpstreamError) as caught:
            await connect(peer).send(ASKED, call=call())
    assert len(peer.received) == 1
    assert caught.value.retry_after == 30.0


async def test_clients_may_share_a_budget(connect: Connect) -> None:
    parts = {"budget": RetryBudget(0.1, reserve=1)}
    async with serving(DOWN) as peer:
        for client in (connect(peer, parts), connect(peer, parts)):
            with pytest.raises(UnavailableError):
                await client.send(ASKED, call=call())
    assert len(peer.received) == 3


async def test_the_queue_before_a_system_is_not_the_system(connect: Connect) -> None:
    full, later = Bulkhead(1, None, queue_limit=1), Bulkhead(1, None)
    async with serving(good()) as peer, full.slot(), later.slot():
        waits = connect(peer, {"bulkhead": full})
        first = asyncio.create_task(waits.send(ASKED, call=call()))
        while not full.waiting:
            await asyncio.sleep(0)
        with pytest.raises(QueueFullError):
            await waits.send(ASKED, call=call())
        with pytest.raises(QueueTimedOutError):
            await connect(peer, {"bulkhead": later}).send(ASKED, call=call(0.05))
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert peer.received == []
