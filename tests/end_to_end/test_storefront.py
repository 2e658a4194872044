"""The four storefront pages over all systems: what they show, and what they cost."""

import asyncio
from typing import Any

import pytest

from tests.end_to_end.conftest import Shop


async def warm(shop: Shop) -> None:
    """Loads what is loaded once: attributes, warehouses, currencies, tokens."""
    examples = shop.world.examples
    await shop.page("storefront", sku=examples.sku, customer=examples.customer)
    await shop.page("product", sku=examples.sku)
    await shop.page("listing", category=examples.category)
    await shop.calls()


async def test_the_storefront_page_joins_all_systems(shop: Shop) -> None:
    examples = shop.world.examples

    data = await shop.page("storefront", sku=examples.sku, customer=examples.customer)

    assert data["product"]["sku"] == examples.sku
    assert data["product"]["price"]["freshness"]["state"] == "LIVE"
    assert len(data["product"]["availability"]["locations"]) == 3
    orders = data["customer"]["orders"]["nodes"]
    assert len(orders) == 5
    tracked = [one["tracking"] for order in orders for one in order["shipments"] if one["tracking"]]
    assert tracked
    assert all(one["events"] for one in tracked)


async def test_a_product_page_is_one_pim_and_three_erp_calls(shop: Shop) -> None:
    await warm(shop)
    other = shop.world.items[700].sku

    data = await shop.page("product", sku=other)

    calls = await shop.calls()
    assert data["product"]["price"] is not None
    assert calls.pop("akeneo") == 1
    assert calls.pop("odoo") <= 3
    assert calls == {}


async def test_a_listing_is_one_pim_and_four_erp_calls(shop: Shop) -> None:
    await warm(shop)

    data = await shop.page("listing", category=shop.world.examples.category)

    calls = await shop.calls()
    nodes = data["category"]["products"]["nodes"]
    assert len(nodes) == 24
    assert all(one["price"] and one["availability"] for one in nodes)
    assert calls.pop("akeneo") == 1
    assert calls.pop("odoo") <= 4
    assert calls == {}


ORDER_HISTORY = """query($customer: String!) { customer(number: $customer) { name contacts { name }
orders(first: 20) { nodes { number status total { amount } invoices { number status }
lines { sku quantity product { name } } shipments { trackingNumber lines { sku product { name } }
tracking { status events { at } } } } } } }"""


async def test_an_order_history_is_four_erp_two_pim_and_a_call_a_parcel(shop: Shop) -> None:
    await warm(shop)

    answer = await shop.ask(ORDER_HISTORY, {"customer": shop.world.examples.customer})

    assert "errors" not in answer
    calls = await shop.calls()
    orders = answer["data"]["customer"]["orders"]["nodes"]
    parcels = {
        one["trackingNumber"] for order in orders for one in order["shipments"] if one["tracking"]
    }
    assert len(orders) == 20
    assert len(parcels) >= 12
    assert calls.pop("hubspot") <= 3
    assert calls.pop("akeneo") <= 2
    assert calls.pop("odoo") <= 4
    assert calls.pop("dhl") + calls.pop("ups") == len(parcels)
    assert calls == {}


async def test_an_order_history_without_contacts_is_one_crm_call(shop: Shop) -> None:
    await warm(shop)

    await shop.page("order-history", customer=shop.world.examples.customer)

    assert (await shop.calls())["hubspot"] == 1


async def test_a_basket_of_two_hundred_lines_is_five_calls(shop: Shop) -> None:
    await warm(shop)
    lines = [{"sku": item.sku, "quantity": "3"} for item in shop.world.items[300:500]]

    answer = await shop.ask(
        "query($lines: [BasketLineInput!]!) { basket(lines: $lines) { orderable subtotal { net { amount"
        " } } lines { sku problems product { name } price { total { net { amount } } } availability {"
        " status } } } }",
        {"lines": lines},
    )

    assert "errors" not in answer
    assert len(answer["data"]["basket"]["lines"]) == 200
    assert sum((await shop.calls()).values()) <= 5


async def test_the_same_product_ten_times_is_fetched_once(shop: Shop) -> None:
    await warm(shop)
    sku = shop.world.items[42].sku
    fields = " ".join(f'p{i}: product(sku: "{sku}") {{ name }}' for i in range(10))

    await shop.ask(f"{{ {fields} }}")

    assert await shop.calls() == {"akeneo": 1}


async def test_a_thousand_representations_are_resolved_in_batches(shop: Shop) -> None:
    await warm(shop)
    representations = [
        {"__typename": "Product", "sku": item.sku} for item in shop.world.items[:1000]
    ]

    answer = await shop.ask(
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { sku name } } }",
        {"r": representations},
    )

    assert "errors" not in answer
    assert [one["sku"] for one in answer["data"]["_entities"]] == [
        r["sku"] for r in representations
    ]
    assert await shop.calls() == {"akeneo": 10}


@pytest.mark.parametrize(("language", "word"), [("fr", "Vis"), ("en", "bolt"), ("de", "chraube")])
async def test_texts_come_in_the_language_of_the_request(
    shop: Shop, language: str, word: str
) -> None:
    query = f'{{ product(sku: "{shop.world.examples.sku}") {{ name }} }}'

    by_header = await shop.ask(query, accept_language=f"{language}, *;q=0.1")
    by_directive = await shop.ask(
        f'query @inContext(language: "{language}") {query}', accept_language="it"
    )

    assert word in by_header["data"]["product"]["name"]
    assert by_header == by_directive


async def test_another_customers_context_is_refused(shop: Shop) -> None:
    other = shop.world.companies[5].number

    answer = await shop.ask(f'query @inContext(customer: "{other}") {{ orders {{ totalCount }} }}')

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert answer.get("data") is None


DOWN: dict[str, dict[str, Any]] = {
    "unavailable": {"status": 503},
    "malformed": {"malformed": True},
}

SYSTEMS = {
    "akeneo": ("PIM", "pim", [["product"]]),
    "odoo": (
        "ERP",
        "erp",
        [["product", "price"], ["product", "availability"], ["customer", "orders"]],
    ),
    "hubspot": ("CRM", "crm", [["customer"]]),
}


@pytest.mark.parametrize("fault", DOWN)
@pytest.mark.parametrize("system", SYSTEMS)
async def test_each_system_down_in_turn_costs_its_own_fields_only(
    shop: Shop, system: str, fault: str
) -> None:
    await warm(shop)
    await shop.fault(system, **DOWN[fault])
    examples = shop.world.examples

    answer = await shop.ask(
        "query($sku: String!, $customer: String!) { viewer { subject } product(sku: $sku) { name price"
        " { quantity } availability { status } } customer(number: $customer) { name orders(first: 1) {"
        " nodes { number } } } }",
        {"sku": examples.sku, "customer": examples.customer},
    )

    name, upstream, paths = SYSTEMS[system]
    assert sorted(map(str, (one["path"] for one in answer["errors"]))) == sorted(map(str, paths))
    told = [one["extensions"] for one in answer["errors"]]
    assert {(one["system"], one["upstream"]) for one in told} == {(name, upstream)}
    assert {one["retryable"] for one in told} == {fault == "unavailable"}
    assert all(one["extensions"]["code"].startswith("UPSTREAM_") for one in answer["errors"])
    assert answer["data"]["viewer"] == {"subject": answer["data"]["viewer"]["subject"]}
    served = {"akeneo": "customer", "odoo": "product", "hubspot": "product"}[system]
    assert answer["data"][served] is not None


async def test_a_carrier_that_is_down_costs_tracking_only(shop: Shop) -> None:
    await warm(shop)
    await shop.fault("dhl", status=500)
    await shop.fault("ups", status=500)

    answer = await shop.ask(ORDER_HISTORY, {"customer": shop.world.examples.customer})

    assert {one["path"][-1] for one in answer["errors"]} == {"tracking"}
    assert len(answer["data"]["customer"]["orders"]["nodes"]) == 20


async def test_no_error_quotes_a_vendor(shop: Shop) -> None:
    await shop.fault("odoo", status=500)

    answer = await shop.ask(
        f'{{ product(sku: "{shop.world.examples.sku}") {{ price {{ quantity }} }} }}'
    )

    (error,) = answer["errors"]
    assert error["message"] == "ERP (erp) is not available."
    assert error["extensions"]["retryable"] is True


async def test_pictures_are_served_at_signed_addresses(shop: Shop) -> None:
    data = await shop.page("product", sku=shop.world.examples.sku)
    url = data["product"]["images"][0]["url"]

    good = await shop.gateway.get(url)
    forged = await shop.gateway.get(url[:-1] + ("0" if url[-1] != "0" else "1"))

    assert good.status_code == 200
    assert good.headers["content-type"].startswith("image/")
    assert len(good.content) > 50
    assert forged.status_code == 404


async def test_fifty_clients_at_once_get_their_own_products(shop: Shop) -> None:
    await warm(shop)
    items = shop.world.items[100:150]

    answers = await asyncio.gather(
        *(
            shop.ask(f'{{ product(sku: "{item.sku}") {{ sku price {{ quantity }} }} }}')
            for item in items
        )
    )

    assert [one["data"]["product"]["sku"] for one in answers] == [item.sku for item in items]
    assert all("errors" not in one for one in answers)


async def test_the_subgraph_tells_its_schema(shop: Shop) -> None:
    answer = await shop.ask("{ _service { sdl } }")

    assert '@key(fields: "trackingNumber")' in answer["data"]["_service"]["sdl"]


async def test_the_systems_tell_what_happened_to_them(shop: Shop) -> None:
    await warm(shop)
    await shop.fault("hubspot", status=503)
    await shop.ask("{ customer { name } }")

    answer = await shop.ask(
        "{ systems { upstream status errorRate lastError { code requestId } } }"
    )

    systems = {one["upstream"]: one for one in answer["data"]["systems"]}
    assert systems["pim"]["status"] == "UP"
    assert systems["crm"]["status"] in {"DOWN", "DEGRADED"}
    assert systems["crm"]["lastError"]["code"] == "UPSTREAM_UNAVAILABLE"
