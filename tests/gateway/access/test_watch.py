"""Suspicious activity: what counts, when it is told, what is never told, and who is throttled."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.access.watch import Event, Observed, Watch, notes_of
from gateway.operations.request import RequestError
from gateway.settings.rates import Suspicion, WatchSettings

Logs = list[Any]
ADDRESS = "192.0.2.1"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logs() -> Iterator[Logs]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def watch_of(clock: Clock, threshold: int = 3, throttle: float = 0, **bounds: int) -> Watch:
    rule = Suspicion(threshold=threshold, window_seconds=60, throttle_seconds=throttle)
    return Watch(dict.fromkeys(Event, rule), clock=clock, **bounds)


def alarms(logs: Logs) -> list[str]:
    return [one["kind"] for one in logs if one["event"] == "security event"]


@pytest.mark.parametrize("event", list(Event))
def test_crossing_the_threshold_is_told_once_a_window(
    clock: Clock, logs: Logs, event: Event
) -> None:
    watch = watch_of(clock)
    for number in range(2):
        watch.note(event, caller="key-1", value=number)
    assert alarms(logs) == []
    for number in range(2, 50):
        watch.note(event, caller="key-1", value=number)
    assert alarms(logs) == [event.value]
    clock.now += 61
    for number in range(3):
        watch.note(event, caller="key-1", value=number)
    assert alarms(logs) == [event.value] * 2


def test_a_security_event_says_who_what_and_why(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock, throttle=30)
    for number in range(3):
        watch.note(Event.LOGIN_FAILURE, caller=ADDRESS, value=number, why="unknown key")
    (told,) = logs
    assert told == {
        "event": "security event",
        "log_level": "warning",
        "kind": "login_failure",
        "caller": ADDRESS,
        "count": 3,
        "window_seconds": 60,
        "reason": "many credentials not accepted",
        "throttled_seconds": 30,
        "why": "unknown key",
    }


def test_the_same_value_counts_once(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock)
    for number in [1, 2] * 50:
        watch.note(Event.NUMBER_ENUMERATION, caller="key-1", value=f"SO{number}")
    assert alarms(logs) == []
    watch.note(Event.NUMBER_ENUMERATION, caller="key-1", value="SO3")
    assert alarms(logs) == ["number_enumeration"]


def test_without_a_value_each_time_counts(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock)
    for _ in range(3):
        watch.note("scope_probe", caller="key-1")
    assert alarms(logs) == ["scope_probe"]


def test_callers_and_events_are_counted_apart(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock)
    for number in range(2):
        for caller in ("a", "b"):
            for event in Event:
                watch.note(event, caller=caller, value=number)
    assert alarms(logs) == []


def test_the_window_slides(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock)
    for number in range(20):  # two in any 60 seconds
        watch.note(Event.CUSTOMER_READING, caller="key-1", value=number)
        clock.now += 30
    assert alarms(logs) == []


def test_a_value_asked_again_does_not_keep_older_ones(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock)
    for value, seconds in (("a", 10), ("b", 40), ("a", 25), ("c", 0)):
        watch.note(Event.NUMBER_ENUMERATION, caller="key-1", value=value)
        clock.now += seconds
    assert alarms(logs) == []  # of the last 60 seconds are only a and c


@given(gaps=st.lists(st.floats(0, 100), max_size=60), threshold=st.integers(1, 10))
def test_an_alarm_is_raised_just_when_a_window_holds_enough(
    gaps: list[float], threshold: int
) -> None:
    clock = Clock()
    watch = watch_of(clock, threshold)
    times: list[float] = []
    last = float("-inf")
    for number, gap in zip(count(), gaps, strict=False):
        clock.now += gap
        times.append(clock.now)
        inside = sum(at > clock.now - 60 for at in times)
        expected = inside >= threshold and clock.now >= last + 60
        with structlog.testing.capture_logs() as logs:
            watch.note(Event.PRICE_SCRAPING, caller="a", value=number)
        assert bool(logs) is expected
        if expected:
            last = clock.now


def test_neither_values_nor_other_facts_are_told_or_kept(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock, threshold=1)
    watch.note(
        Event.API_KEY_REFUSED,
        caller="key-1",
        value="gw_live_hush",
        token="hush",
        email="anna@example.com",
        why="x" * 500,
        kind="forged",
    )
    (told,) = logs
    assert "hush" not in repr(told)
    assert "anna" not in repr(told)
    assert told["kind"] == "api_key_refused"
    assert len(told["why"]) == 64
    assert "hush" not in repr([window.entries for window in watch._windows.values()])


def test_an_event_by_its_words_and_its_reason(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock, threshold=1)
    watch.note("api key refused", caller="key-1", reason="revoked")
    assert alarms(logs) == ["api_key_refused"]
    assert logs[0]["why"] == "revoked"
    assert logs[0]["reason"] == "an API key used again and again that is not accepted"


def test_an_unknown_event_is_told_and_harms_nobody(clock: Clock, logs: Logs) -> None:
    watch_of(clock, throttle=10).note("teleportation", caller="a")
    assert [one["event"] for one in logs] == ["unknown security event"]


def test_what_has_no_rule_is_not_watched(clock: Clock, logs: Logs) -> None:
    watch = Watch({}, clock=clock)
    for number in range(100):
        watch.note(Event.SCOPE_PROBE, caller="a", value=number)
    assert logs == []


# ------------------------------------------------------------------ throttling


def test_by_default_it_only_tells(clock: Clock, logs: Logs) -> None:
    watch = Watch(WatchSettings().rules(), clock=clock)
    for number in range(10_000):
        watch.note(Event.SCOPE_PROBE, caller="a", value=number)
    assert alarms(logs) == ["scope_probe"]
    assert watch.throttled("a") is None


@pytest.mark.usefixtures("logs")
def test_a_throttled_caller_waits_and_nobody_else(clock: Clock) -> None:
    watch = watch_of(clock, throttle=30)
    assert watch.throttled("a") is None
    for number in range(3):
        watch.note(Event.NUMBER_ENUMERATION, caller="a", value=number)
    clock.now += 10
    assert watch.throttled("a") == 20
    assert watch.throttled("b") is None
    with pytest.raises(RequestError) as raised:
        watch.require_unthrottled("a")
    assert (raised.value.status, raised.value.code) == (429, "RATE_LIMITED")
    assert dict(raised.value.headers)[b"retry-after"] == b"21"
    clock.now += 20
    assert watch.throttled("a") is None
    watch.require_unthrottled("a")


# ------------------------------------------------------------------ bounds


@pytest.mark.usefixtures("logs")
def test_memory_is_bounded_by_callers_and_by_entries(clock: Clock) -> None:
    watch = watch_of(clock, threshold=50, throttle=10, max_callers=20, max_entries=200)
    for caller in range(100):
        for number in range(60):
            watch.note(Event.PRICE_SCRAPING, caller=f"{caller}", value=number)
            held = sum(len(window.entries) for window in watch._windows.values())
            assert held == watch._entries <= 200
    assert len(watch._windows) <= 20
    assert len(watch._throttled) <= 20


def test_those_quiet_longest_are_forgotten_first(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock, threshold=3, max_callers=2)
    for caller in ("busy", "b", "busy", "c", "busy"):
        watch.note(Event.LOGIN_FAILURE, caller=caller)
    assert alarms(logs) == ["login_failure"]


# ------------------------------------------------------------------ one operation


def test_the_events_of_an_operation() -> None:
    observed = Observed(
        unknown_numbers={"SO1"}, customers=["C-1"], skus=("A", "B"), refused_fields=2
    )
    assert list(notes_of(observed)) == [
        (Event.NUMBER_ENUMERATION, "SO1"),
        (Event.CUSTOMER_READING, "C-1"),
        (Event.PRICE_SCRAPING, "A"),
        (Event.PRICE_SCRAPING, "B"),
        (Event.SCOPE_PROBE, None),
        (Event.SCOPE_PROBE, None),
    ]
    assert list(notes_of(Observed())) == []


def test_what_an_operation_did_is_counted(clock: Clock, logs: Logs) -> None:
    watch = watch_of(clock)
    watch.observe("a", Observed(unknown_numbers={"1", "2"}, refused_fields=2))
    assert alarms(logs) == []
    watch.observe("a", Observed(unknown_numbers={"2", "3"}))
    watch.observe("a", Observed(refused_fields=1))
    assert alarms(logs) == ["number_enumeration", "scope_probe"]


# ------------------------------------------------------------------ settings


def test_every_event_has_a_table_of_settings() -> None:
    assert set(WatchSettings().rules()) == {event.value for event in Event}


@pytest.mark.parametrize(
    "table",
    [
        {"scope_probe": {"threshold": 0}},
        {"scope_probe": {"threshold": 10_001}},
        {"scope_probe": {"window_seconds": 0}},
        {"scope_probe": {"throttle_seconds": -1}},
        {"scope_prob": {}},
    ],
)
def test_wrong_tables_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WatchSettings.model_validate(table)
