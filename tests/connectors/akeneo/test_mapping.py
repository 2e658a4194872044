"""Products as records: which value is taken, what files are, whom a product belongs with."""

from typing import Any

import msgspec
import pytest

from connectors.akeneo import mapping
from connectors.akeneo.payloads import ProductPayload, ValuePayload
from connectors.akeneo.structure import Attribute, Family, Labelled, Structure
from ports.catalog import Media, Product, ProductRelationKind, Relation
from tests.connectors.akeneo.peer import config

SHA = "0123456789abcdef0123456789abcdef01234567"
STRUCTURE = Structure(
    attributes={
        "title": Attribute("title", "pim_catalog_text", {}, localizable=True),
        "packshot": Attribute("packshot", "pim_catalog_image", {}, rank=(0, 2)),
        "drawing": Attribute("drawing", "pim_catalog_image", {}, rank=(0, 1)),
        "notice": Attribute("notice", "pim_catalog_file", {"fr_FR": "Notice"}),
        "ce_declaration": Attribute("ce_declaration", "pim_catalog_file", {}),
        "film": Attribute("film", "pim_catalog_file", {}),
        "width": Attribute("width", "pim_catalog_number", {}, group="size", rank=(2, 0)),
        "colour": Attribute("colour", "pim_catalog_text", {}, group="look", rank=(1, 0)),
    },
    groups={"size": Labelled("size", {"fr_FR": "Taille"})},
    families={"bolts": Family("bolts", {}, "title")},
    units={},
)


def product(values: Any = None, *, sku: object = "A-1", **keys: Any) -> Product | None:
    told: Any = values
    if not isinstance(values, list):
        told = {"sku": [ValuePayload(sku)], **(values or {})}
    settings = keys.pop("settings", {})
    reading = mapping.Reading.of(STRUCTURE, config(**settings), ("fr_FR", "en_US"), "pim")
    return mapping.product(ProductPayload("uuid-1", values=told, **keys), reading)


def shown(values: Any = None, **keys: Any) -> Product:
    found = product(values, **keys)
    assert found is not None
    return found


def name(*values: ValuePayload) -> str:
    return shown({"name": list(values)}).name


def test_a_product_needs_an_identifier() -> None:
    assert product(sku=None) is None
    assert product(sku="") is None
    assert product([]) is None
    assert shown(sku=4711).sku == "4711"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([("x", "en_US", None), ("y", "fr_FR", None)], "y"),
        ([("x", "en_US", None), ("", "fr_FR", None)], "x"),
        ([("x", "en_US", None), (None, "fr_FR", None)], "x"),
        ([("x", "de_DE", None)], "A-1"),
        ([("x", "fr_FR", "print"), ("y", "en_US", "ecommerce")], "y"),
        ([("x", None, None), ("y", None, "ecommerce")], "y"),
        ([("x", None, "print")], "A-1"),
        ([], "A-1"),
    ],
)
def test_the_value_of_the_channel_in_the_best_locale(
    values: list[tuple[Any, Any, Any]], expected: str
) -> None:
    assert name(*(ValuePayload(*value) for value in values)) == expected


def test_a_product_without_name_has_the_label_of_its_family() -> None:
    title = {"title": [ValuePayload("Boulon", "fr_FR")]}

    assert shown(title, family="bolts").name == "Boulon"
    assert shown(title, family="nuts").name == "A-1"
    assert shown(title, family="bolts").family == "[bolts]"
    assert shown(title, family="nuts").family == "nuts"


def test_attributes_stand_in_the_order_of_the_forms() -> None:
    found = shown(
        {code: [ValuePayload(1)] for code in ("width", "brand_new", "colour", "film")},
    ).attributes

    groups = [(each.code, each.label, each.group) for each in found]
    assert groups == [
        ("brand_new", "[brand_new]", None),
        ("sku", "[sku]", None),
        ("colour", "[colour]", "look"),
        ("width", "[width]", "Taille"),
    ]


def test_files_are_images_or_documents() -> None:
    files = ("packshot", "drawing", "notice", "ce_declaration", "film")
    values = {code: [ValuePayload(f"0/1/2/3/{SHA}_{code}_x.pdf")] for code in files}
    values["packshot"] = [ValuePayload("odd.png")]

    found = shown({"name": [ValuePayload("Bolt")], **values})

    assert found.images == (
        Media(f"0/1/2/3/{SHA}_drawing_x.pdf", "Bolt", "drawing", "application/pdf"),
        Media("odd.png", "Bolt", "packshot", "image/png"),
    )
    documents = {media.role: media.title for media in found.documents}
    assert documents == {
        "MANUAL": "Notice",
        "CERTIFICATE": "ce_declaration_x.pdf",
        "OTHER": "film_x.pdf",
    }
    assert {each.code for each in found.attributes} == {"sku", "name"}


def test_the_configuration_names_files_and_their_roles() -> None:
    settings = {
        "image_attributes": ("packshot", "missing"),
        "document_attributes": ("film",),
        "document_roles": {"film": "DATASHEET"},
    }
    values = {code: [ValuePayload("a.bin")] for code in ("packshot", "drawing", "film", "notice")}

    found = shown({**values, "sku": [ValuePayload("A")]}, settings=settings)

    assert [media.role for media in found.images] == ["packshot"]
    assert [media.role for media in found.documents] == ["DATASHEET"]
    assert {each.code for each in found.attributes} == {"sku"}
    assert shown({"packshot": [ValuePayload({"no": "code"})]}).images == ()


def test_relations_join_simple_and_quantified_associations() -> None:
    found = shown(
        associations={
            "PACK": {"products": ["a", 7], "product_models": ["m"]},
            "UPSELL": {"products": []},
            "PARTNERS": {"products": ["z"]},
            "X_SELL": None,
        },
        quantified_associations={"PACK": {"products": [{"uuid": "b", "quantity": 2}, {}, "a"]}},
    )

    assert found.relations == (Relation(ProductRelationKind.PACK, ("a", "b")),)


def test_a_variant_belongs_to_its_root_model() -> None:
    assert shown(parent="sub", root_parent="root").model == "root"
    assert shown(parent="sub").model == "sub"
    assert shown().model is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2016-06-25T17:56:12+02:00", "2016-06-25T15:56:12+00:00"),
        ("2016-06-25T17:56:12", "2016-06-25T17:56:12+00:00"),
        ("0001-01-01T00:00:00+02:00", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_moments_are_utc(text: str | None, expected: str | None) -> None:
    found = mapping.moment(text)

    assert (found.isoformat() if found else None) == expected


def test_what_many_products_say_is_held_once() -> None:
    """Thousands of them are kept; each decoded answer has texts of its own."""

    def decoded() -> Product:
        told = {"colour": "zinc plated", "width": "12.5000", "remark": "long " * 40}
        values = {code: [{"data": data}] for code, data in told.items()}
        body = msgspec.json.encode({"uuid": "u", "values": {"sku": [{"data": "A"}], **values}})
        payload = msgspec.json.decode(body, type=ProductPayload)
        reading = mapping.Reading.of(STRUCTURE, config(), ("fr_FR", "en_US"), "pim")
        found = mapping.product(payload, reading)
        assert found is not None
        return found

    one, two = (decoded().attributes for _ in range(2))

    assert one == two
    for mine, other in zip(one, two, strict=True):
        assert mine.code is other.code
        short = mine.code != "remark"
        assert (mine.raw is other.raw, mine.value is other.value) == (short, short)
