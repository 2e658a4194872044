"""What the status page, the banner and the alerts say while systems fail."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.end_to_end.conftest import Open, Shop
from tests.gateway.telemetry.alerts.receiver import receiving

STOCK = """query Detail($sku: String!) @fresh {
  product(sku: $sku) { name availability { status } } }"""
SYSTEMS = """{ systems { upstream status impact {
  fields operations clients customers failed standIns { operation kind keys seconds } } } }"""
CLOSED = {"open": False}


async def until(found: Callable[[], Awaitable[Any]]) -> Any:
    async with asyncio.timeout(30):
        while not (told := await found()):
            await asyncio.sleep(0.05)
    return told


async def ask(shop: Shop) -> dict[str, Any]:
    return await shop.ask(STOCK, {"sku": shop.world.examples.sku})


async def erp(shop: Shop) -> dict[str, Any]:
    answer = await shop.ask(SYSTEMS)
    found: dict[str, Any] = next(
        one for one in answer["data"]["systems"] if one["upstream"] == "erp"
    )
    return found


async def test_a_system_that_fails_has_an_impact_until_it_is_well_again(opened: Open) -> None:
    shop = await opened()
    await ask(shop)
    await shop.fault("odoo", status=503)

    async def touched() -> Any:
        await ask(shop)
        told = await erp(shop)
        return told if told["impact"] and told["impact"]["standIns"] else None

    told = await until(touched)
    impact = told["impact"]
    assert told["status"] in {"DEGRADED", "DOWN"}
    assert "Product.availability" in impact["fields"]
    assert (impact["operations"], impact["clients"]) == (["Detail"], ["demo developer"])
    assert (impact["customers"], impact["failed"]) == (1, 0)
    (stood_in,) = impact["standIns"]
    assert (stood_in["operation"], stood_in["kind"]) == ("stock.availability", "stale")

    banner = await shop.gateway.get("/status/banner", headers={"accept-language": "fr"})
    assert banner.json()["severity"] == "warning"
    assert "disponibilité" in banner.json()["text"]
    assert banner.headers["cache-control"] == "public, max-age=5"


async def test_the_map_tells_who_asks_what_of_whom(opened: Open) -> None:
    shop = await opened()

    async def drawn() -> Any:
        await ask(shop)
        told = (await shop.gateway.get("/status/map")).json()
        return told if told["calls"] and told["gateway"]["hitRate"] is not None else None

    told = await until(drawn)
    assert [one["name"] for one in told["callers"]] == ["demo developer"]
    assert [one["name"] for one in told["operations"]] == ["Detail"]
    targets = {one["target"] for one in told["calls"] if one["source"] == "Detail"}
    assert targets == {"pim", "erp"}
    assert [one["name"] for one in told["systems"]] == ["pim", "erp", "crm", "dhl", "ups"]
    assert told["systems"][1]["circuits"]["stock.availability"] == "closed"


async def test_a_system_and_a_search_show_the_journal(opened: Open) -> None:
    shop = await opened()
    sku = shop.world.examples.sku
    await ask(shop)
    await shop.fault("odoo", status=500)
    await ask(shop)

    async def failed() -> Any:
        told = (await shop.gateway.get("/status/systems/erp")).json()
        return told if told.get("errors") else None

    told = await until(failed)
    assert told["errors"][0]["operation"] == "stock.availability"
    assert told["exchanges"][0]["upstream"] == "erp"
    assert "response" not in told["exchanges"][0]
    found = (await shop.gateway.get("/status/search", params={"q": sku, "errors": "1"})).json()
    assert {one["upstream"] for one in found["exchanges"]} == {"erp"}
    nothing = await shop.gateway.get("/status/search", params={"q": "no such thing"})
    assert nothing.json() == {}


@pytest.mark.parametrize("path", ["map", "events", "systems/erp", "search?q=x"])
async def test_only_callers_with_the_scope_see_anything(opened: Open, path: str) -> None:
    shop = await opened(status=CLOSED)
    address = f"/status/{path}"

    nobody = await shop.gateway.get(address, headers={"x-api-key": "gw_live_nobody"})
    lesser = await shop.gateway.get(address, headers={"x-api-key": shop.keys["storefront"]})

    assert (nobody.status_code, lesser.status_code) == (401, 403)
    if path != "events":
        assert (await shop.gateway.get(address)).status_code == 200


async def test_the_page_itself_holds_nothing_and_the_banner_is_open(opened: Open) -> None:
    shop = await opened(status=CLOSED)
    del shop.gateway.headers["x-api-key"]

    page = await shop.gateway.get("/status")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]
    assert (await shop.gateway.get("/status/map")).status_code == 401
    assert (await shop.gateway.get("/status/assets/app.js")).status_code == 200
    banner = await shop.gateway.get("/status/banner")
    assert banner.json() == {"text": None, "severity": "none", "since": None}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("systems/none", 404),
        ("systems/erp/more", 404),
        ("assets/../status.py", 404),
        ("search", 400),
        ("search?q=x&kind=colour", 400),
        ("search?q=x&seconds=soon", 400),
        ("search?q=x&seconds=nan", 400),
        (f"search?q={'x' * 201}", 400),
    ],
    ids=["system", "below", "outside", "nothing", "kind", "time", "nan", "long"],
)
async def test_what_cannot_be_asked(opened: Open, path: str, status: int) -> None:
    shop = await opened()

    assert (await shop.gateway.get(f"/status/{path}")).status_code == status


async def test_a_page_that_is_not_wanted_is_not_there(opened: Open) -> None:
    shop = await opened(status={"enabled": False, "banner": {"enabled": False}})

    answers = [await shop.gateway.get(f"/status{path}") for path in ("", "/map", "/banner")]
    assert {one.status_code for one in answers} == {404}


async def test_without_a_journal_the_page_goes_on(opened: Open) -> None:
    shop = await opened(journal={"enabled": False}, metrics={"enabled": False})
    await ask(shop)

    told = (await shop.gateway.get("/status/map")).json()
    assert (told["gateway"]["journal"], told["gateway"]["hitRate"]) == (False, None)
    assert [one["name"] for one in told["operations"]] == ["Detail"]
    shown = await shop.gateway.get("/status/systems/erp")
    assert shown.json() == {"journal": False}


async def test_an_alert_is_sent_when_a_system_goes_down_and_when_it_is_back(opened: Open) -> None:
    async with receiving() as receiver:
        shop = await opened(
            alerts={"ops": {"url": receiver.address, "events": ["system"]}},
            alerting={"down_seconds": 0, "recovery_seconds": 0},
            cache={"enabled": False},
        )
        await shop.fault("odoo", status=503)
        asking = asyncio.create_task(_go_on(shop))
        await receiver.until(1)
        await shop.control.delete("/_control/faults")
        told = await receiver.until(2)
        asking.cancel()

    assert [(one["state"], one["upstream"]) for one in told[:2]] == [
        ("firing", "erp"),
        ("resolved", "erp"),
    ]
    assert told[0]["details"]["customers"] >= 0
    assert told[0]["runbook"].startswith("docs/operations.md#")


async def _go_on(shop: Shop) -> None:
    while True:
        await ask(shop)
        await asyncio.sleep(0.05)
