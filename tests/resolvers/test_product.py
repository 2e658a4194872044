import asyncio

import pytest

from ports.caller import Caller, CallerKind
from ports.common import Page
from resolvers.ids import encode
from tests.resolvers.shop import OURS, Shop, down, errors


async def test_a_product_by_sku_and_by_id(shop: Shop) -> None:
    data = await shop.data(
        'query($id: ID) { a: product(sku: "BOLT") { id sku name } b: product(id: $id) { sku } }',
        {"id": encode("Product", "BOLT")},
    )

    assert data["a"] == {"id": encode("Product", "BOLT"), "sku": "BOLT", "name": "Name of BOLT"}
    assert data["b"] == {"sku": "BOLT"}


async def test_an_unknown_sku_is_null_without_error(shop: Shop) -> None:
    assert await shop.data('{ product(sku: "nope") { sku } }') == {"product": None}


@pytest.mark.parametrize(
    "arguments", ["", '(sku: "BOLT", id: "x")', '(id: "garbage")', '(id: "T3JkZXI6QTE")']
)
async def test_a_product_that_is_not_named_once_and_well_is_refused(
    shop: Shop, arguments: str
) -> None:
    answer = await shop.ask(f"{{ product{arguments} {{ sku }} }}")

    assert errors(answer) == [(["product"], "BAD_USER_INPUT")]
    assert answer.data == {"product": None}


async def test_the_same_product_ten_times_is_asked_once(shop: Shop) -> None:
    query = " ".join(f'p{i}: product(sku: "BOLT") {{ name }}' for i in range(10))

    await shop.data(f"{{ {query} }}")

    assert shop.catalog.calls == ["products"]


async def test_categories_that_the_pim_no_longer_has_are_left_out(shop: Shop) -> None:
    data = await shop.data('{ product(sku: "BOLT") { categories { code parent { code } } } }')

    assert data["product"]["categories"] == [{"code": "bolts", "parent": {"code": "root"}}]


async def test_a_product_without_categories_asks_for_none(shop: Shop) -> None:
    data = await shop.data('{ product(sku: "WASHER") { categories { code } model { code } } }')

    assert data["product"] == {"categories": [], "model": None}
    assert shop.catalog.calls == ["products"]


async def test_attributes_by_code(shop: Shop) -> None:
    data = await shop.data(
        '{ product(sku: "BOLT") { attributes { code } some: attributes(codes: ["l", "x"]) { value }'
        ' attribute(code: "d") { label raw } none: attribute(code: "x") { code } } }'
    )

    assert data["product"] == {
        "attributes": [{"code": "d"}, {"code": "l"}],
        "some": [{"value": "40 mm"}],
        "attribute": {"label": "Diameter", "raw": 8},
        "none": None,
    }


async def test_pictures_and_files_are_served_by_the_gateway(shop: Shop) -> None:
    data = await shop.data(
        '{ product(sku: "BOLT") { images { url alt } documents { title kind url } } }'
    )

    assert data["product"] == {
        "images": [{"url": "https://shop/a/bolt.png", "alt": "A bolt"}],
        "documents": [
            {"title": "sheet.pdf", "kind": "DATASHEET", "url": "https://shop/a/sheet.pdf"},
            {"title": "X", "kind": "OTHER", "url": "https://shop/a/x.txt"},
        ],
    }


async def test_the_model_and_its_variants(shop: Shop) -> None:
    data = await shop.data('{ product(sku: "BOLT") { model { id code axes variants { sku } } } }')

    assert data["product"]["model"] == {
        "id": encode("ProductModel", "BOLTS"),
        "code": "BOLTS",
        "axes": ["Size"],
        "variants": [{"sku": "BOLT"}],
    }


@pytest.mark.parametrize(
    ("arguments", "skus"),
    [
        ("", ["NUT", "WASHER"]),
        ("(kind: CROSS_SELL)", ["NUT"]),
        ("(kind: PACK, first: 1)", ["NUT"]),
        ("(kind: UPSELL)", []),
        ("(first: 0)", []),
    ],
)
async def test_related_products(shop: Shop, arguments: str, skus: list[str]) -> None:
    data = await shop.data(f'{{ product(sku: "BOLT") {{ related{arguments} {{ sku }} }} }}')

    assert [one["sku"] for one in data["product"]["related"]] == skus


async def test_price_and_stock_of_a_listing_are_one_call_each(shop: Shop) -> None:
    data = await shop.data(
        "{ products { nodes { sku price { unit { net { amount currency } } total { net { amount } }"
        " tiers { minimumQuantity } freshness { system age state } } availability { status } } } }"
    )

    prices = {one["sku"]: one["price"] for one in data["products"]["nodes"]}
    assert prices["BOLT"]["unit"] == {"net": {"amount": "0.50", "currency": "EUR"}}
    assert prices["WASHER"] is None
    assert prices["BOLT"]["freshness"]["system"] == "ERP"
    assert prices["BOLT"]["freshness"]["age"] >= 0
    assert len(shop.pricing.calls) == len(shop.stock.calls) == 1


async def test_a_price_is_asked_for_the_callers_company(shop: Shop) -> None:
    anonymous = Caller("-", CallerKind.ANONYMOUS, scopes=OURS.scopes)

    await shop.data('{ product(sku: "BOLT") { price { quantity } } }')
    await shop.data('{ product(sku: "BOLT") { price { quantity } } }', caller=anonymous)

    assert [call[0].customer for call in shop.pricing.calls] == ["A", None]


async def test_prices_at_two_quantities_are_one_call(shop: Shop) -> None:
    data = await shop.data(
        '{ product(sku: "BOLT") { price { unit { net { amount } } }'
        ' many: price(quantity: "150") { unit { net { amount } } } null: price(quantity: null)'
        " { quantity } } }"
    )

    assert data["product"]["price"]["unit"]["net"]["amount"] == "0.50"
    assert data["product"]["many"]["unit"]["net"]["amount"] == "0.40"
    assert data["product"]["null"]["quantity"] == "1"
    assert len(shop.pricing.calls) == 1


@pytest.mark.parametrize("quantity", ["0", "-1", "1000000000.1", "0.0000001"])
async def test_a_quantity_that_cannot_be_meant_is_refused(shop: Shop, quantity: str) -> None:
    answer = await shop.ask(
        f'{{ product(sku: "BOLT") {{ name price(quantity: "{quantity}") {{ quantity }} }} }}'
    )

    assert errors(answer) == [(["product", "price"], "BAD_USER_INPUT")]
    assert answer.data == {"product": {"name": "Name of BOLT", "price": None}}


async def test_an_erp_that_is_down_costs_only_its_fields(shop: Shop) -> None:
    shop.pricing.fail_with(down("ERP"))

    answer = await shop.ask(
        '{ product(sku: "BOLT") { name price { quantity } availability { available } } }'
    )

    assert errors(answer) == [(["product", "price"], "UPSTREAM_UNAVAILABLE")]
    assert answer.data == {
        "product": {"name": "Name of BOLT", "price": None, "availability": {"available": "250"}}
    }


async def test_a_pim_that_is_down_nulls_the_product(shop: Shop) -> None:
    shop.catalog.fail_with(down("PIM"))

    answer = await shop.ask('{ product(sku: "BOLT") { name } viewer { subject } }')

    assert errors(answer) == [(["product"], "UPSTREAM_UNAVAILABLE")]
    assert answer.data == {"product": None, "viewer": {"subject": "jo"}}


async def test_a_role_without_upstream_says_so() -> None:
    shop = Shop(without=frozenset({"pricing", "catalog"}))

    answer = await shop.ask('{ product(sku: "BOLT") { name } products { nodes { sku } } }')

    assert [code for _, code in errors(answer)] == ["SYSTEM_NOT_CONFIGURED"] * 2


async def test_a_listing_in_a_category(shop: Shop) -> None:
    data = await shop.data(
        '{ category(code: "bolts") { products { totalCount pageInfo { hasNextPage hasPreviousPage'
        " startCursor endCursor } edges { cursor node { sku } } } } }"
    )

    listing = data["category"]["products"]
    assert {edge["node"]["sku"] for edge in listing["edges"]} == {"BOLT", "NUT"}
    assert listing["totalCount"] == 2
    assert listing["pageInfo"]["startCursor"] == listing["edges"][0]["cursor"]
    assert listing["pageInfo"]["endCursor"] == listing["edges"][-1]["cursor"]
    assert not listing["pageInfo"]["hasNextPage"]


async def test_a_listing_is_read_page_by_page(shop: Shop) -> None:
    query = "query($after: String) { products(first: 1, after: $after) { nodes { sku } pageInfo { hasNextPage hasPreviousPage endCursor } } }"
    seen, after = [], None
    for _ in range(3):
        page = (await shop.data(query, {"after": after}))["products"]
        seen += [one["sku"] for one in page["nodes"]]
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]

    assert sorted(seen) == ["BOLT", "NUT", "WASHER"]
    assert page["pageInfo"]["hasNextPage"] is False


async def test_an_empty_page_asks_nobody(shop: Shop) -> None:
    data = await shop.data(
        "{ products(first: 0) { nodes { sku } edges { cursor } totalCount pageInfo { endCursor } } }"
    )

    assert data["products"]["nodes"] == []
    assert data["products"]["pageInfo"] == {"endCursor": None}
    assert shop.catalog.calls == []


@pytest.mark.parametrize(
    "arguments",
    ["first: -1", "first: 101", 'after: "garbage"', "filter: {skus: $skus}"],
)
async def test_a_page_that_cannot_be_meant_is_refused(shop: Shop, arguments: str) -> None:
    answer = await shop.ask(
        f"query($skus: [String!]) {{ products({arguments}) {{ nodes {{ sku }} }} p: products(filter: {{skus: $skus}}, first: 0) {{ nodes {{ sku }} }} }}"
        if "$skus" in arguments
        else f"{{ products({arguments}) {{ nodes {{ sku }} }} }}",
        {"skus": [str(i) for i in range(10_000)]},
    )

    assert errors(answer)[0] == (["products"], "BAD_USER_INPUT")


async def test_a_filter_of_another_category_is_refused(shop: Shop) -> None:
    answer = await shop.ask(
        '{ category(code: "bolts") { products(filter: {category: "root"}) { nodes { sku } } } }'
    )

    assert errors(answer)[0] == (["category", "products"], "BAD_USER_INPUT")


async def test_a_filter_reaches_the_port(shop: Shop) -> None:
    data = await shop.data(
        '{ products(filter: {skus: ["NUT"], brands: null, enabled: null, includeSubcategories: false,'
        " attributes: []}) { nodes { sku } } }"
    )

    assert data["products"]["nodes"] == [{"sku": "NUT"}]


async def test_an_attribute_filter_reaches_the_port(shop: Shop) -> None:
    data = await shop.data(
        '{ products(filter: {attributes: [{code: "d", equals: "8 mm"}, {code: "l", in: ["40 mm"]},'
        ' {code: "d", min: "1", max: "9"}]}) { nodes { sku } } }'
    )

    assert {one["sku"] for one in data["products"]["nodes"]} <= {"BOLT"}


async def test_the_tree(shop: Shop) -> None:
    data = await shop.data(
        '{ categories { code children { code children { code } } } under: categories(parent: "root")'
        ' { code } none: categories(parent: "nope") { code } category(code: "nope") { code } }'
    )

    assert data == {
        "categories": [{"code": "root", "children": [{"code": "bolts", "children": []}]}],
        "under": [{"code": "bolts"}],
        "none": [],
        "category": None,
    }


async def test_a_count_that_fails_nulls_the_count_alone(shop: Shop) -> None:
    async def search(*_: object, **__: object) -> Page[object]:
        return Page((), (), has_next=False)

    async def count(*_: object, **__: object) -> int:
        raise down("PIM")

    shop.catalog.search, shop.catalog.count = search, count  # type: ignore[method-assign, assignment]

    answer = await shop.ask("{ products { totalCount nodes { sku } } }")

    assert errors(answer) == [(["products", "totalCount"], "UPSTREAM_UNAVAILABLE")]
    assert answer.data == {"products": {"totalCount": None, "nodes": []}}


async def test_an_operation_that_ends_early_ends_what_it_has_under_way(shop: Shop) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def hang(*_: object, **__: object) -> None:
        started.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    shop.catalog.products = hang  # type: ignore[method-assign, assignment]
    asking = asyncio.create_task(shop.ask('{ product(sku: "BOLT") { sku } }'))
    await started.wait()

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert ended.is_set()
