"""What is refused under too much load, and what never is."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from gateway.http.app import http_app
from gateway.http.shedding import Beginnings, Overload, Shedding, SheddingRules

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
    """A gateway with the busy endpoint, a client, and a clock that goes on when it is looked at."""

    def __init__(self, **rules: float) -> None:
        self.now = 1000.0
        self.busy = Busy()
        told = SheddingRules(**rules)  # type: ignore[arg-type]
        self.shedding = Shedding(self.busy, told, clock=self.tick)
        transport = httpx2.ASGITransport(app=http_app(self.shedding, not_ready=self._ready))
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://gateway")
        self.tasks: list[asyncio.Task[httpx2.Response]] = []

    def tick(self) -> float:
        self.now += 0.001
        return self.now

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
    """What began for longer than the patience had waited too long."""
    for seconds in (0.0, 0.5, 1.0):
        bench.shedding._overload.began(bench.now + seconds, 2 * RULES.late_seconds)
    assert bench.shedding._overload.is_there


async def test_under_overload_only_a_few_wait(bench: Bench) -> None:
    overload(bench)
    bench.shedding._overload.room = 3
    bench.tasks += [asyncio.create_task(bench.ask()) for _ in range(20)]
    done, _ = await asyncio.wait(bench.tasks, return_when=asyncio.FIRST_COMPLETED)
    while len(done) + bench.shedding.under_way < 20:
        await asyncio.sleep(0)
        done = {task for task in bench.tasks if task.done()}
    assert {task.result().status_code for task in done} == {503}
    assert bench.shedding.refused == len(done)
    assert sorted(await bench.let_go()) == [200] * (20 - len(done)) + [503] * len(done)


async def test_without_refusals_an_overload_is_over() -> None:
    bench = Bench(most=1, patience_seconds=0.001)
    overload(bench)
    await bench.hold(1)
    assert (await bench.ask()).status_code == 503
    while bench.shedding._overload.is_there:
        await asyncio.sleep(0.001)
    assert await bench.let_go() == [200]
    await bench.client.aclose()


async def test_a_burst_is_worked_off_however_late_the_loop(bench: Bench) -> None:
    await bench.hold(19)
    bench.now += 10_000
    await bench.hold(1)
    assert await bench.let_go() == [200] * 20


async def test_one_is_always_let_in_under_overload(bench: Bench) -> None:
    overload(bench)
    bench.now += 10_000
    await bench.hold(1)
    assert await bench.let_go() == [200]


async def test_the_server_refuses_what_the_application_would(bench: Bench) -> None:
    assert bench.shedding.refusal(b"/graphql", ()) is None
    await bench.hold(20)
    told = await bench.ask()
    raw = bench.shedding.refusal(b"/graphql?query=x", [(b"x-request-id", b"mine")])
    assert raw is not None
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = dict(one.split(": ", 1) for one in lines)

    assert line == "HTTP/1.1 503 Service Unavailable"
    assert headers.pop("x-request-id") == "mine"
    assert headers["content-length"] == str(len(body))
    for name in ("content-type", "retry-after", "cache-control", "x-content-type-options"):
        assert headers[name] == told.headers[name]
    (entry,), (other,) = json.loads(body)["errors"], told.json()["errors"]
    assert entry["extensions"].pop("requestId") == "mine"
    assert other["extensions"].pop("requestId") == told.headers["x-request-id"]
    assert entry == other


async def test_what_is_let_in_by_the_server_counts_before_it_arrives(bench: Bench) -> None:
    told = [bench.shedding.refusal(b"/graphql", ()) for _ in range(21)]
    assert [one is None for one in told] == [True] * 20 + [False]
    await asyncio.sleep(0)
    assert bench.shedding.refusal(b"/graphql", ()) is None


@pytest.mark.parametrize(
    ("target", "headers"),
    [(b"/healthz", ()), (b"/graphql", ((b"origin", b"https://shop.example"),))],
    ids=["health", "a page of another origin"],
)
async def test_the_server_leaves_to_the_application(
    bench: Bench, target: bytes, headers: tuple[tuple[bytes, bytes], ...]
) -> None:
    await bench.hold(20)
    assert bench.shedding.refusal(target, headers) is None


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


async def test_who_waits_begins_in_order_and_a_few_in_a_turn() -> None:
    now = 0.0
    begun: list[int] = []
    waits: list[float] = []

    async def one(number: int) -> None:
        nonlocal now
        await beginnings.mine()
        begun.append(number)
        now += 0.02  # work of longer than a turn should take

    beginnings = Beginnings(waits.append, lambda: now)
    tasks = [asyncio.create_task(one(number)) for number in range(30)]
    turns = []
    while len(begun) < 30:
        before = len(begun)
        await asyncio.sleep(0)
        now += 0.001
        turns.append(len(begun) - before)
    await asyncio.gather(*tasks)
    assert begun == list(range(30))
    assert len(waits) == 30
    # It had to see first what one costs.
    assert max(turns[5:]) == 1
    assert waits[0] == 0.0
    assert waits[-1] > 0.4


async def test_who_gives_up_takes_no_turn() -> None:
    waits: list[float] = []
    beginnings = Beginnings(waits.append, Bench().tick)
    tasks = [asyncio.create_task(beginnings.mine()) for _ in range(20)]
    await asyncio.sleep(0)
    begun = len(waits)
    assert begun + beginnings.waiting == 20
    for task in tasks[begun:-1]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [one for one in done if one is None] == [None] * (begun + 1)
    assert len(waits) == begun + 1


def began(overload: Overload, waits: list[float]) -> list[bool]:
    """Whether there is overload after each beginning, 20 ms apart."""
    told = []
    for number, waited in enumerate(waits):
        overload.began(number * 0.02, waited)
        told.append(overload.is_there)
    return told


def test_a_queue_that_stands_is_overload() -> None:
    told = began(Overload(RULES), [0.1] * 100)
    assert told == [False] * 50 + [True] * 50


def test_a_short_burst_is_none() -> None:
    assert not any(began(Overload(RULES), [0.4] * 40 + [0.0] * 5 + [0.4] * 40))


def test_one_that_begins_in_time_ends_the_count() -> None:
    assert not any(began(Overload(RULES), ([0.4] * 30 + [0.0]) * 10))


def test_a_fast_process_lets_more_wait() -> None:
    overload = Overload(RULES)
    for number in range(1_000):
        overload.began(100 + number * 0.001, 0.1)
    assert 490 <= overload.room <= 510
    for number in range(100):
        overload.began(200 + number * 0.1, 0.1)
    assert overload.room == RULES.least


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(0, 5)), max_size=300))
def test_room_is_left_whatever_happens(steps: list[tuple[float, float]]) -> None:
    overload, now = Overload(RULES), 0.0
    for pause, waited in steps:
        now += pause
        overload.began(now, waited)
        assert overload.room >= RULES.least
    overload.is_over()
    assert not overload.is_there
