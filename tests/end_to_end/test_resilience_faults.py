"""What a failing system costs a whole gateway as it is by default: its own fields, and no more.

Calls and outcomes are counted. A system that hangs does so until the test is over, so an answer
that came at all did not wait for it.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from tests.end_to_end.conftest import Open, Shop

ALL = """query($sku: String!, $customer: String!) @fresh { product(sku: $sku) { name
availability { status } } customer(number: $customer) { name } }"""
STOCK = "query($sku: String!) @fresh { product(sku: $sku) { availability { status } } }"
STRICT = STOCK.replace("@fresh", "@fresh(maxAge: 0, staleIfError: 0)")
NAME = "query($sku: String!) @fresh { product(sku: $sku) { name } }"


def variables(shop: Shop) -> dict[str, str]:
    return {"sku": shop.world.examples.sku, "customer": shop.world.examples.customer}


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """The timeout of a hung condition is the deadline here."""
    async with asyncio.timeout(30):
        while not await found():
            await asyncio.sleep(0.01)


def codes(answer: dict[str, Any]) -> set[str]:
    return {one["extensions"]["code"] for one in answer.get("errors", ())}


class Unlucky(httpx2.AsyncBaseTransport):
    """One in twenty answers is an error. What is asked three times in vain is `hopeless`.

    The tries of one call are made by one task, and others may ask the same meanwhile.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self._dice = random.Random(4)
        self._in_vain: Counter[tuple[int, str, bytes]] = Counter()
        self.failed = self.hopeless = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = id(asyncio.current_task()), str(request.url), await request.aread()
        if self._dice.random() < 0.05:
            self.failed += 1
            self._in_vain[asked] += 1
            self.hopeless += self._in_vain[asked] % 3 == 0
            return httpx2.Response(503)
        self._in_vain[asked] = 0
        return await self._inner.handle_async_request(request)


async def test_one_error_in_twenty_is_hidden_from_a_thousand_queries(
    opened: Open, sandbox: ASGIApp
) -> None:
    """Not by the cache: all of them ask the systems, and no old answer may stand in."""
    wire = Unlucky(httpx2.ASGITransport(app=sandbox))
    shop = await opened(wire)
    page = ALL.replace("@fresh", "@fresh(maxAge: 0, staleIfError: 0)")
    customer = shop.world.examples.customer

    async def some(start: int) -> list[dict[str, Any]]:
        skus = [item.sku for item in shop.world.items[start : start + 125]]
        return [await shop.ask(page, {"sku": sku, "customer": customer}) for sku in skus]

    told = [one for part in await asyncio.gather(*map(some, range(0, 1000, 125))) for one in part]

    assert len(told) == 1000
    assert wire.failed > 50
    # One in eight thousand calls has no luck three times.
    assert sum("errors" in one for one in told) <= wire.hopeless


FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "hangs": ({"hang": True}, {"UPSTREAM_TIMEOUT"}),
    "is slow beyond bearing": ({"delay_ms": 600_000}, {"UPSTREAM_TIMEOUT"}),
    "is not available": ({"status": 503}, {"UPSTREAM_UNAVAILABLE"}),
    "has too much to do": ({"retry_after": 3600}, {"UPSTREAM_THROTTLED"}),
    "refuses": ({"status": 403}, {"UPSTREAM_REFUSED"}),
    "answers half a text": ({"malformed": "json"}, {"UPSTREAM_MALFORMED"}),
    "answers a page": ({"malformed": "html"}, {"UPSTREAM_MALFORMED"}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_system_in_trouble_costs_its_own_fields_only(shop: Shop, fault: str) -> None:
    told, expected = FAULTS[fault]
    await shop.ask(ALL, variables(shop))
    await shop.fault("odoo", **told)

    answer = await shop.ask(ALL, variables(shop), x_request_timeout_ms="1500")

    product, customer = answer["data"]["product"], answer["data"]["customer"]
    assert (bool(product["name"]), product["availability"]) == (True, None)
    assert customer["name"]
    assert codes(answer) == expected
    (error,) = answer["errors"]
    assert error["path"] == ["product", "availability"]
    assert (error["extensions"]["system"], error["extensions"]["upstream"]) == ("ERP", "erp")
    transient = {"UPSTREAM_TIMEOUT", "UPSTREAM_UNAVAILABLE", "UPSTREAM_THROTTLED"}
    assert error["extensions"]["retryable"] is (expected <= transient)


async def test_who_needs_no_system_in_trouble_does_not_wait_for_it(shop: Shop) -> None:
    await shop.ask(ALL, variables(shop))
    await shop.fault("odoo", hang=True)
    waiting = [asyncio.create_task(shop.ask(STOCK, variables(shop))) for _ in range(50)]

    answers = [await shop.ask(NAME, variables(shop)) for _ in range(20)]

    assert not any(codes(one) for one in answers)
    assert not any(one.done() for one in waiting)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize("jump", [-86_400, 86_400], ids=["back", "ahead"])
async def test_a_clock_that_jumps_ends_no_answer_and_no_question(
    opened: Open, monkeypatch: pytest.MonkeyPatch, jump: int
) -> None:
    shop = await opened()
    await shop.ask(ALL.replace("@fresh", ""), variables(shop))
    await shop.calls()
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + jump)

    kept = await shop.ask(ALL.replace("@fresh", ""), variables(shop))
    calls = await shop.calls()
    asked = await shop.ask(ALL, variables(shop))

    assert (codes(kept), calls) == (set(), {})
    assert codes(asked) == set()


async def test_a_caller_who_leaves_takes_nothing_from_the_others(opened: Open) -> None:
    shop = await opened()
    query = f'{{ product(sku: "{shop.world.items[31].sku}") {{ name }} }}'
    await shop.ask(NAME, variables(shop))
    await shop.calls()
    await shop.fault("akeneo", delay_ms=300)
    callers = [asyncio.create_task(shop.ask(query)) for _ in range(10)]

    async def under_way() -> bool:
        counted = (await shop.control.get("/_control/calls")).json()
        return bool(counted["akeneo"]["total"])

    await until(under_way)
    for one in callers[:5]:
        one.cancel()

    assert all(one["data"]["product"]["name"] for one in await asyncio.gather(*callers[5:]))
    assert await shop.calls() == {"akeneo": 1}


@pytest.fixture
async def patient(opened: Open) -> AsyncIterator[Shop]:
    """Its open circuits stay open for as long as the test lasts."""
    circuit = {"open_seconds": 600, "open_seconds_max": 600}
    return await opened(resilience={"circuit": circuit})


async def test_a_system_that_is_down_is_hardly_asked_again(patient: Shop) -> None:
    await patient.ask(NAME, variables(patient))
    await patient.fault("odoo", status=503)
    await patient.calls()

    answers = [await patient.ask(STRICT, variables(patient)) for _ in range(50)]

    assert {frozenset(codes(one)) for one in answers} == {frozenset({"UPSTREAM_UNAVAILABLE"})}
    assert (await patient.calls())["odoo"] <= 1.1 * len(answers)


async def test_with_the_circuit_open_nobody_asks_and_everybody_is_answered(patient: Shop) -> None:
    await patient.ask(ALL.replace("@fresh", ""), variables(patient))
    await patient.fault("odoo", status=503)
    for _ in range(10):
        await patient.ask(STRICT, variables(patient))
    await patient.calls()

    failed = [await patient.ask(STRICT, variables(patient)) for _ in range(20)]
    kept = [await patient.ask(STOCK, variables(patient)) for _ in range(20)]

    assert "odoo" not in await patient.calls()
    errors = [error["extensions"] for one in failed for error in one["errors"]]
    assert {one["code"] for one in errors} == {"UPSTREAM_UNAVAILABLE"}
    assert all(one["retryable"] and one["retryAfter"] > 0 for one in errors)
    assert not any(codes(one) for one in kept)


async def test_an_open_circuit_shows_in_what_is_told_of_systems(patient: Shop) -> None:
    await patient.ask(ALL, variables(patient))
    await patient.fault("odoo", status=503)
    for _ in range(10):
        await patient.ask(STRICT, variables(patient))

    told = await patient.ask("{ systems { upstream status } }")

    status = {one["upstream"]: one["status"] for one in told["data"]["systems"]}
    assert (status["erp"], status["pim"], status["crm"]) == ("DOWN", "UP", "UP")


async def test_one_probe_finds_the_system_back_and_all_use_it(opened: Open) -> None:
    shop = await opened(resilience={"circuit": {"open_seconds": 0.2, "open_seconds_max": 0.2}})
    await shop.ask(ALL, variables(shop))
    await shop.fault("odoo", status=503)
    for _ in range(10):
        await shop.ask(STRICT, variables(shop))
    await shop.fault("odoo", hang=True)
    await shop.calls()

    async def ask_all() -> list[dict[str, Any]]:
        asked = (shop.ask(STRICT, variables(shop), x_request_timeout_ms="1200") for _ in range(20))
        return await asyncio.gather(*asked)

    probes = 0

    async def probed() -> bool:
        nonlocal probes
        await ask_all()
        probes = (await shop.calls()).get("odoo", 0)
        return probes > 0

    await until(probed)
    assert probes == 1

    await shop.control.delete("/_control/faults")

    async def back() -> bool:
        return not any(codes(one) for one in await ask_all())

    await until(back)
