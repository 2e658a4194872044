"""The vendor's own example answers, behind every path: read, mapped, and never looped over."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connectors.akeneo import mapping
from connectors.akeneo.connector import Akeneo
from connectors.akeneo.locales import readable
from connectors.akeneo.payloads import (
    AttributePayload,
    ListPage,
    ModelPayload,
    OptionPayload,
    ProductPayload,
)
from connectors.akeneo.structure import Attribute, Family, Structure
from ports.catalog import (
    Product,
    ProductModel,
    ProductQuery,
    ProductRelationKind,
    ProductSort,
    Relation,
)
from ports.common import PageRequest
from tests.connectors.akeneo.peer import config, upstream
from upstream.reference import own_call

FOLDER = Path(__file__).parents[3] / ".." / "shared" / "vendor-apis" / "akeneo"
EXAMPLES = FOLDER / "examples"
pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the vendor's examples are absent")

_FILES = {
    "/api/oauth/v1/token": "post_api_oauth_v1_token",
    "/api/rest/v1/attributes": "get_attributes",
    "/api/rest/v1/categories": "get_categories",
    "/api/rest/v1/families": "get_families",
    "/api/rest/v1/families/shoes/variants/shoes_VariantA1": "get_families_family_code_variants",
    "/api/rest/v1/product-models": "get_product-models",
    "/api/rest/v1/products-uuid": "get_products-uuid",
    "/api/rest/v1/products-uuid/search": "post_products-uuid_search",
}


def example(name: str) -> bytes:
    return (EXAMPLES / f"{name}.json").read_bytes()


def _specified(path: str) -> Any:
    """The example within the specification, which stands in one of two places."""
    specification = json.loads((FOLDER / "swagger-read-paths.json").read_bytes())
    answer = specification["paths"][path]["get"]["responses"]["200"]
    return answer["examples"]["application/json"] if "examples" in answer else answer["schema"]


def _answer(path: str) -> bytes | None:
    """As a mock made of the specification answers: one example a path, whatever was asked."""
    if path in _FILES:
        return example(_FILES[path])
    if path.endswith("/measurement-families"):
        return json.dumps(_specified(path)["example"]).encode()
    if path.endswith("/attribute-groups"):
        return json.dumps(_specified(path)).encode()
    if path.endswith("/channels/ecommerce"):
        return json.dumps(json.loads(example("get_channels"))["_embedded"]["items"][0]).encode()
    return None


async def vendor(scope: Any, _receive: Any, send: Any) -> None:
    body = _answer(scope["path"])
    status = 404 if body is None else 200
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body or b'{"code": 404, "message": "no"}'})


@pytest.fixture
def akeneo() -> Akeneo:
    return Akeneo(upstream(vendor), config())


def _shirts() -> list[Product | None]:
    page = msgspec.json.decode(example("get_products-uuid"), type=ListPage[ProductPayload])
    structure = Structure(
        attributes={
            "name": Attribute("name", "pim_catalog_text", {}, localizable=True),
            "price": Attribute("price", "pim_catalog_price_collection", {"fr_FR": "Prix"}),
            "color": Attribute("color", "pim_catalog_simpleselect", {}, rank=(0, 2)),
        },
        groups={},
        families={"tshirt": Family("tshirt", {"fr_FR": "T-shirt"}, "name")},
        units={},
    )
    reading = mapping.Reading.of(structure, config(), ("fr_FR", "en_US"), "pim")
    return [mapping.product(item, reading) for item in page.embedded.items]


def test_a_product_of_the_vendor_becomes_a_record() -> None:
    shirt = _shirts()[0]

    assert shirt is not None
    assert (shirt.sku, shirt.name, shirt.family) == ("top-xl", "Débardeur XL", "T-shirt")
    assert shirt.reference == "25566245-55c3-42ce-86d9-8610ac459fa8"
    assert shirt.description == "Débardeur XL pour l'été"
    assert shirt.model == "clothes"
    assert shirt.updated_at is not None
    assert shirt.updated_at.isoformat() == "2016-06-25T15:56:12+00:00"
    values = {attribute.code: attribute.value for attribute in shirt.attributes}
    assert values["price"] == "15,50 EUR, 15,00 USD"
    assert values["color"] == "Noir"
    assert values["collection"] == "Hiver 2016"
    pack = ("d055527c-0698-4967-8f16-8a5f23f4e5cf",)
    assert shirt.relations == (Relation(ProductRelationKind.PACK, pack),)


def test_every_product_of_the_vendor_is_read() -> None:
    shirts = _shirts()

    assert len(shirts) == len({shirt.reference for shirt in shirts if shirt}) > 1


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("get_attributes", AttributePayload),
        ("get_product-models", ModelPayload),
        ("get_attributes_attribute_code_options", OptionPayload),
    ],
)
def test_lists_of_the_vendor_are_read(name: str, shape: Any) -> None:
    page: Any = msgspec.json.decode(example(name), type=ListPage[shape])

    assert page.embedded.items
    assert all(item.code for item in page.embedded.items)


def test_labels_of_the_vendor_are_read() -> None:
    body = example("get_attributes_attribute_code_options")
    page = msgspec.json.decode(body, type=ListPage[OptionPayload])

    assert readable(page.embedded.items[0].labels)["fr_FR"] == "Rouge"


async def test_a_mock_of_the_specification_can_be_asked_anything(akeneo: Akeneo) -> None:
    """Its next links lead to themselves."""
    call = own_call("fr")

    await akeneo.check(call=call)
    found = await akeneo.products(["top-xl", "CAP"], call=call)
    page = await akeneo.search(ProductQuery(), PageRequest(3), call=call)
    ordered = await akeneo.search(ProductQuery(sort=ProductSort.SKU), PageRequest(3), call=call)
    models = await akeneo.models(["amarisshoe"], call=call)

    assert set(found) == {"top-xl", "CAP"}
    assert len(page.items) == 3
    assert [product.sku for product in ordered.items] == ["cap", "sweat", "top-xl"]
    assert models == {"amarisshoe": ProductModel("amarisshoe", "amarisshoe", ("[color]", "[size]"))}
    await akeneo.aclose()


async def test_the_categories_of_the_vendor_form_a_forest() -> None:
    akeneo = Akeneo(upstream(vendor), config(category_tree="winter_collection"))

    below = (await akeneo.children([None], call=own_call("de")))[None]

    assert isinstance(below, tuple)
    assert [category.name for category in below] == ["Damen", "Herren", "Kinder"]
    assert {category.parent for category in below} == {None}
    known = await akeneo.categories(["woman", "summer_collection"], call=own_call())
    assert set(known) == {"woman"}
