"""Products and models as they are written, viewed and paged."""

import json
from typing import Any

import httpx2
import pytest
from starlette.requests import Request

from sandbox.akeneo.catalog import Catalog
from sandbox.akeneo.products import Products
from sandbox.world import World
from tests.sandbox.akeneo.conftest import BASE

ROOT = "/api/rest/v1"
SEARCH = f"{ROOT}/products-uuid/search"
SKU = "VIS-HEX-M8X40-A2"


@pytest.fixture
def uuid(world: World) -> str:
    return next(item.uuid for item in world.items if item.sku == SKU)


async def _read(client: httpx2.AsyncClient, path: str, **query: str) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_product(client: httpx2.AsyncClient, world: World, uuid: str) -> None:
    product = await _read(client, f"{ROOT}/products-uuid/{uuid}")
    assert product["uuid"] == uuid
    assert product["values"]["sku"] == [
        {"locale": None, "scope": None, "data": SKU, "attribute_type": "pim_catalog_identifier"}
    ]
    assert (product["family"], product["parent"]) == ("screws", "VIS-HEX-A2")
    assert "identifier" not in product
    uuids = {item.sku: item.uuid for item in world.items}
    assert product["associations"]["UPSELL"] == {
        "products": [uuids["VIS-HEX-M8X40-A4"]],
        "product_models": [],
        "groups": [],
    }
    assert product["values"]["length"][0]["data"] == {"amount": "40.0000", "unit": "MILLIMETER"}


async def test_a_variant_of_two_levels_knows_its_root(
    client: httpx2.AsyncClient, world: World
) -> None:
    item = next(item for item in world.items if item.sku == "VESTE-RAIN-RED-M")
    product = await _read(client, f"{ROOT}/products-uuid/{item.uuid}")
    assert (product["parent"], product["root_parent"]) == ("VESTE-RAIN-RED", "VESTE-RAIN")
    model = await _read(client, f"{ROOT}/product-models/VESTE-RAIN-RED")
    assert model["parent"] == "VESTE-RAIN"
    assert model["family_variant"] == "clothing_by_color_size"
    assert "color" in model["values"]
    assert "size" not in model["values"]


@pytest.mark.parametrize("path", ["products-uuid/nope", "product-models/nope"])
async def test_an_unknown_one_is_missing(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(f"{ROOT}/{path}")
    expected = {"code": 404, "message": "Resource `nope` does not exist."}
    assert (answer.status_code, answer.json()) == (404, expected)


async def test_models_and_products_are_apart(client: httpx2.AsyncClient, uuid: str) -> None:
    for path in ("products-uuid/VIS-HEX-A2", f"product-models/{uuid}"):
        assert (await client.get(f"{ROOT}/{path}")).status_code == 404


async def _viewed(client: httpx2.AsyncClient, **view: object) -> dict[str, Any]:
    search = json.dumps({"sku": [{"operator": "=", "value": SKU}]})
    answer = await client.post(SEARCH, json={"search": search, **view})
    (product,) = answer.json()["_embedded"]["items"]
    return product  # type: ignore[no-any-return]


async def test_views(client: httpx2.AsyncClient) -> None:
    few = await _viewed(client, attributes="name,sku")
    assert few["values"].keys() == {"sku", "name"}
    german = await _viewed(client, locales="de_DE")
    assert {row["locale"] for row in german["values"]["name"]} == {"de_DE"}
    assert german["values"]["brand"][0]["locale"] is None
    printed = await _viewed(client, scope="print")
    (description,) = printed["values"]["description"]
    assert (description["locale"], description["scope"]) == ("fr_FR", "print")
    assert {row["locale"] for row in printed["values"]["name"]} == {"fr_FR"}


async def test_options_are_linked_on_request(client: httpx2.AsyncClient) -> None:
    plain = await _viewed(client)
    assert "linked_data" not in plain["values"]["finish"][0]
    linked = await _viewed(client, with_attribute_options=True)
    assert linked["values"]["finish"][0]["linked_data"] == {
        "attribute": "finish",
        "code": "A2",
        "labels": {"fr_FR": "inox A2", "en_US": "stainless steel A2", "de_DE": "Edelstahl A2"},
    }
    assert linked["values"]["certifications"][0]["linked_data"]["ce"]["code"] == "ce"


async def test_scores_and_completenesses_on_request(client: httpx2.AsyncClient) -> None:
    plain = await _viewed(client)
    assert not {"completenesses", "quality_scores"} & plain.keys()
    full = await _viewed(client, with_completenesses=True, with_quality_scores__products="true")
    assert {"scope": "print", "locale": "fr_FR", "data": 100} in full["completenesses"]
    assert {row["data"] for row in full["quality_scores"]} <= set("ABCDE")


@pytest.mark.parametrize(
    ("view", "message"),
    [
        ({"scope": "fax"}, 'Scope "fax" does not exist.'),
        ({"locales": "it_IT"}, 'Locale "it_IT" does not exist or is not activated.'),
        ({"locales": "xx"}, 'Locale "xx" does not exist or is not activated.'),
        (
            {"locales": "de_DE", "scope": "print"},
            'Locale "de_DE" is not activated for the scope "print".',
        ),
        ({"attributes": "name,nope"}, 'Attribute "nope" does not exist.'),
    ],
)
async def test_a_view_on_what_does_not_exist(
    client: httpx2.AsyncClient, view: dict[str, str], message: str
) -> None:
    answer = await client.post(SEARCH, json=view)
    assert (answer.status_code, answer.json()["message"]) == (422, message)


async def test_cursors_reach_every_product_once(client: httpx2.AsyncClient, world: World) -> None:
    seen: list[str] = []
    path: str | None = f"{ROOT}/products-uuid?pagination_type=search_after&limit=100&attributes=sku"
    while path:
        page = await _read_link(client, path)
        seen += [row["uuid"] for row in page["_embedded"]["items"]]
        path = page["_links"].get("next", {}).get("href")
        assert path is None or path.startswith("http://pim.example/api/rest/v1/products-uuid?")
        assert "current_page" not in page
    assert seen == [item.uuid for item in world.items]


async def _read_link(client: httpx2.AsyncClient, href: str) -> Any:
    answer = await client.get(href)
    assert answer.status_code == 200
    return answer.json()


async def test_a_posted_search_turns_its_pages_by_post(client: httpx2.AsyncClient) -> None:
    search = json.dumps({"family": [{"operator": "IN", "value": ["pumps"]}]})
    href = f"{SEARCH}?pagination_type=search_after&limit=15"
    sizes = []
    while href:
        page = (await client.post(href, json={"search": search})).json()
        sizes.append(len(page["_embedded"]["items"]))
        href = page["_links"].get("next", {}).get("href")
    assert sizes == [15, 15, 10]


async def test_numbered_pages(client: httpx2.AsyncClient) -> None:
    query = {"search": json.dumps({"family": [{"operator": "IN", "value": ["pumps"]}]})}
    first = await _read(client, f"{ROOT}/products-uuid", limit="20", with_count="true", **query)
    assert (first["current_page"], first["items_count"]) == (1, 40)
    assert first["_links"].keys() == {"self", "first", "next"}
    second = await _read_link(client, first["_links"]["next"]["href"])
    assert second["_links"].keys() == {"self", "first", "previous", "next"}
    # A full page has a next one, even when that is empty.
    third = await _read_link(client, second["_links"]["next"]["href"])
    assert third["_embedded"]["items"] == []
    assert third["_links"].keys() == {"self", "first", "previous"}


async def test_ten_items_by_default(client: httpx2.AsyncClient) -> None:
    page = await _read(client, f"{ROOT}/products-uuid")
    assert len(page["_embedded"]["items"]) == 10
    assert "items_count" not in page


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "101"}, "You cannot request more than 100 items."),
        ({"limit": "0"}, '"0" is not a valid limit number.'),
        ({"limit": "ten"}, '"ten" is not a valid limit number.'),
        ({"page": "-1"}, '"-1" is not a valid page number.'),
        ({"pagination_type": "offset"}, "Pagination type does not exist."),
        (
            {"page": "101", "limit": "100"},
            "You have reached the maximum number of pages",
        ),
        (
            {"pagination_type": "search_after", "search_after": "%%%"},
            "The search_after cursor is not valid.",
        ),
        (
            {"pagination_type": "search_after", "search_after": "a"},
            "The search_after cursor is not valid.",
        ),
    ],
)
async def test_pages_out_of_bounds(
    client: httpx2.AsyncClient, query: dict[str, str], message: str
) -> None:
    answer = await client.get(f"{ROOT}/products-uuid", params=query)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith(message)


async def test_models_are_searched_as_products_are(
    client: httpx2.AsyncClient, world: World
) -> None:
    async def codes(name: str, **condition: object) -> list[str]:
        query = {"search": json.dumps({name: [condition]}), "limit": "100"}
        page = await _read(client, f"{ROOT}/product-models", **query)
        return [row["code"] for row in page["_embedded"]["items"]]

    roots = [model.code for model in world.models if model.parent is None]
    assert await codes("parent", operator="EMPTY") == roots
    below = await codes("parent", operator="IN", value=["VESTE-RAIN"])
    assert below == [model.code for model in world.models if model.parent == "VESTE-RAIN"]
    assert await codes("code", operator="IN", value=["VIS-HEX-A2"]) == ["VIS-HEX-A2"]
    assert await codes("categories", operator="IN", value=["washers"]) == [
        model.code for model in world.models if "washers" in model.categories
    ]
    assert await codes("updated", operator="SINCE LAST N DAYS", value=0) == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]"])
async def test_a_broken_body_is_a_bad_request(client: httpx2.AsyncClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = await client.post(SEARCH, content=body, headers=headers)
    assert answer.status_code == answer.json()["code"] == 400


async def test_headers_are_checked(client: httpx2.AsyncClient) -> None:
    wrong_type = await client.post(SEARCH, content=b"{}", headers={"content-type": "text/plain"})
    assert wrong_type.status_code == wrong_type.json()["code"] == 415
    wrong_accept = await client.get(f"{ROOT}/locales", headers={"accept": "text/html"})
    assert wrong_accept.status_code == wrong_accept.json()["code"] == 406
    for accept in ("*/*", "application/json", "text/html, application/json;q=0.9"):
        answer = await client.get(f"{ROOT}/locales", headers={"accept": accept})
        assert answer.status_code == 200


async def test_documents_beyond_those_kept_are_written_anew(world: World) -> None:
    products = Products(Catalog(world), BASE, most_kept=3)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "query_string": b"limit=5",
    }
    first = await products.listed(Request(scope))
    assert (await products.listed(Request(scope))).body == first.body


async def test_a_value_in_no_shown_language_is_left_out(
    client: httpx2.AsyncClient, world: World
) -> None:
    item = next(item for item in world.items if "en_US" not in item.name)
    product = await _read(client, f"{ROOT}/products-uuid/{item.uuid}", locales="en_US")
    assert "name" not in product["values"]
    assert "sku" in product["values"]
