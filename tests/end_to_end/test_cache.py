"""The shop with kept answers and circuits on: fresh when it can be, stale when it must be."""

import pytest

from tests.end_to_end.conftest import Open, Shop


@pytest.fixture
async def caching(opened: Open) -> Shop:
    """As it is without a word in the configuration, but for a sender of messages."""
    return await opened(webhooks={"crm": {"secret": "s" * 32}})


PRICED = """query($sku: String!) { product(sku: $sku) { name price { unit { net { amount } }
freshness { state upstream } } availability { freshness { state } } } }"""


def states(answer: dict) -> tuple[str, str]:
    product = answer["data"]["product"]
    return product["price"]["freshness"]["state"], product["availability"]["freshness"]["state"]


async def test_a_page_asked_again_asks_no_system(caching: Shop) -> None:
    variables = {"sku": caching.world.examples.sku}
    first = await caching.ask(PRICED, variables)
    await caching.calls()

    again = await caching.ask(PRICED, variables)

    assert states(first) == ("LIVE", "LIVE")
    assert states(again) == ("CACHED", "CACHED")
    assert await caching.calls() == {}


async def test_a_query_may_ask_for_what_is_true_now(caching: Shop) -> None:
    variables = {"sku": caching.world.examples.sku}
    await caching.ask(PRICED, variables)

    fresh = await caching.ask(
        PRICED.replace("($sku: String!)", "($sku: String!) @fresh"), variables
    )

    assert states(fresh) == ("LIVE", "LIVE")


async def test_what_is_kept_stands_in_for_a_system_that_fails(caching: Shop) -> None:
    variables = {"sku": caching.world.examples.sku}
    await caching.ask(PRICED, variables)
    await caching.fault("odoo", status=503)
    fresh = PRICED.replace("($sku: String!)", "($sku: String!) @fresh")
    strict = PRICED.replace("($sku: String!)", "($sku: String!) @fresh(staleIfError: 0)")

    stale, failed = await caching.ask(fresh, variables), await caching.ask(strict, variables)

    assert states(stale) == ("STALE", "STALE")
    assert {one["extensions"]["code"] for one in failed["errors"]} == {"UPSTREAM_UNAVAILABLE"}
    assert failed["data"]["product"]["name"] == stale["data"]["product"]["name"]


async def test_a_purge_by_tag_is_heard(caching: Shop) -> None:
    sku = caching.world.examples.sku
    await caching.ask(PRICED, {"sku": sku})

    purged = await caching.gateway.post("/admin/cache/purge", json={"tags": [f"product:{sku}"]})
    refused = await caching.gateway.post(
        "/admin/cache/purge",
        json={"tags": [f"product:{sku}"]},
        headers={"x-api-key": caching.keys["storefront"]},
    )

    assert purged.json()["purged"] >= 2
    assert refused.status_code == 403
    assert states(await caching.ask(PRICED, {"sku": sku})) == ("LIVE", "LIVE")


async def test_a_forged_webhook_is_refused(caching: Shop) -> None:
    forged = await caching.gateway.post("/webhooks/crm", json=[{"eventId": 1}])
    unknown = await caching.gateway.post("/webhooks/nobody", json=[])

    assert (forged.status_code, unknown.status_code) == (401, 404)
