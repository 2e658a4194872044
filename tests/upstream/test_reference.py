"""Data that is loaded once and renewed apart from those who read it."""

import asyncio
import gc

import pytest

from ports.caller import Call
from ports.errors import RefusedError, UnavailableError
from tests.upstream.loopback import call
from upstream.reference import Reference, own_call


class Source:
    """Loads 1, 2, 3 …, each when it is let go; or fails."""

    def __init__(self, *, held: bool = False) -> None:
        self.loads: list[Call] = []
        self.error: Exception | None = None
        self.go_on = asyncio.Event()
        if not held:
            self.go_on.set()

    async def load(self, call: Call) -> int:
        self.loads.append(call)
        serial = len(self.loads)
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return serial


def down() -> UnavailableError:
    return UnavailableError(system="ERP", upstream="e", operation="o")


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_the_first_readers_share_one_load() -> None:
    source = Source(held=True)
    reference = Reference(source.load)
    readers = [asyncio.create_task(reference.get(call())) for _ in range(5)]
    await settled()
    source.go_on.set()

    assert await asyncio.gather(*readers) == [1] * 5
    assert await reference.get(call()) == 1
    assert len(source.loads) == 1


async def test_a_load_is_for_nobody_and_has_its_own_time() -> None:
    source = Source()
    await Reference(source.load, load_seconds=300.0).get(call(0.5))
    own = source.loads[0]

    assert own.caller.subject == "passerelle"
    assert own.deadline > call(200).deadline
    assert own_call("de").language == "de"


async def test_what_is_old_is_told_while_it_is_renewed() -> None:
    source = Source()
    reference = Reference(source.load, lifetime_seconds=0.0)
    assert await reference.get(call()) == 1
    source.go_on.clear()
    assert await reference.get(call()) == 1
    assert await reference.get(call()) == 1
    source.go_on.set()
    await settled()

    assert await reference.get(call()) == 2
    await reference.aclose()


async def test_a_renewal_that_fails_keeps_the_old_and_rests() -> None:
    source = Source()
    reference = Reference(source.load, lifetime_seconds=0.0)
    await reference.get(call())
    source.error = down()
    assert await reference.get(call()) == 1
    await settled()

    assert await reference.get(call()) == 1
    assert len(source.loads) == 2


@pytest.mark.parametrize("error", [down(), RefusedError(system="E", upstream="e", operation="o")])
async def test_a_first_load_that_fails_is_told_and_tried_again(error: Exception) -> None:
    source = Source()
    source.error = error
    reference = Reference(source.load)
    for _ in range(2):
        with pytest.raises(type(error)):
            await reference.get(call())
    source.error = None

    assert await reference.get(call()) == 3


async def test_a_late_reader_goes_and_the_load_goes_on() -> None:
    source = Source(held=True)
    reference = Reference(source.load)
    with pytest.raises(TimeoutError):
        await reference.get(call(0.05))
    source.go_on.set()

    assert await reference.get(call()) == 1
    assert len(source.loads) == 1


async def test_a_reader_who_is_cancelled_does_not_cancel_the_load() -> None:
    source = Source(held=True)
    reference = Reference(source.load)
    reader = asyncio.create_task(reference.get(call()))
    await settled()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    source.go_on.set()

    assert await reference.get(call()) == 1
    assert len(source.loads) == 1


@pytest.fixture
def complaints() -> list[object]:
    return []


async def test_a_failure_that_nobody_hears_is_no_complaint_of_the_loop(
    complaints: list[object],
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    source = Source(held=True)
    source.error = down()
    reference = Reference(source.load)
    with pytest.raises(TimeoutError):
        await reference.get(call(0.02))
    source.go_on.set()
    await settled()
    gc.collect()

    assert complaints == []


async def test_closing_ends_a_load_under_way() -> None:
    source = Source(held=True)
    reference = Reference(source.load)
    reader = asyncio.create_task(reference.get(call()))
    await settled()
    await reference.aclose()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await reference.aclose()
