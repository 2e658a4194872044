"""With the ERP out, last night's file tells what is in stock; with it back, the ERP does."""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from gateway.app import ISSUERS, build
from gateway.cli.demo import Demo
from gateway.cli.demo_access import api_keys
from gateway.settings import read
from sandbox.world import World
from tests.end_to_end.conftest import Shop, tables_of

AVAILABLE = """query($sku: String!, $other: String!) {
  product(sku: $sku) { name availability { available status freshness { state upstream asOf } } }
  other: product(sku: $other) { availability { freshness { state } } } }"""
ALONE = """query($sku: String!) TERMS {
  product(sku: $sku) { availability { freshness { state upstream } } } }"""
NOW = "@fresh(maxAge: 0)"


@dataclass(frozen=True)
class Night:
    """A shop with a file of stock that knows `sku` and not `other`."""

    shop: Shop
    sku: str
    other: str
    keeps: bool

    async def ask(self, query: str = AVAILABLE) -> dict[str, Any]:
        return await self.shop.ask(query, {"sku": self.sku, "other": self.other})

    async def alone(self, terms: str = "") -> tuple[str, str]:
        """State and source of what the file knows; there must be no error."""
        told = await self.shop.ask(ALONE.replace("TERMS", terms), {"sku": self.sku})
        assert "errors" not in told, told["errors"]
        freshness = told["data"]["product"]["availability"]["freshness"]
        return freshness["state"], freshness["upstream"]


@pytest.fixture(params=[False, True], ids=["asked each time", "with cache and circuits"])
async def night(
    request: pytest.FixtureRequest, world: World, sandbox: ASGIApp, tmp_path: Path
) -> AsyncIterator[Night]:
    sku = world.examples.sku
    file = tmp_path / "stock.csv"
    file.write_text(f"sku,warehouse,available\n{sku},PAR,41.5\n", encoding="utf-8")
    written = time.time() - 6 * 3600
    os.utime(file, (written, written))
    tables = tables_of(tmp_path)
    tables["cache"] = {"enabled": request.param}
    tables["resilience"] = {"circuit": {"enabled": request.param}}
    tables["upstreams"]["nightly"] = {
        "kind": "nightly",
        "directory": str(tmp_path),
        "stock_file": "stock.csv",
    }
    tables["fallbacks"] = {"stock": "nightly"}
    settings = read(tables)
    keys = await api_keys(settings.access.keys, world.examples.customer)
    wire = httpx2.ASGITransport(app=sandbox)
    app = build(settings, transports=dict.fromkeys([*settings.upstreams, ISSUERS], wire))
    headers = {"x-api-key": keys["developer"]}
    transport = httpx2.ASGITransport(app=app)
    async with (
        httpx2.AsyncClient(transport=transport, base_url=Demo().root, headers=headers) as client,
        httpx2.AsyncClient(transport=wire, base_url=Demo().sandbox) as control,
    ):
        await control.delete("/_control/calls")
        other = next(one.sku for one in world.items if one.sku != sku)
        yield Night(Shop(client, control, world, keys), sku, other, request.param)
        await control.delete("/_control/faults")


async def test_the_file_answers_while_the_erp_is_out(night: Night, tmp_path: Path) -> None:
    await night.shop.fault("odoo", status=503)

    told = await night.ask()

    written = datetime.fromtimestamp((tmp_path / "stock.csv").stat().st_mtime, UTC)
    product = told["data"]["product"]
    freshness = product["availability"].pop("freshness")
    assert product["availability"] == {"available": "41.5", "status": "IN_STOCK"}
    assert (freshness["state"], freshness["upstream"]) == ("FALLBACK", "nightly")
    as_of = datetime.fromisoformat(freshness["asOf"])
    assert abs((as_of - written).total_seconds()) < 1
    assert product["name"]


async def test_what_the_file_does_not_know_fails_as_the_erp_does(night: Night) -> None:
    await night.shop.fault("odoo", status=503)

    told = await night.ask()

    assert told["data"]["product"]["availability"] is not None
    assert told["data"]["other"] == {"availability": None}
    assert [(one["path"], one["extensions"]["upstream"]) for one in told["errors"]] == [
        (["other", "availability"], "erp")
    ]


async def test_the_erp_answers_again_once_it_is_back(night: Night) -> None:
    for _ in range(2):  # the first loads what is needed but once
        await night.shop.calls()
        await night.shop.ask(ALONE.replace("TERMS", NOW), {"sku": night.other})
    usual = await night.shop.calls()
    await night.shop.fault("odoo", status=503)
    during = await night.alone(NOW)
    out = await night.shop.calls()
    await night.shop.control.delete("/_control/faults")
    after = await night.alone(NOW)
    back = await night.shop.calls()

    assert (during, after) == (("FALLBACK", "nightly"), ("LIVE", "erp"))
    assert usual["odoo"] == 1
    assert out["odoo"] == 3  # tries
    assert back["odoo"] == 1


async def test_no_answer_of_the_file_outlives_the_outage(night: Night) -> None:
    await night.shop.fault("odoo", status=503)
    during = [await night.alone(), await night.alone()]
    await night.shop.control.delete("/_control/faults")

    assert during == [("FALLBACK", "nightly")] * 2
    assert await night.alone() == ("LIVE", "erp")


async def test_the_erps_own_old_answer_comes_first(night: Night) -> None:
    before = await night.alone()
    await night.shop.fault("odoo", status=503)

    told = await night.alone(NOW)

    assert before == ("LIVE", "erp")
    assert told == (("STALE", "erp") if night.keeps else ("FALLBACK", "nightly"))


async def test_an_erp_that_hangs_leaves_time_for_the_file(night: Night) -> None:
    await night.shop.fault("odoo", hang=True)

    told = await night.shop.ask(
        ALONE.replace("TERMS", ""), {"sku": night.sku}, x_request_timeout_ms="800"
    )

    assert "errors" not in told, told["errors"]
    assert told["data"]["product"]["availability"]["freshness"]["state"] == "FALLBACK"


async def test_the_file_costs_the_erp_nothing_while_it_is_well(night: Night) -> None:
    assert await night.alone() == ("LIVE", "erp")
    told = await night.shop.ask("{ systems { upstream status } }")

    nightly = next(one for one in told["data"]["systems"] if one["upstream"] == "nightly")
    assert nightly == {"upstream": "nightly", "status": "UNKNOWN"}


async def test_a_client_may_want_rather_an_error(night: Night) -> None:
    await night.shop.fault("odoo", status=503)
    query = AVAILABLE.replace("$other: String!)", "$other: String!) @fresh(staleIfError: 0)")

    told = await night.ask(query)

    assert told["data"]["product"]["availability"] is None
    assert {one["extensions"]["code"] for one in told["errors"]} == {"UPSTREAM_UNAVAILABLE"}
