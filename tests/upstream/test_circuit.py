"""When a circuit opens, whom it lets probe, and how it finds back; the clock is simulated."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    precondition,
    rule,
)

from ports.errors import (
    BadInputError,
    MalformedError,
    PortError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)
from upstream.circuit import Circuit, CircuitChange, CircuitRules, Circuits, CircuitState
from upstream.limits import QueueFullError, QueueTimedOutError

RULES = CircuitRules()


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def error(kind: type[UpstreamError]) -> UpstreamError:
    return kind(system="ERP", upstream="erp-fr", operation="stock.availability")


@contextmanager
def attempt(circuit: Circuit, patience: float = inf) -> Iterator[None]:
    """One call, with the ends that the guard tells the circuit."""
    token = circuit.begin()
    try:
        yield
    except BaseException as raised:
        circuit.failed(token, raised, patience)
        raise
    circuit.succeeded(token)


class Bench:
    """A circuit with its clock and what it told its listener."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.told: list[CircuitChange] = []
        name = ("ERP", "erp-fr", "stock.availability")
        self.circuit = Circuit(name, RULES, clock=self.clock, listener=self.told.append)

    def attempt(self, patience: float = inf) -> AbstractContextManager[None]:
        return attempt(self.circuit, patience)

    def call(self, raised: BaseException | None = None) -> bool:
        """Whether the system was asked."""
        asked = False
        with suppress(PortError, asyncio.CancelledError), self.attempt():
            asked = True
            if raised is not None:
                raise raised
        return asked

    def fail(self, times: int = RULES.minimum) -> None:
        for _ in range(times):
            self.call(error(UnavailableError))

    def states(self) -> list[CircuitState]:
        return [one.after for one in self.told]


@pytest.fixture
def bench() -> Bench:
    return Bench()


COUNTED = [UnavailableError, TimedOutError, ThrottledError, MalformedError]


@pytest.mark.parametrize("kind", COUNTED)
def test_a_system_that_fails_is_left_alone(bench: Bench, kind: type[UpstreamError]) -> None:
    asked = [bench.call(error(kind)) for _ in range(50)]

    assert sum(asked) == RULES.minimum
    with pytest.raises(UnavailableError) as caught, bench.attempt():
        raise AssertionError
    assert caught.value.retry_after == RULES.open_seconds
    assert (caught.value.upstream, caught.value.operation) == ("erp-fr", "stock.availability")


OTHERS = [
    error(RefusedError),
    error(QueueFullError),
    error(QueueTimedOutError),
    BadInputError("no such cursor"),
    asyncio.CancelledError(),
]


@pytest.mark.parametrize("raised", OTHERS, ids=lambda one: type(one).__name__)
def test_what_is_not_the_systems_failure_opens_nothing(bench: Bench, raised: BaseException) -> None:
    assert all(bench.call(raised) for _ in range(50))
    assert bench.circuit.state is CircuitState.CLOSED


def test_a_mistake_of_ours_opens_nothing(bench: Bench) -> None:
    for _ in range(20):
        with pytest.raises(ZeroDivisionError), bench.attempt():
            raise ZeroDivisionError
    assert bench.circuit.state is CircuitState.CLOSED


def test_a_callers_hurry_is_not_the_systems_slowness(bench: Bench) -> None:
    for _ in range(20):
        with suppress(TimedOutError), bench.attempt(0.05):
            bench.clock.now += 0.05
            raise error(TimedOutError)
    assert bench.circuit.state is CircuitState.CLOSED


def test_a_patient_callers_deadline_is(bench: Bench) -> None:
    for _ in range(RULES.minimum):
        with suppress(TimedOutError), bench.attempt(1.5):
            bench.clock.now += 1.5
            raise error(TimedOutError)
    assert bench.circuit.state is CircuitState.OPEN


def test_a_rate_of_failures_opens_it_without_a_row_of_them(bench: Bench) -> None:
    for _ in range(2):
        bench.call()
        bench.call(error(UnavailableError))
    assert bench.circuit.state is CircuitState.CLOSED  # too few to judge by

    bench.call()
    bench.call(error(UnavailableError))
    assert bench.circuit.state is CircuitState.OPEN


def test_few_failures_among_many_answers_open_nothing(bench: Bench) -> None:
    for _ in range(50):
        for _ in range(9):
            bench.call()
        bench.call(error(UnavailableError))
    assert bench.circuit.state is CircuitState.CLOSED
    assert bench.circuit.error_rate == pytest.approx(0.1)


def test_what_is_past_the_window_is_forgotten(bench: Bench) -> None:
    for _ in range(100):
        bench.call()
    bench.clock.now += RULES.window_seconds
    assert bench.circuit.error_rate == 0.0
    for failed in (True, False, True, False, True):
        bench.call(error(TimedOutError) if failed else None)
    assert bench.circuit.state is CircuitState.OPEN


def test_one_probe_finds_the_system_back(bench: Bench) -> None:
    bench.fail()
    bench.clock.now += RULES.open_seconds

    assert bench.circuit.state is CircuitState.HALF_OPEN
    with bench.attempt():
        assert not bench.call()
    assert bench.circuit.state is CircuitState.CLOSED
    assert all(bench.call() for _ in range(10))
    assert bench.states() == [CircuitState.OPEN, CircuitState.HALF_OPEN, CircuitState.CLOSED]


def test_a_refusal_is_an_answer(bench: Bench) -> None:
    bench.fail()
    bench.clock.now += RULES.open_seconds
    bench.call(error(RefusedError))
    assert bench.circuit.state is CircuitState.CLOSED


def test_waits_double_up_to_a_limit(bench: Bench) -> None:
    bench.fail()
    waits = []
    for _ in range(5):
        with pytest.raises(UnavailableError) as caught, bench.attempt():
            pass
        waits.append(caught.value.retry_after)
        bench.clock.now += caught.value.retry_after or 0.0
        bench.fail(1)
    assert waits == [1.0, 2.0, 4.0, 4.0, 4.0]


@pytest.mark.parametrize("raised", [asyncio.CancelledError(), error(QueueFullError)])
def test_a_probe_that_learnt_nothing_gives_its_turn_back(
    bench: Bench, raised: BaseException
) -> None:
    bench.fail()
    bench.clock.now += RULES.open_seconds
    assert bench.call(raised)
    assert bench.circuit.state is CircuitState.HALF_OPEN
    assert bench.call()
    assert bench.circuit.state is CircuitState.CLOSED


def test_a_probe_that_hangs_does_not_keep_others_from_probing(bench: Bench) -> None:
    bench.fail()
    bench.clock.now += RULES.open_seconds
    with suppress(TimedOutError), bench.attempt():
        assert not bench.call()
        bench.clock.now += RULES.probe_seconds
        assert bench.call()
        raise error(TimedOutError)
    assert bench.circuit.state is CircuitState.CLOSED


def test_a_slow_probe_still_tells_that_the_system_is_back(bench: Bench) -> None:
    bench.fail()
    bench.clock.now += RULES.open_seconds
    with bench.attempt():
        bench.clock.now += RULES.probe_seconds * 2
    assert bench.circuit.state is CircuitState.CLOSED


def test_calls_from_before_say_nothing_about_now(bench: Bench) -> None:
    with suppress(UnavailableError), bench.attempt():
        bench.fail()
        bench.clock.now += RULES.open_seconds
        assert bench.call()
        raise error(UnavailableError)
    assert bench.circuit.state is CircuitState.CLOSED
    assert bench.circuit.error_rate == 0.0


def test_a_good_call_may_be_the_one_that_makes_the_failures_many(bench: Bench) -> None:
    bench.fail(RULES.minimum - 1)
    assert bench.states() == []

    bench.call()

    assert bench.states() == [CircuitState.OPEN]


def late_probe(bench: Bench) -> object:
    """A probe that hung while the next one found the system back."""
    bench.fail()
    bench.clock.now += RULES.open_seconds
    hung = bench.circuit.begin()
    bench.clock.now += RULES.probe_seconds
    bench.call()
    assert bench.circuit.state is CircuitState.CLOSED
    return hung


def test_a_probe_of_an_earlier_outage_does_not_end_this_one(bench: Bench) -> None:
    hung = late_probe(bench)
    bench.fail()

    bench.circuit.succeeded(hung)

    assert bench.circuit.state is CircuitState.OPEN


def test_a_probe_of_an_earlier_outage_forgives_no_failures(bench: Bench) -> None:
    hung = late_probe(bench)
    bench.fail(RULES.minimum - 1)

    bench.circuit.succeeded(hung)
    bench.fail(1)

    assert bench.circuit.state is CircuitState.OPEN


def test_each_operation_has_its_own() -> None:
    circuits = Circuits("ERP", "erp-fr", clock=Clock())
    for _ in range(RULES.minimum):
        with suppress(UnavailableError), attempt(circuits.of("stock.availability")):
            raise error(UnavailableError)
    with attempt(circuits.of("pricing.prices")):
        pass
    assert circuits.of("orders.search").state is CircuitState.CLOSED  # and is not called

    assert circuits.of("stock.availability") is circuits.of("stock.availability")
    assert circuits.states() == {
        "stock.availability": CircuitState.OPEN,
        "pricing.prices": CircuitState.CLOSED,
    }


class Machine(RuleBasedStateMachine):
    """Callers come, end well or badly in any order, and time passes."""

    running = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.probes: dict[int, float] = {}
        self.count = 0
        self.refused: list[tuple[CircuitState, float]] = []

    @rule(target=running)
    def come(self) -> object:
        before = self.bench.circuit.state
        attempt = self.bench.attempt()
        try:
            attempt.__enter__()
        except UnavailableError as told:
            self.refused.append((before, told.retry_after or 0.0))
            return multiple()
        self.count += 1
        if before is not CircuitState.CLOSED:
            self.probes[self.count] = self.bench.clock.now
        return (attempt, self.count)

    @rule(one=consumes(running), kind=st.sampled_from([None, *COUNTED, RefusedError, "gone"]))
    def end(self, one: tuple[object, int], kind: object) -> None:
        attempt, number = one
        self.probes.pop(number, None)
        raised: BaseException | None = None
        if kind == "gone":
            raised = asyncio.CancelledError()
        elif isinstance(kind, type):
            raised = error(kind)
        with suppress(PortError, asyncio.CancelledError):
            attempt.__exit__(type(raised) if raised else None, raised, None)  # type: ignore[attr-defined]

    @rule(seconds=st.floats(0.01, 5.0))
    def wait(self, seconds: float) -> None:
        self.bench.clock.now += seconds

    @precondition(lambda self: self.bench.circuit.state is not CircuitState.CLOSED)
    @rule()
    def the_system_is_back(self) -> None:
        """Within 5 seconds of asking, whatever happened before."""
        for _ in range(50):
            self.bench.call()
            self.bench.clock.now += 0.1
        assert self.bench.circuit.state is CircuitState.CLOSED

    @invariant()
    def one_probe_at_a_time(self) -> None:
        since = self.bench.clock.now - RULES.probe_seconds
        assert sum(begun > since for begun in self.probes.values()) <= 1

    @invariant()
    def nobody_is_refused_for_long_or_while_closed(self) -> None:
        assert all(state is not CircuitState.CLOSED for state, _ in self.refused)
        assert all(0 < seconds <= RULES.open_seconds_max for _, seconds in self.refused)

    @invariant()
    def changes_follow_each_other(self) -> None:
        told = self.bench.told
        assert all(one.after is two.before for one, two in pairwise(told))
        assert all(one.before is not one.after for one in told)


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestMachine = Machine.TestCase
