"""The poller against a system that commits late, changes in bulk, refuses and is down."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ports.caller import Call
from ports.errors import RefusedError, ThrottledError, UnavailableError, UpstreamError
from upstream.cursors import FileCursors
from upstream.poller import ChangedRow, ChangeFeed, PollClock, Poller, PollTerms, Window

START = datetime(2026, 11, 24, 10, tzinfo=UTC)
TERMS = PollTerms(interval_seconds=10, overlap_seconds=60, page=3, pages=2)


def failure(kind: type[UpstreamError], **more: float) -> UpstreamError:
    return kind(system="ERP", upstream="erp", operation="changes", **more)  # type: ignore[arg-type]


class System:
    """Rows by topic and id. `at` of a row is when its transaction began, as in Odoo."""

    def __init__(self, *topics: str) -> None:
        self.topics: Sequence[str] = topics or ("orders",)
        self.rows: dict[str, dict[int, datetime]] = {topic: {} for topic in self.topics}
        self.fails: dict[str, UpstreamError] = {}
        self.asked: list[tuple[str, datetime, int | None]] = []
        self.now = START

    def write(self, key: int, at: datetime | None = None, topic: str = "orders") -> None:
        self.rows[topic][key] = (at or self.now).replace(microsecond=0)

    async def latest(self, topic: str, /, *, call: Call) -> datetime | None:
        self._fail(topic)
        return max(self.rows[topic].values(), default=None)

    async def changed(self, topic: str, window: Window, /, *, call: Call) -> list[ChangedRow]:
        self._fail(topic)
        self.asked.append((topic, window.since, window.after))
        rows = sorted(self.rows[topic].items())
        found = [
            ChangedRow(key, at, (f"order:{key}",))
            for key, at in rows
            if at >= window.since and key > (window.after or 0)
        ]
        return found[: window.limit]

    def broad(self, topic: str, /) -> tuple[str, ...]:
        return (f"role:{topic}",)

    def _fail(self, topic: str) -> None:
        if topic in self.fails:
            raise self.fails[topic]


_PROOF: type[ChangeFeed] = System


class Kept:
    """The cache: what was purged, in order."""

    def __init__(self) -> None:
        self.purged: list[str] = []
        self.up = True

    async def purge(self, tags: Sequence[str]) -> int:
        if not self.up:
            raise ConnectionError("down")
        self.purged += tags
        return len(tags)

    def since(self) -> list[str]:
        found, self.purged = self.purged, []
        return found


class World:
    """A system, its poller, and the time that passes for both."""

    def __init__(self, path: Path | None = None, *topics: str) -> None:
        self.system = System(*topics)
        self.kept = Kept()
        self.path = path or Path("nowhere/at/all")
        self.steady = 0.0
        self.off = timedelta()
        self.pauses: list[float] = []
        self.poller = self.started()

    def started(self) -> Poller:
        clock = PollClock(lambda: self.steady, self._sleep, lambda: 1.0, lambda: self.wall)
        cursors = FileCursors(self.path)
        return Poller("erp", self.system, self.kept, cursors, TERMS, clock=clock)

    @property
    def wall(self) -> datetime:
        """What our own clock shows."""
        return self.system.now + self.off

    def go(self, seconds: float) -> None:
        self.steady += seconds
        self.system.now += timedelta(seconds=seconds)

    async def round(self, seconds: float = 10) -> list[str]:
        self.go(seconds)
        await self.poller.poll()
        return self.kept.since()

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        if len(self.pauses) >= 8:
            await asyncio.Event().wait()
        self.go(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "changes.json")


async def test_the_first_round_ever_purges_nothing(world: World) -> None:
    world.system.write(1)

    assert await world.round() == []


async def test_what_changes_is_purged_once(world: World) -> None:
    world.system.write(1)
    await world.round()
    world.system.write(1)
    world.system.write(2)

    assert await world.round() == ["order:1", "order:2"]
    assert await world.round() == []
    world.system.write(2)
    assert await world.round() == ["order:2"]


async def test_the_first_row_of_an_empty_table_is_seen(world: World) -> None:
    await world.round()
    world.system.write(1)

    assert await world.round() == ["order:1"]


async def test_a_transaction_that_ends_late_is_seen(world: World) -> None:
    await world.round()
    world.system.write(1)
    assert await world.round() == ["order:1"]

    world.system.write(2, at=world.system.now - timedelta(seconds=50))

    assert await world.round() == ["order:2"]


async def test_long_after_a_change_its_rows_are_not_read_again(world: World) -> None:
    await world.round()
    world.system.write(1)
    await world.round()
    await world.round(61)  # what was committed until then is still found

    world.system.asked.clear()
    await world.round()

    ((_, since, _),) = world.system.asked
    assert since > world.system.rows["orders"][1]


async def test_pages_are_read_to_their_end(world: World) -> None:
    await world.round()
    for key in (5, 4, 3, 2, 1):
        world.system.write(key)

    assert await world.round() == [f"order:{key}" for key in range(1, 6)]


async def test_too_much_at_once_purges_the_whole_and_is_not_read_again(world: World) -> None:
    await world.round()
    for key in range(1, 50):
        world.system.write(key)

    assert await world.round() == ["role:orders"]
    assert await world.round() == []
    world.system.write(7)
    assert await world.round() == ["order:7"]


async def test_a_restart_goes_on_where_it_was(world: World) -> None:
    world.system.write(1)
    await world.round()
    world.go(600)
    world.system.write(2)
    world.poller = world.started()

    # The last moments are read again, since what was seen of them is forgotten.
    assert await world.round() == ["order:1", "order:2"]
    assert await world.round() == []


async def test_a_damaged_cursor_begins_anew(world: World) -> None:
    world.system.write(1)
    await world.round()
    world.path.write_text("{")
    world.poller = world.started()

    assert await world.round() == []
    world.system.write(1)
    assert await world.round() == ["order:1"]


async def test_a_purge_that_fails_is_done_in_the_next_round(world: World) -> None:
    await world.round()
    world.system.write(1)
    world.kept.up = False
    with pytest.raises(ConnectionError):
        await world.round()

    world.kept.up = True
    assert await world.round() == ["order:1"]


async def test_what_is_refused_keeps_nothing_else_back(tmp_path: Path) -> None:
    world = World(tmp_path / "changes.json", "parcels", "orders")
    await world.round()
    world.system.fails["parcels"] = failure(RefusedError)
    world.system.write(1)

    assert await world.round() == ["order:1"]
    del world.system.fails["parcels"]
    world.system.write(2, topic="parcels")
    assert await world.round() == []
    purged = [await world.round() for _ in range(60)]
    assert purged.count(["order:2"]) == 1


async def test_a_system_that_is_down_is_asked_less_and_less(world: World) -> None:
    world.system.fails["orders"] = failure(UnavailableError)

    async with world.poller:
        while len(world.pauses) < 8:
            await asyncio.sleep(0)

    assert world.pauses == [20, 40, 80, 160, 300, 300, 300, 300]


async def test_a_wish_for_a_pause_is_granted(world: World) -> None:
    world.system.fails["orders"] = failure(ThrottledError, retry_after=900)

    async with world.poller:
        while len(world.pauses) < 8:
            await asyncio.sleep(0)

    assert set(world.pauses) == {900}


async def test_it_goes_on_after_any_failure(world: World) -> None:
    world.system.write(1)
    await world.round()
    world.kept.up = False
    world.system.write(1)

    async with world.poller:
        while len(world.pauses) < 2:
            await asyncio.sleep(0)
        world.kept.up = True
        while len(world.pauses) < 8:
            await asyncio.sleep(0)

    assert world.kept.purged == ["order:1"]
    assert world.pauses[-1] == TERMS.interval_seconds


async def test_how_far_behind_it_is_can_be_told(world: World) -> None:
    assert world.poller.behind_seconds is None
    await world.round()
    world.system.fails["orders"] = failure(UnavailableError)
    with pytest.raises(UnavailableError):
        await world.round(25)

    assert world.poller.behind_seconds == 25


async def test_a_row_of_a_clock_that_ran_ahead_hides_nothing(world: World) -> None:
    """The system's clock showed tomorrow for a moment."""
    world.system.write(1)
    await world.round()
    world.system.write(2, at=world.system.now + timedelta(days=1))

    assert "order:2" in await world.round()
    for number in range(3, 30):
        world.system.write(number)
        assert await world.round(150) == [f"order:{number}"]


@pytest.mark.parametrize("days", [-1, 1])
async def test_our_own_clock_may_jump(world: World, days: int) -> None:
    world.system.write(1)
    await world.round()
    world.off = timedelta(days=days)
    seen = []
    for number in range(2, 9):
        world.system.write(number)
        seen += await world.round(40)

    assert {f"order:{number}" for number in range(2, 9)} <= {*seen} or "role:orders" in seen
    world.off = timedelta()
    world.system.write(9)
    assert {"order:9", "role:orders"} & {*await world.round(40)}


class Turn:
    """Whose turn it is, as a test says."""

    def __init__(self, *, ours: bool | None = True) -> None:
        self.ours = ours
        self.left = 0

    async def take(self) -> bool | None:
        return self.ours

    async def leave(self) -> None:
        self.left += 1


class Replica:
    """A poller that shares the system and the cursor with others of the same world."""

    def __init__(self, world: World, turn: Turn) -> None:
        self.kept = Kept()
        self.turn = turn
        self._next, self._done = asyncio.Event(), asyncio.Event()
        clock = PollClock(lambda: world.steady, self._pause, lambda: 1.0, lambda: world.wall)
        cursors = FileCursors(world.path)
        self.poller = Poller(
            "erp", world.system, self.kept, cursors, TERMS, turns=turn, clock=clock
        )

    async def round(self) -> list[str]:
        self._done.clear()
        self._next.set()
        await self._done.wait()
        return self.kept.since()

    async def _pause(self, _seconds: float) -> None:
        self._done.set()
        self._next.clear()
        await self._next.wait()


async def test_one_of_two_replicas_asks_and_the_other_goes_on_from_there(world: World) -> None:
    world.system.write(1)
    one, two = Replica(world, Turn()), Replica(world, Turn(ours=False))
    async with one.poller, two.poller:
        await one.round()
        await two.round()
        world.go(600)
        world.system.write(2)
        assert "order:2" in await one.round()
        assert await two.round() == []
        assert two.poller.behind_seconds is None
        world.go(600)
        world.system.write(3)
        one.turn.ours, two.turn.ours = False, True

        assert await one.round() == []
        # What the other one saw last is read again.
        assert await two.round() == ["order:2", "order:3"]

    assert (one.turn.left, two.turn.left) == (1, 1)


async def test_while_nobody_can_tell_whose_turn_it_is_both_ask(world: World) -> None:
    world.system.write(1)
    one, two = Replica(world, Turn()), Replica(world, Turn(ours=False))
    async with one.poller, two.poller:
        await one.round()
        await two.round()
        one.turn.ours = two.turn.ours = None
        world.path.unlink()  # the store of the cursor is lost with it
        world.go(600)
        world.system.write(2)

        assert "order:2" in await one.round()
        assert "order:2" in await two.round()


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(0, 50), st.integers(0, 90)), max_size=30))
def test_no_change_is_missed(writes: list[tuple[int, int, int]]) -> None:
    """Each a row, how long its transaction took, and how long until the next round."""

    async def run() -> None:
        world = World()
        world.poller = Poller(
            "erp",
            world.system,
            world.kept,
            FileCursors(Path("/dev/null/nowhere")),
            PollTerms(overlap_seconds=60, page=3, pages=10),
            clock=PollClock(lambda: world.steady, wall=lambda: world.wall),
        )
        await world.round()
        for key, took, pause in writes:
            began = world.system.now - timedelta(seconds=took)
            known = world.system.rows["orders"].get(key)
            if known is not None and known >= began:
                continue  # the later transaction has won, and was seen
            world.system.write(key, at=began)
            assert f"order:{key}" in await world.round(pause)

    asyncio.run(run())
