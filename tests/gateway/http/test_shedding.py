"""What is refused under too much load, and what never is."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from gateway.http.app import http_app
from gateway.http.shedding import AdaptiveLimit, Shedding, SheddingRules

RULES = SheddingRules()


class Busy:
    """An endpoint whose requests stay until they are let go."""

    def __init__(self) -> None:
        self.arrived = asyncio.Semaphore(0)
        self.go = asyncio.Event()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.arrived.release()
        await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})


class Bench:
    """A gateway with the busy endpoint, a client, and a clock that stands still."""

    def __init__(self, **rules: float) -> None:
        self.now = 1000.0
        self.busy = Busy()
        # The loop itself is not looked at while a test runs, so that its machine's load is nothing.
        told = SheddingRules(**{"interval_seconds": 10_000, **rules})  # type: ignore[arg-type]
        self.shedding = Shedding(self.busy, told, clock=lambda: self.now)
        transport = httpx2.ASGITransport(app=http_app(self.shedding, not_ready=self._ready))
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://gateway")
        self.tasks: list[asyncio.Task[httpx2.Response]] = []

    async def _ready(self) -> list[str]:
        return []

    async def hold(self, count: int) -> None:
        for _ in range(count):
            self.tasks.append(asyncio.create_task(self.ask()))
            await self.busy.arrived.acquire()

    async def ask(self, accept: str = "application/json") -> httpx2.Response:
        return await self.client.post("/graphql", json={}, headers={"accept": accept})

    async def let_go(self) -> list[int]:
        self.busy.go.set()
        return [answer.status_code for answer in await asyncio.gather(*self.tasks)]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench(most=20)
    yield made
    await made.let_go()
    await made.client.aclose()


async def test_too_many_at_once_are_refused_at_once(bench: Bench) -> None:
    await bench.hold(20)
    refused = await bench.ask()

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert refused.headers["content-type"] == "application/json; charset=utf-8"
    (entry,) = refused.json()["errors"]
    assert entry["extensions"] == {
        "code": "GATEWAY_OVERLOADED",
        "retryable": True,
        "requestId": refused.headers["x-request-id"],
    }
    assert (await bench.let_go(), bench.shedding.refused) == ([200] * 20, 1)


async def test_a_refusal_has_the_type_that_was_asked_for(bench: Bench) -> None:
    await bench.hold(20)
    refused = await bench.ask("application/graphql-response+json")
    assert refused.headers["content-type"].startswith("application/graphql-response+json")


async def test_room_that_is_free_again_is_used(bench: Bench) -> None:
    await bench.hold(20)
    assert (await bench.ask()).status_code == 503
    await bench.let_go()
    assert (await bench.ask()).status_code == 200
    assert bench.shedding.under_way == 0


async def test_health_is_told_whatever_the_load(bench: Bench) -> None:
    await bench.hold(20)
    bench.now += 60
    assert (await bench.client.get("/healthz")).status_code == 200


def overload(bench: Bench) -> None:
    """The loop has been late for long."""
    for number in range(3):
        bench.shedding._adaptive.observe(bench.now + number * 10_000, 5.0, 1000)
    assert bench.shedding._adaptive.is_overloaded


async def test_an_overloaded_loop_begins_no_more_than_it_has_time_for(bench: Bench) -> None:
    overload(bench)
    await bench.hold(1)
    bench.now += 10_000 / 5 + RULES.late_seconds / 2
    await bench.hold(1)
    bench.now += RULES.late_seconds
    assert (await bench.ask()).status_code == 503


async def test_what_is_done_at_once_counts_as_well(bench: Bench) -> None:
    bench.busy.go.set()
    overload(bench)
    assert {(await bench.ask()).status_code for _ in range(bench.shedding.limit)} == {200}
    assert (await bench.ask()).status_code == 503
    bench.shedding._looked()
    assert (await bench.ask()).status_code == 200


async def test_a_burst_is_worked_off_however_late_the_loop(bench: Bench) -> None:
    await bench.hold(19)
    bench.now += 10_000
    await bench.hold(1)
    assert await bench.let_go() == [200] * 20


async def test_one_is_always_let_in_however_late_the_loop(bench: Bench) -> None:
    overload(bench)
    bench.now += 10_000
    await bench.hold(1)
    assert await bench.let_go() == [200]


async def test_a_client_that_goes_away_leaves_its_room(bench: Bench) -> None:
    await bench.hold(20)
    bench.tasks.pop().cancel()
    await asyncio.sleep(0)
    await bench.hold(1)
    assert bench.shedding.under_way == 20


async def test_without_a_limit_nothing_is_refused() -> None:
    bench = Bench(most=0)
    await bench.hold(50)
    bench.now += 10_000
    await bench.hold(50)
    assert await bench.let_go() == [200] * 100
    await bench.client.aclose()


def looked(limit: AdaptiveLimit, lates: Iterable[float], under_way: int = 100) -> list[int]:
    """The limit after each look, 20 ms apart."""
    limits = []
    for number, late in enumerate(lates):
        limit.observe(number * 0.02, late, under_way)
        limits.append(limit.limit)
    return limits


def test_work_that_is_always_late_lets_fewer_in() -> None:
    limits = looked(AdaptiveLimit(RULES), [0.1] * 200)
    assert limits == sorted(limits, reverse=True)
    assert limits[-1] == RULES.least


def test_a_short_burst_does_not() -> None:
    limits = looked(AdaptiveLimit(RULES), [0.4] * 40 + [0.0] * 20 + [0.4] * 40)
    assert set(limits) == {RULES.most}


def test_one_large_answer_does_not() -> None:
    limits = looked(AdaptiveLimit(RULES), [0.4, 0.0, 0.0, 0.0, 0.0] * 40)
    assert set(limits) == {RULES.most}


def test_a_loop_in_time_lets_more_in_again() -> None:
    limit = AdaptiveLimit(RULES)
    low = looked(limit, [0.1] * 200)[-1]
    limits = [low]
    for number in range(2000):
        limit.observe(100.0 + number * 0.02, 0.0, 10)
        limits.append(limit.limit)
    assert limits == sorted(limits)
    assert limits[-1] == RULES.most


def test_rest_forgets_the_load() -> None:
    limit = AdaptiveLimit(RULES)
    looked(limit, [0.1] * 200)
    limit.rest()
    assert limit.limit == RULES.most


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 5000)), max_size=300))
def test_the_limit_stays_between_its_bounds(looks: list[tuple[float, int]]) -> None:
    limit = AdaptiveLimit(RULES)
    for number, (late, under_way) in enumerate(looks):
        limit.observe(number * 0.05, late, under_way)
        assert RULES.least <= limit.limit <= RULES.most
