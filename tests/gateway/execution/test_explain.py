"""`extensions.explain` around an engine on in-memory ports, and what sources bear."""

import time
from typing import Any

import msgspec
import pytest

from gateway.execution.engine import StockEngine
from gateway.execution.explain import ExplainingEngine
from gateway.execution.explain_report import Batch, Explanation
from gateway.execution.explain_run import MOST_QUESTIONS, Recorder
from gateway.execution.explain_sources import Server, Sources
from gateway.execution.gate import Gate, GateRules
from gateway.execution.plans import Plans
from gateway.execution.provenance import NotedContext, noted
from gateway.operations.request import GraphQLRequest
from ports.caller import Call, Caller
from ports.common import SystemName
from tests.resolvers.shop import CORE, OURS, SYSTEM, Shop, down
from upstream.config import UpstreamConfig
from upstream.connector import Manifest, OperationLimits, Upstream
from upstream.exchanges import Exchanges
from upstream.lifetimes import CachePolicy
from upstream.roles import ROLES

QUERY = """query($sku: String!) @fresh(maxAge: 20) { product(sku: $sku) { name
price { quantity } availability { status } } }"""


def upstream(max_keys: int | None = None) -> Upstream:
    limits = {"stock.availability": OperationLimits(max_keys)}
    roles = tuple(ROLES)
    manifest = Manifest("odoo", "Odoo", SystemName.ERP, roles, "a:A", "a:C", 2, None, limits)
    return Upstream("erp", manifest, Exchanges())


def sources(one: Upstream, **more: Any) -> Sources:
    config = UpstreamConfig(kind="odoo", base_url="http://erp.example", timeout_seconds=2, tries=2)
    given = {"policy": CachePolicy(), "servers": {r: (Server(one, config),) for r in ROLES}, **more}
    return Sources(**given)


async def ask(
    shop: Shop,
    *,
    explain: object = True,
    caller: Caller = OURS,
    known: Sources | None = None,
    cost: int = 5_000,
) -> Any:
    call = Call(caller, "en", time.monotonic() + 5, request_id="req")
    context = NotedContext(call, shop.ports(), lambda code: code, lambda: [SYSTEM])
    stock = StockEngine(CORE, prepare=noted(Gate(CORE, GateRules(cost=cost))), plans=Plans(CORE))
    engine = ExplainingEngine(stock, CORE, known or sources(upstream()))
    request = GraphQLRequest(QUERY, {"sku": "BOLT"}, None, {"explain": explain})
    try:
        return await engine.execute(request, context=context, method="POST")
    finally:
        await context.aclose()


async def told(shop: Shop, **more: Any) -> Explanation:
    answer = await ask(shop, **more)
    return msgspec.convert(answer.extensions["explain"], Explanation)


async def test_it_is_told_what_was_foreseen_and_what_happened() -> None:
    found = await told(Shop())

    asked = ["catalog.products", "pricing.prices", "stock.availability"]
    (wave,) = found.plan.waves  # price and stock need nothing of the product but its SKU
    assert sorted(one.operation for one in wave.calls) == asked
    assert found.plan.calls == 3
    assert found.run is not None
    assert [
        sorted((one.operation, one.keys, one.live) for one in wave.questions)
        for wave in found.run.waves
    ] == [[(one, 1, 1) for one in asked]]


async def test_a_client_that_wants_it_fresher_is_told_the_shorter_lifetimes() -> None:
    found = await told(Shop())

    kept = {one.operation: one.cache for wave in found.plan.waves for one in wave.calls}
    ages = {name: one.max_age for name, one in kept.items() if one}
    assert ages == {"catalog.products": 20, "pricing.prices": 20, "stock.availability": 10}


async def test_without_a_cache_nothing_is_kept() -> None:
    found = await told(Shop(), known=sources(upstream(), policy=None))

    assert [one.cache for wave in found.plan.waves for one in wave.calls] == [None] * 3


async def test_failures_are_told_by_their_codes() -> None:
    shop = Shop()
    shop.pricing.fail_with(down("ERP"))

    answer = await ask(shop)

    assert answer.errors
    run = msgspec.convert(answer.extensions["explain"], Explanation).run
    assert run is not None
    (price,) = [one for one in run.waves[0].questions if one.operation == "pricing.prices"]
    assert (price.error, price.failed, price.live) == ("UPSTREAM_UNAVAILABLE", 1, 0)


@pytest.mark.parametrize("explain", [False, None, "yes", 1])
async def test_who_does_not_ask_is_not_told(explain: object) -> None:
    answer = await ask(Shop(), explain=explain)

    assert not answer.extensions


async def test_who_may_not_see_systems_gets_the_answer_and_is_told_so() -> None:
    scopes = OURS.scopes - {"systems:read"}

    answer = await ask(Shop(), caller=msgspec.structs.replace(OURS, scopes=scopes))

    assert answer.errors == []
    assert answer.data["product"]["name"] == "Name of BOLT"
    error = {"code": "FORBIDDEN", "message": "This needs the scope systems:read."}
    assert answer.extensions == {"explain": {"error": error}}


async def test_the_answer_is_the_same() -> None:
    shop = Shop()

    assert dict((await ask(shop)).data) == dict((await ask(shop, explain=False)).data)


async def test_what_is_refused_is_not_explained() -> None:
    answer = await ask(Shop(), cost=1)

    assert answer.request_error
    assert not answer.extensions


async def test_fields_that_no_system_serves_ask_nobody() -> None:
    served = {r: one for r, one in sources(upstream()).servers.items() if r != "pricing"}

    found = await told(
        Shop(without=frozenset({"pricing"})), known=sources(upstream(), servers=served)
    )

    assert [(one.field, one.operation) for one in found.plan.unasked] == [
        ("Product.price", "pricing.prices")
    ]


async def test_the_latest_calls_tell_the_worst() -> None:
    one = upstream()
    now = time.monotonic()
    for hundredths in range(1, 101):
        one.paces.note("stock.availability", now, hundredths / 100)

    found = await told(Shop(), known=sources(one, deadline_seconds=3.0))

    worst = {call.operation: call.worst for wave in found.plan.waves for call in wave.calls}
    stock, price = worst["stock.availability"], worst["pricing.prices"]
    assert (stock.by, stock.milliseconds, stock.samples) == ("p95", 960, 100)
    assert (price.by, price.milliseconds) == ("timeout", 3_000)  # not 4: the deadline
    assert found.plan.worst_milliseconds == 3_000


@pytest.mark.parametrize(
    ("max_keys", "keys", "batches"),
    [
        (None, 1_000, [Batch(1, 1_000)]),
        (100, 100, [Batch(1, 100)]),
        (100, 250, [Batch(2, 100), Batch(1, 50)]),
        (100, 300, [Batch(3, 100)]),
    ],
    ids=str,
)
def test_keys_go_in_the_portions_that_a_system_bears(
    max_keys: int | None, keys: int, batches: list[Batch]
) -> None:
    (source,) = sources(upstream(max_keys)).of("stock.availability")

    assert list(source.batches(keys)) == batches


def test_more_calls_than_at_once_take_longer() -> None:
    (source,) = sources(upstream(10), deadline_seconds=100.0).of("stock.availability")

    assert source.worst(10).milliseconds == 4_000  # two tries of two seconds
    assert source.worst(50).milliseconds == 12_000  # five calls, two at once


async def test_questions_beyond_bounds_are_counted() -> None:
    recorder, shop = Recorder(), Shop()
    stock = recorder.ports(shop.ports()).stock
    assert stock is not None
    for _ in range(MOST_QUESTIONS + 2):
        await stock.availability(("BOLT",), call=Call(OURS, "en", time.monotonic() + 5))

    run = recorder.run(None)

    assert run.left_off == 2
    assert sum(len(wave.questions) for wave in run.waves) == MOST_QUESTIONS
