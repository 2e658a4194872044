"""`extensions.explain` over the whole gateway: what was foreseen, and what happened."""

import json
from typing import Any

import httpx2

from gateway.http.ide import storefront_query
from tests.end_to_end.conftest import Open, Shop

ASK = {"explain": True}
THREE_WAVES = [
    # Prices, stock and orders need nothing of a product or a company but its key.
    {"catalog.products", "customers.customers", "pricing.prices", "stock.availability"}
    | {"orders.search"},
    {"shipments.of_orders"},
    {"tracking.track"},
]


async def explained(shop: Shop, key: str = "developer") -> httpx2.Response:
    examples = shop.world.examples
    body = {
        "query": storefront_query("storefront"),
        "variables": {"sku": examples.sku, "customer": examples.customer},
        "extensions": ASK,
    }
    return await shop.gateway.post("/graphql", json=body, headers={"x-api-key": shop.keys[key]})


def told(answer: httpx2.Response) -> Any:
    return answer.json()["extensions"]["explain"]


def waves(part: Any, name: str) -> list[set[str]]:
    return [{one["operation"] for one in wave[name]} for wave in part["waves"]]


async def test_the_storefront_page_is_foreseen_wave_by_wave_and_happens_so(opened: Open) -> None:
    shop = await opened()

    found = told(await explained(shop))

    assert waves(found["plan"], "calls") == waves(found["run"], "questions") == THREE_WAVES
    assert found["run"]["calls"] <= found["plan"]["calls"]
    starts = [wave["start"] for wave in found["run"]["waves"]]
    assert starts == sorted(starts)
    asked = {one["operation"]: one for wave in found["plan"]["waves"] for one in wave["calls"]}
    assert (asked["stock.availability"]["upstream"], asked["stock.availability"]["system"]) == (
        "erp",
        "ERP",
    )
    assert asked["shipments.of_orders"]["batches"] == [{"calls": 1, "keys": 5}]
    assert asked["tracking.track"]["maybe"]


async def test_it_is_never_a_kept_answer_and_tells_what_the_cache_knew(opened: Open) -> None:
    shop = await opened()

    first, second = await explained(shop), await explained(shop)

    assert all(one.headers["cache-control"] == "no-store" for one in (first, second))
    assert all("fwd=" in one.headers["cache-status"] for one in (first, second))
    questions = [one for wave in told(second)["run"]["waves"] for one in wave["questions"]]
    assert told(second)["run"]["calls"] == 0
    assert all(one["cached"] and not one.get("live") for one in questions)
    assert told(second)["plan"]["waves"][0]["calls"][0]["worst"]["by"] == "p95"


async def test_nor_by_get(opened: Open) -> None:
    shop = await opened()
    parameters = {"query": "{ categories { name } }", "extensions": json.dumps(ASK)}

    for _ in range(2):
        answer = await shop.gateway.get("/graphql", params=parameters)
        assert told(answer)["run"]
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers


async def test_without_a_cache_all_is_live(shop: Shop) -> None:
    found = told(await explained(shop))

    assert not any(one.get("cache") for wave in found["plan"]["waves"] for one in wave["calls"])
    questions = [one for wave in found["run"]["waves"] for one in wave["questions"]]
    assert all(one["live"] and one["calls"] for one in questions)


async def test_partners_are_not_told_of_systems(opened: Open) -> None:
    shop = await opened()

    answer = await explained(shop, "partner")

    assert answer.json()["data"]["product"]
    assert told(answer)["error"]["code"] == "FORBIDDEN"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_system_that_is_down_is_seen_in_the_run(opened: Open) -> None:
    shop = await opened(cache={"enabled": False})
    await shop.fault("odoo", status=500)

    found = told(await explained(shop))

    failed = {
        one["operation"]: one["error"]
        for wave in found["run"]["waves"]
        for one in wave["questions"]
        if "error" in one
    }
    assert failed["stock.availability"].startswith("UPSTREAM_")
    assert "catalog.products" not in failed
