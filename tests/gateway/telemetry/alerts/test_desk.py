"""Each trouble is told once, again while it lasts, and once when it is over."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.doctor.watching import DriftEvent
from gateway.settings.alerts import AlertingSettings
from gateway.telemetry.alerts import Alert, Desk, SystemAlerts, shortened
from gateway.telemetry.alerts_claims import FileClaims
from gateway.telemetry.alerts_office import Office, Shared
from gateway.telemetry.alerts_sending import Target
from gateway.telemetry.alerts_sources import ErrorSpikes, Expiries, drift_alert
from gateway.telemetry.alerts_turn import FileTurns
from gateway.telemetry.journal.store import Store, connect
from ports.errors import UnavailableError, UpstreamError
from ports.systems import Impact, SystemStatus
from tests.gateway.telemetry.alerts.receiver import alert, receiving
from tests.gateway.telemetry.journal.made import AT, entry
from tests.gateway.telemetry.test_impact import system
from upstream.drift import Drift

UP, DOWN, UNKNOWN = SystemStatus.UP, SystemStatus.DOWN, SystemStatus.UNKNOWN


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Heard(list[Alert]):
    @property
    def states(self) -> list[str]:
        return [one.state for one in self]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def desk(heard: Heard, clock: Clock) -> Desk:
    return Desk(heard.append, repeat_seconds=100, clock=clock)


def test_what_lasts_is_told_once_and_again_after_a_while(
    desk: Desk, heard: Heard, clock: Clock
) -> None:
    later = datetime.now(UTC)
    for _ in range(3):
        desk.fire(alert())
    assert len(heard) == 1

    clock.now += 100
    desk.fire(alert(since=later))
    assert heard.states == ["firing", "firing"]
    assert heard[0].since == heard[1].since


def test_an_end_is_told_once_and_only_of_what_was_told(desk: Desk, heard: Heard) -> None:
    desk.resolve("system:erp", "Over.")
    desk.fire(alert())
    desk.resolve("system:erp", "Over.")
    desk.resolve("system:erp", "Over.")

    assert heard.states == ["firing", "resolved"]
    assert (heard[1].title, heard[1].text) == ("Resolved: erp is down", "Over.")
    assert not desk.firing


@pytest.fixture
def systems(desk: Desk, clock: Clock) -> SystemAlerts:
    return SystemAlerts(desk, down_seconds=10, recovery_seconds=30, clock=clock)


def look(systems: SystemAlerts, clock: Clock, *told: tuple[SystemStatus, float]) -> None:
    """Each state lasts for so many seconds, looked at every other one."""
    for status, seconds in told:
        for _ in range(int(seconds // 2) + 1):
            systems.told([system(status)])
            clock.now += 2


def test_a_system_goes_down_and_comes_back(
    systems: SystemAlerts, heard: Heard, clock: Clock
) -> None:
    look(systems, clock, (UP, 10), (DOWN, 20), (UP, 40))

    assert heard.states == ["firing", "resolved"]
    assert heard[0].upstream == "erp"


@pytest.mark.parametrize(
    "told",
    [
        [(UP, 10), (DOWN, 4), (UP, 40)],
        [(DOWN, 4), (UP, 2), (DOWN, 4), (UP, 2)],
        [(UNKNOWN, 100), (UP, 100)],
    ],
    ids=["short", "flickering", "well"],
)
def test_what_is_over_soon_wakes_nobody(
    systems: SystemAlerts, heard: Heard, clock: Clock, told: list[tuple[SystemStatus, float]]
) -> None:
    look(systems, clock, *told)

    assert not heard


@pytest.mark.parametrize(
    "after", [[(UNKNOWN, 100)], [(UP, 20), (DOWN, 20)]], ids=["quiet", "relapse"]
)
def test_what_is_not_known_to_be_up_for_good_stays_down(
    systems: SystemAlerts, heard: Heard, clock: Clock, after: list[tuple[SystemStatus, float]]
) -> None:
    look(systems, clock, (DOWN, 20), *after)

    assert heard.states == ["firing"]


def test_an_alert_tells_whom_it_hurts(systems: SystemAlerts, heard: Heard, clock: Clock) -> None:
    impact = Impact(5, ("Product.price",), ("Listing",), ("shop",), 7, 3)
    for _ in range(7):
        systems.told([system(DOWN, impact=impact)])
        clock.now += 2

    assert heard[0].details["customers"] == 7
    assert heard[0].details["fields"] == ["Product.price"]
    assert "7 customers" in heard[0].text


def test_drift_is_told_once_a_place(desk: Desk, heard: Heard, clock: Clock) -> None:
    first = DriftEvent(
        "erp", Drift("orders.search", "x.total", "missing", "gone"), ("Order.total",)
    )
    other = DriftEvent("erp", Drift("orders.search", "x.lines", "missing", "gone"), ())
    for event in (first, first, other):
        desk.fire(drift_alert(event))
    assert len(heard) == 2
    assert heard[0].details == {"fields": ["Order.total"]}

    clock.now += 50
    desk.expire("drift", 40)
    assert not desk.firing


@pytest.mark.parametrize(
    ("days", "severity"), [(20, None), (14, "warning"), (0, "critical"), (-3, "critical")]
)
def test_a_credential_near_its_end(
    desk: Desk, heard: Heard, days: int, severity: str | None
) -> None:
    today = date(2026, 3, 1)
    expiries = Expiries(desk, {"erp_key": today + timedelta(days=days)}, 14, lambda: today)
    expiries.look()
    expiries.look()

    assert [one.severity for one in heard] == ([severity] if severity else [])


async def test_ends_that_systems_tell_are_told_until_a_later_one_is(
    desk: Desk, heard: Heard
) -> None:
    now = datetime.now(UTC)
    told: list[datetime | UpstreamError | None] = [now + timedelta(days=3)]

    async def ask() -> datetime | None:
        if isinstance(told[0], UpstreamError):
            raise told[0]
        return told[0]

    expiries = Expiries(desk, {"ups_secret": date(2999, 1, 1)}, 14, asks={"erp": ask})

    async def look() -> list[tuple[str, str]]:
        await expiries.ask()
        expiries.look()
        return [(one.state, one.key) for one in heard]

    firing = ("firing", f"credentials:erp:{now.date() + timedelta(days=3)}")
    assert await look() == [firing]
    told[0] = UnavailableError(system="ERP", upstream="erp", operation="diagnosis")
    assert await look() == [firing]
    told[0] = now + timedelta(days=90)
    assert await look() == [firing, ("resolved", firing[1])]
    told[0] = None
    assert (await look())[2:] == []


async def test_what_is_configured_of_a_credential_is_not_asked(desk: Desk, heard: Heard) -> None:
    async def ask() -> datetime | None:
        raise AssertionError

    expiries = Expiries(desk, {"erp": datetime.now(UTC).date()}, 14, asks={"erp": ask})
    await expiries.ask()
    expiries.look()

    assert [one.severity for one in heard] == ["critical"]


async def test_an_office_asks_systems_when_credentials_end(tmp_path: Path) -> None:
    async def ask() -> datetime | None:
        return datetime.now(UTC) + timedelta(days=2, hours=1)

    shared = Shared(Mine(), FileClaims(tmp_path / "alerts.db"))
    async with receiving() as receiver:
        targets = (Target("ops", receiver.address),)
        async with Office(AlertingSettings(), targets, None, shared, {"erp": ask}):
            (told,) = await receiver.until(1)

    assert (told["event"], told["title"]) == ("credentials", "Credential erp ends in 2 days")


class Mine:
    async def take(self) -> bool:
        return True

    async def leave(self) -> None:
        pass


def spikes(desk: Desk, folder: Path, *entries: Any, count: int = 20) -> ErrorSpikes:
    file = folder / "journal.db"
    store = Store(connect(file))
    store.add(entries)
    store.close()
    return ErrorSpikes(desk, file, count, 4.0, lambda: AT)


def failures(number: int, seconds: float, **told: Any) -> list[Any]:
    """So many, spread over the seconds before now, from `seconds` to half of it."""
    return [
        entry(-seconds * (1 - place / number / 2), asked="orders.search", error="X", **told)  # type: ignore[arg-type]
        for place in range(number)
    ]


def test_errors_of_one_cause_that_are_many_all_of_a_sudden(
    desk: Desk, heard: Heard, tmp_path: Path
) -> None:
    made = spikes(desk, tmp_path, *failures(25, 200, detail="HTTP 500 for S123", customer="C1"))
    made.told(*made.read())
    made.told(*made.read())

    assert heard.states == ["firing"]
    assert (heard[0].upstream, heard[0].details["customers"]) == ("erp", 1)
    made.told([], {})
    assert heard.states == ["firing", "resolved"]


@pytest.mark.parametrize(
    "entries",
    [failures(19, 200), [*failures(25, 200), *failures(100, 3_000)]],
    ids=["few", "as many as ever"],
)
def test_errors_as_usual_wake_nobody(
    desk: Desk, heard: Heard, tmp_path: Path, entries: list[Any]
) -> None:
    made = spikes(desk, tmp_path, *entries)
    made.told(*made.read())

    assert not heard


def test_without_a_journal_there_are_no_errors_to_count(desk: Desk, tmp_path: Path) -> None:
    made = ErrorSpikes(desk, tmp_path / "none.db")

    assert made.read() == ((), {})


async def test_of_several_processes_one_tells_and_another_goes_on(tmp_path: Path) -> None:
    first, second = (FileTurns(tmp_path / "alerts.lock") for _ in range(2))

    assert (await first.take(), await second.take(), await first.take()) == (True, False, True)
    await first.leave()
    assert await second.take() is True
    await second.leave()


def test_long_lists_are_cut() -> None:
    assert shortened(map(str, range(15)))[-1] == "and 3 more"
