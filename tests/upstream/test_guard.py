"""What stands around every port call."""

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import pytest

from ports.caller import Call
from ports.common import Answers, SystemName
from ports.errors import MalformedError, TimedOutError, UnavailableError
from ports.operation import batch, single
from tests.upstream.loopback import call
from upstream.cache import Cache
from upstream.circuit import CircuitRules, Circuits
from upstream.connector import Manifest, OperationLimits, Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded
from upstream.lifetimes import CachePolicy


class Things(Protocol):
    @batch(varies_on=(), max_age=1, stale_if_error=1)
    async def things(self, keys: Sequence[str], /, *, call: Call) -> Answers[str, int]: ...

    @single(varies_on=(), max_age=1, stale_if_error=1)
    async def count(self, text: str, /, *, call: Call) -> int: ...

    async def open(self, key: str, /, *, call: Call) -> str: ...


class Fake:
    """Knows keys by their length; `bad` keys fail their whole portion."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.once: list[bool] = []

    async def things(self, keys: Sequence[str], /, *, call: Call) -> dict[str, int]:
        self.asked.append(tuple(keys))
        self.once.append(call.once)
        if "hang" in keys:
            await asyncio.Event().wait()
        if "bad" in keys:
            raise MalformedError(system="ERP", upstream="e", operation="o")
        if "mistake" in keys:
            raise ZeroDivisionError
        return {key: len(key) for key in keys if key != "unknown"}

    async def count(self, text: str, /, *, call: Call) -> int:
        if text == "late":
            raise TimeoutError
        if text == "down":
            raise UnavailableError(system="ERP", upstream="e", operation="o")
        return len(text)

    async def open(self, key: str, /, *, call: Call) -> str:
        return f"open {key}"


def guarded(fake: Fake, max_keys: int | None = None, **protections: Any) -> Any:
    limits = {"stock.things": OperationLimits(max_keys)} if max_keys else {}
    manifest = Manifest("x", "X", SystemName.ERP, ("stock",), "a:B", "a:C", operations=limits)
    upstream = Upstream("erp-fr", manifest, Exchanges())
    return Guarded("stock", Things, fake, upstream, **protections)


async def test_keys_are_asked_once_and_in_order() -> None:
    fake = Fake()
    told = await guarded(fake).things(("b", "a", "b", "unknown"), call=call())

    assert told == {"b": 1, "a": 1}
    assert fake.asked == [("b", "a", "unknown")]


async def test_keys_go_in_portions_that_the_vendor_bears() -> None:
    fake = Fake()
    told = await guarded(fake, 2).things(tuple("abcde"), call=call())

    assert set(told) == set("abcde")
    assert fake.asked == [("a", "b"), ("c", "d"), ("e",)]


@pytest.mark.parametrize("max_keys", [None, 2])
async def test_nothing_asked_asks_nobody(max_keys: int | None) -> None:
    fake = Fake()

    assert await guarded(fake, max_keys).things((), call=call()) == {}
    assert fake.asked == []


async def test_a_failing_portion_costs_its_own_keys() -> None:
    told = await guarded(Fake(), 2).things(("a", "b", "bad", "c", "d"), call=call())

    assert (told["a"], told["b"], told["d"]) == (1, 1, 1)
    assert isinstance(told["bad"], MalformedError)
    assert told["bad"] is told["c"]


async def test_the_only_portion_that_fails_is_raised() -> None:
    with pytest.raises(MalformedError):
        await guarded(Fake(), 2).things(("bad", "a"), call=call())


async def test_a_mistake_of_a_connector_is_no_answer() -> None:
    with pytest.raises(ZeroDivisionError):
        await guarded(Fake(), 1).things(("a", "mistake"), call=call())


async def test_the_deadline_ends_a_portion_and_names_who_was_late() -> None:
    told = await guarded(Fake(), 1).things(("a", "hang"), call=call(0.1))

    assert told["a"] == 1
    late = told["hang"]
    assert isinstance(late, TimedOutError)
    assert (late.system, late.upstream, late.operation) == ("ERP", "erp-fr", "stock.things")


async def test_single_operations_pass_through() -> None:
    port = guarded(Fake())

    assert await port.count("four", call=call()) == 4
    assert await port.open("x", call=call()) == "open x"
    with pytest.raises(UnavailableError):
        await port.count("down", call=call())
    with pytest.raises(TimedOutError) as caught:
        await port.count("late", call=call())
    assert caught.value.upstream == "erp-fr"


async def test_what_a_port_does_not_have_the_guard_has_not_either() -> None:
    with pytest.raises(AttributeError):
        _ = guarded(Fake()).nothing


async def test_a_circuit_keeps_calls_from_a_system_that_is_out() -> None:
    fake = Fake()
    rules = CircuitRules(minimum=2, open_seconds=60)
    port = guarded(fake, circuits=Circuits("ERP", "erp-fr", rules))

    for _ in range(2):
        with pytest.raises(MalformedError):
            await port.things(("bad",), call=call())
    with pytest.raises(UnavailableError):
        await port.things(("a",), call=call())
    assert len(fake.asked) == 2
    assert await port.count("four", call=call()) == 4


async def test_a_call_that_finds_out_whether_a_system_is_back_is_tried_once() -> None:
    """Its caller waits for it, and a weak system is not to be asked three times."""
    fake, seconds = Fake(), [0.0]
    rules = CircuitRules(minimum=1, open_seconds=1)
    circuits = Circuits("ERP", "erp-fr", rules, clock=lambda: seconds[0])
    port = guarded(fake, circuits=circuits)

    with pytest.raises(MalformedError):
        await port.things(("bad",), call=call())
    seconds[0] = 1.5
    await port.things(("a",), call=call())
    await port.things(("a",), call=call())

    assert fake.once == [False, True, False]


async def test_an_open_circuit_is_no_reason_to_have_nothing_to_show() -> None:
    fake, seconds = Fake(), [0.0]
    rules = CircuitRules(minimum=1, open_seconds=60)
    cache = Cache(CachePolicy(jitter=0), clock=lambda: seconds[0])
    port = guarded(fake, circuits=Circuits("ERP", "erp-fr", rules), cache=cache)

    assert await port.things(("a",), call=call()) == {"a": 1}
    with pytest.raises(MalformedError):
        await port.things(("bad",), call=call())
    seconds[0] = 1.5
    assert await port.things(("a",), call=call()) == {"a": 1}
    assert len(fake.asked) == 2
    with pytest.raises(UnavailableError):
        await port.things(("c",), call=call())
