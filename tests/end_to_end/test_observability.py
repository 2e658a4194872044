"""What can be seen of a whole gateway: its journal, figures and traces, and its own reads again."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.settings import read
from gateway.telemetry.journal.query import Query
from gateway.telemetry.journal.record import Entry
from gateway.telemetry.journal.replay import ReplayError, replay
from gateway.telemetry.journal.search import Reader
from gateway.telemetry.journal.store import JournalUnavailableError
from gateway.telemetry.usage_reading import used_fields
from sandbox.world import World
from tests.end_to_end.conftest import Open, Shop, gateway_of, tables_of

PRODUCT = """query Detail($sku: String!) @fresh(maxAge: 0, staleIfError: 0) {
  product(sku: $sku) { name availability { status } } }"""
SECONDS = 20


async def seen(tmp_path: Path, **wanted: Any) -> list[Entry]:
    """What the journal has as soon as it has anything of the kind."""
    async with asyncio.timeout(SECONDS):
        while True:
            file = tmp_path / "journal.db"
            with suppress(JournalUnavailableError), Reader(file) as reader:
                if found := reader.search(Query(**wanted)):
                    return found
            await asyncio.sleep(0.05)


async def figures(shop: Shop) -> dict[str, float]:
    answer = await shop.gateway.get("/metrics")
    assert answer.status_code == 200
    lines = [one for one in answer.text.splitlines() if not one.startswith("#")]
    return {name: float(value) for name, _, value in (one.rpartition(" ") for one in lines)}


async def test_a_failure_is_told_with_whom_it_hurt(
    opened: Open, world: World, tmp_path: Path
) -> None:
    shop = await opened()
    sku = world.examples.sku
    await shop.ask(PRODUCT, {"sku": sku})
    await shop.fault("odoo", status=503)
    answer = await shop.gateway.post("/graphql", json={"query": PRODUCT, "variables": {"sku": sku}})
    await shop.fault("odoo", status=None)

    request_id = answer.headers["x-request-id"]
    assert answer.json()["errors"][0]["extensions"]["requestId"] == request_id
    failures = await seen(tmp_path, sku=sku, errors=True, request_id=request_id)
    tries = [one for one in failures if one.tried]
    assert {(one.upstream, one.asked, one.status) for one in tries} == {
        ("erp", "stock.availability", 503)
    }
    assert {(one.graphql, one.customer) for one in tries} == {("Detail", world.examples.customer)}
    assert sorted(one.tried for one in tries) == [1, 2, 3]
    assert all(one.response for one in tries)

    with Reader(tmp_path / "journal.db") as reader:
        (touched,) = [one for one in reader.touched(0, "erp") if one.failed]
    assert (touched.asked, touched.graphql, touched.customers) == (
        "stock.availability",
        "Detail",
        1,
    )


async def test_figures(opened: Open, world: World) -> None:
    shop = await opened()
    kept = PRODUCT.replace("@fresh(maxAge: 0, staleIfError: 0) ", "")
    for _ in range(2):
        assert "errors" not in await shop.ask(kept, {"sku": world.examples.sku})
    await shop.ask("{ nonsense }")
    told = await figures(shop)

    assert told['passerelle_graphql_operations_total{operation="Detail",outcome="ok"}'] == 1
    assert told['passerelle_graphql_operations_total{operation="Detail",outcome="kept"}'] == 1
    assert told['passerelle_graphql_operations_total{operation="unnamed",outcome="refused"}'] == 1
    assert told['passerelle_graphql_errors_total{code="GRAPHQL_VALIDATION_FAILED"}'] == 1
    assert told['passerelle_http_requests_total{status="200"}'] == 3
    pim = 'upstream="pim",operation="catalog.products"'
    assert told[f'passerelle_upstream_calls_total{{{pim},class="ok"}}'] == 1
    assert told[f'passerelle_cache_answers_total{{{pim},result="miss"}}'] == 1
    assert told[f"passerelle_circuit_state{{{pim}}}"] == 0
    assert told["process_resident_memory_bytes"] > 0
    assert {"passerelle_plans_served_total", "passerelle_requests_in_flight"} <= told.keys()
    assert told['passerelle_upstream_queue{upstream="erp"}'] == 0


async def test_figures_are_not_for_everybody(opened: Open) -> None:
    shop = await opened()

    answer = await shop.gateway.get("/metrics", headers={"x-api-key": shop.keys["storefront"]})
    assert answer.status_code == 403


async def test_all_of_it_off(opened: Open, world: World, tmp_path: Path) -> None:
    off = {"enabled": False}
    shop = await opened(journal=off, metrics=off, tracing={"propagate": False})

    assert "errors" not in await shop.ask(PRODUCT, {"sku": world.examples.sku})
    assert (await shop.gateway.get("/metrics")).status_code == 404
    assert not (tmp_path / "journal.db").exists()


async def test_a_broken_journal_does_not_keep_it_from_serving(
    opened: Open, world: World, tmp_path: Path
) -> None:
    (tmp_path / "journal.db").write_bytes(b"no journal at all" * 100)
    shop = await opened()
    assert "errors" not in await shop.ask(PRODUCT, {"sku": world.examples.sku})

    async with asyncio.timeout(SECONDS):
        while not set_aside(tmp_path):
            await asyncio.sleep(0.05)
    assert "errors" not in await shop.ask(PRODUCT, {"sku": world.examples.sku})
    await seen(tmp_path, graphql="Detail")


def set_aside(folder: Path) -> list[Path]:
    return list(folder.glob("journal.db.broken-*"))


class Listening(httpx2.AsyncBaseTransport):
    """The way to the sandbox, which hears what systems are told of traces."""

    def __init__(self, app: ASGIApp) -> None:
        self._way = httpx2.ASGITransport(app=self._listen)
        self._app = app
        self.heard: list[str] = []

    async def _listen(self, scope: Scope, receive: Receive, send: Send) -> None:
        told = dict(scope["headers"])
        if b"traceparent" in told:
            self.heard.append(told[b"traceparent"].decode())
        await self._app(scope, receive, send)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._way.handle_async_request(request)


async def test_systems_are_told_the_clients_trace(
    opened: Open, world: World, sandbox: ASGIApp
) -> None:
    wire = Listening(sandbox)
    shop = await opened(wire=wire)
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = await shop.gateway.post(
        "/graphql",
        json={"query": PRODUCT, "variables": {"sku": world.examples.sku}},
        headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"},
    )

    assert answer.headers["x-request-id"] == trace
    own = [one for one in wire.heard if trace in one]
    assert len(own) >= 2
    assert len(set(own)) == len(own)
    assert all(one.endswith("-01") and "b7ad6b7169203331" not in one for one in own)


async def test_kept_answers_count_as_used(world: World, sandbox: ASGIApp, tmp_path: Path) -> None:
    tables = tables_of(tmp_path)
    tables["access"]["anonymous_scopes"] = ["catalog:read"]
    query = "query Kept($sku: String!) { product(sku: $sku) { name } }"
    async with gateway_of(tables, httpx2.ASGITransport(app=sandbox)) as client:
        for _ in range(3):
            body = {"query": query, "variables": {"sku": world.examples.sku}}
            assert "errors" not in (await client.post("/graphql", json=body)).json()

    with Reader(tmp_path / "journal.db") as reader:
        counts = {one.field: (one.client, one.count) for one in used_fields(reader, 0)}
    assert counts["Product.name"] == ("anonymous", 3)


async def test_what_cannot_be_repeated(tmp_path: Path) -> None:
    settings = read(tables_of(tmp_path))
    told = {"at": 1.0, "upstream": "pim", "system": "PIM", "call": "catalog.products"}
    asked = {"asked": "catalog.products", "arguments": '[["A"]]', **told}
    for entry in (
        Entry(**told),
        Entry(**{**asked, "is_read": False}),
        Entry(**{**asked, "upstream": "gone"}),
        Entry(**{**asked, "upstream": "erp"}),
        Entry(**{**asked, "asked": "catalog.gone"}),
        Entry(**{**asked, "arguments": '[["***"]]'}),
        Entry(**{**asked, "arguments": "[1]"}),
        Entry(**{**asked, "arguments": "x" * 20_000}),
    ):
        with pytest.raises(ReplayError):
            await replay(settings, entry)


async def test_a_read_again(tmp_path: Path) -> None:
    """Nobody listens there now: what went well then is refused now."""
    settings = read(tables_of(tmp_path))
    entry = Entry(
        1.0,
        "dhl",
        "CARRIER",
        "tracking.track",
        asked="tracking.track",
        arguments='[[{"carrier":"dhl","number":"00340434161094042557"}]]',
        method="GET",
        status=200,
        response="{}",
    )
    replayed = await replay(settings, entry)

    assert replayed.outcome in {"UPSTREAM_UNAVAILABLE", "1 of 1 keys found, 1 failed"}
    assert replayed.now is not None
    assert ("error", "-", "UPSTREAM_UNAVAILABLE") in list(replayed.differences())
