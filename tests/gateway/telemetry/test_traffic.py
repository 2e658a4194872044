"""The last minute, counted: by client and operation, by operation and system."""

from dataclasses import dataclass
from typing import Any

import pytest

from gateway.execution.answer import Answer
from gateway.operations.request import RequestError
from gateway.telemetry.traffic import WINDOW_SECONDS, Tally, Traffic, Window
from ports.caller import Call, Caller, CallerKind
from tests.gateway.telemetry.journal.made import entry

SHOP = Caller(subject="k1", kind=CallerKind.APPLICATION, name="shop")
STRANGER = Caller(subject="", kind=CallerKind.ANONYMOUS)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("milliseconds", [0.3, 1.0, 12.0, 480.0, 9_000.0])
def test_a_percentile_is_about_right(milliseconds: float) -> None:
    tally = Tally()
    for _ in range(99):
        tally.add(milliseconds, failed=False)
    tally.add(milliseconds * 40, failed=True)

    assert tally.p95 == pytest.approx(milliseconds, rel=0.2)
    assert tally.error_rate == 0.01


def test_nothing_counted_has_no_percentile() -> None:
    assert (Tally().p95, Tally().error_rate) == (None, 0.0)


def test_what_is_older_than_a_minute_is_forgotten() -> None:
    clock = Clock()
    window: Window[str] = Window(clock)
    window.add("a", 1.0, failed=False)
    clock.now += WINDOW_SECONDS / 2
    window.add("a", 1.0, failed=False)
    assert window.totals()["a"].count == 2

    clock.now += WINDOW_SECONDS / 2 + 1
    assert window.totals()["a"].count == 1
    assert window.seconds == WINDOW_SECONDS


def test_calls_are_told_by_the_operation_that_caused_them() -> None:
    traffic = Traffic()
    traffic.told(
        [
            entry(1, asked="orders.orders", graphql="Order"),
            entry(2, asked="orders.orders", graphql=None),
            entry(3, asked=None, upstream="pim", error="X"),
            entry(4, asked="orders.orders", graphql="Order", tried=0, cache="stale"),
        ]
    )

    totals = traffic.called.totals()
    assert {key: one.count for key, one in totals.items()} == {
        ("Order", "erp"): 1,
        ("unnamed", "erp"): 1,
        (None, "pim"): 1,
    }
    assert totals[None, "pim"].failed == 1


def test_names_that_strangers_invent_are_bounded() -> None:
    traffic = Traffic()
    for number in range(1_000):
        traffic.answered(STRANGER, f"Made{number}", 0.001, failed=False)

    assert len(traffic.asked.totals()) < 100


def test_kept_answers_count() -> None:
    traffic = Traffic()
    traffic.kept(SHOP, ("Listing", object()))
    traffic.kept(SHOP, None)

    assert set(traffic.asked.totals()) == {("shop", "Listing"), ("shop", "unnamed")}
    assert traffic.reused == 2


@dataclass
class Context:
    call: Call


def failing(code: str) -> Answer:
    return Answer({}, [{"message": "m", "extensions": {"code": code}}])


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (Answer({}, []), 0),
        (failing("UPSTREAM_TIMEOUT"), 1),
        (failing("INTERNAL"), 1),
        (failing("FORBIDDEN"), 0),
        (RequestError(400, "m", "BAD_REQUEST"), 0),
        (RequestError(503, "m", "SERVICE_UNAVAILABLE"), 1),
    ],
    ids=["good", "timeout", "internal", "forbidden", "refused", "unavailable"],
)
def test_what_is_the_clients_own_doing_is_no_trouble(
    answer: Answer | RequestError, failed: int
) -> None:
    traffic = Traffic()
    context: Any = Context(Call(SHOP, "en", 1.0, operation="Listing"))
    if isinstance(answer, Answer):
        traffic.over(context, 0.01, answer, None)
    else:
        traffic.over(context, 0.01, None, answer)

    (tally,) = traffic.asked.totals().values()
    assert (tally.count, tally.failed) == (1, failed)
    assert set(traffic.asked.totals()) == {("shop", "Listing")}
