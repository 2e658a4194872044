"""Values in the words and signs of a language; anything at all where a value should stand."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.akeneo import mapping
from connectors.akeneo.payloads import ModelPayload, ProductPayload, ValuePayload
from connectors.akeneo.structure import Attribute, Column, Structure, Unit
from connectors.akeneo.values import Writer, Written, decimal
from tests.connectors.akeneo.peer import config

UNITS = {
    ("Length", "MILLIMETER"): Unit("MILLIMETER", "mm", {}),
    ("Length", "SPAN"): Unit("SPAN", None, {"fr_FR": "empan", "en_US": "span"}),
}
TABLE = (
    Column("kind", {"fr_FR": "Sorte", "en_US": "Kind"}, {"a": {"fr_FR": "Acier"}}),
    Column("share", {"fr_FR": "Part", "en_US": "Share"}, {}),
)
LABELS = {"labels": {"fr_FR": "Noir", "en_US": "Black"}}
HUGE = 10**60


def written(kind: str, data: object, locale: str = "fr_FR", linked: object = None) -> Written:
    attribute = Attribute("some", f"pim_catalog_{kind}", {}, metric_family="Length", columns=TABLE)
    return Writer((locale,), UNITS).write(attribute, ValuePayload(data, linked_data=linked))


@pytest.mark.parametrize(
    ("kind", "data", "locale", "text"),
    [
        ("text", "M8 x 1.25", "fr_FR", "M8 x 1.25"),
        ("textarea", "<p>Bon</p>", "fr_FR", "<p>Bon</p>"),
        ("identifier", "0042.50", "fr_FR", "0042.50"),
        ("number", 40, "fr_FR", "40"),
        ("number", "89.8970", "fr_FR", "89,897"),
        ("number", "89.8970", "en_US", "89.897"),
        ("number", -0.5, "de_DE", "-0,5"),
        ("number", "1e3", "de_DE", "1000"),
        ("number", "-0.000", "en_US", "0"),
        ("number", "much", "fr_FR", "much"),
        ("number", "1e999999999", "fr_FR", "1e999999999"),
        ("number", "NaN", "fr_FR", "NaN"),
        ("number", True, "fr_FR", "Oui"),
        ("boolean", True, "de_DE", "Ja"),
        ("boolean", False, "fr_FR", "Non"),
        ("boolean", True, "sv_SE", "Yes"),
        ("boolean", "true", "fr_FR", "true"),
        ("date", "2012-03-13T00:00:00+01:00", "fr_FR", "13/03/2012"),
        ("date", "2012-03-13", "de_DE", "13.03.2012"),
        ("date", "2012-03-13", "en_US", "03/13/2012"),
        ("date", "2012-03-13", "en_GB", "13/03/2012"),
        ("date", "2012-03-13", "ja_JP", "2012-03-13"),
        ("date", "soon", "fr_FR", "soon"),
        ("price_collection", [{"amount": "15.5", "currency": "EUR"}], "fr_FR", "15,50 EUR"),
        ("price_collection", [{"amount": 200, "currency": "USD"}], "en_US", "200.00 USD"),
        ("price_collection", [{"amount": "0.0125", "currency": "EUR"}], "en_US", "0.0125 EUR"),
        ("price_collection", [{"amount": None, "currency": "EUR"}], "en_US", " EUR"),
        ("price_collection", ["?"], "en_US", "?"),
        ("table", [{"kind": "a", "share": "28.5"}, {"share": 3}], "fr_FR",
         "Sorte: Acier, Part: 28,5; Part: 3"),
        ("table", [{"odd": True, "kind": "b"}], "en_US", "Kind: b, [odd]: Yes"),
        ("table", ["row"], "en_US", "row"),
        ("reference_data_multiselect", ["a", "b"], "fr_FR", "a, b"),
        ("product_link", {"type": "product", "id": "1"}, "fr_FR", "type: product, id: 1"),
        ("metric", "12", "fr_FR", "12"),
        ("text", [[[[[[["deep"]]]]]]], "fr_FR", "…"),
        ("text", HUGE, "fr_FR", "…"),
    ],
)  # fmt: skip
def test_a_value_in_words(kind: str, data: object, locale: str, text: str) -> None:
    assert written(kind, data, locale).text == text


@pytest.mark.parametrize(
    ("data", "locale", "expected"),
    [
        ({"amount": "12.5000", "unit": "MILLIMETER"}, "fr_FR", Written("12,5 mm", "mm")),
        ({"amount": "12.5000", "unit": "MILLIMETER"}, "en_US", Written("12.5 mm", "mm")),
        ({"amount": 3, "unit": "SPAN"}, "fr_FR", Written("3 empan", "empan")),
        ({"amount": 3, "unit": "SPAN"}, "it_IT", Written("3 SPAN", "SPAN")),
        ({"amount": 3, "unit": "PARSEC"}, "fr_FR", Written("3 PARSEC", "PARSEC")),
        ({"amount": 3}, "fr_FR", Written("amount: 3")),
    ],
)
def test_a_measure_has_a_unit(data: object, locale: str, expected: Written) -> None:
    assert written("metric", data, locale) == expected


@pytest.mark.parametrize(
    ("kind", "data", "linked", "text"),
    [
        ("simpleselect", "black", LABELS, "Noir"),
        ("simpleselect", "black", None, "[black]"),
        ("simpleselect", "black", {"labels": []}, "[black]"),
        ("simpleselect", "black", {"labels": {"fr_FR": None}}, "[black]"),
        ("multiselect", ["black", "white"], {"black": LABELS}, "Noir, [white]"),
        ("multiselect", ["black", 7], [], "[black], 7"),
        ("multiselect", [], None, ""),
    ],
)
def test_options_are_named_by_their_labels(
    kind: str, data: object, linked: object, text: str
) -> None:
    assert written(kind, data, linked=linked).text == text


@pytest.mark.parametrize("data", [None, True, [], {}, "x", "", "Infinity", float("inf"), HUGE])
def test_what_is_no_number(data: object) -> None:
    assert decimal(data) is None


@pytest.mark.parametrize(("data", "number"), [(0.1, "0.1"), ("7.50", "7.50"), (3, "3")])
def test_a_number_is_exact(data: object, number: str) -> None:
    assert decimal(data) == Decimal(number)


KINDS = [
    "pim_catalog_identifier", "pim_catalog_text", "pim_catalog_textarea", "pim_catalog_number",
    "pim_catalog_metric", "pim_catalog_price_collection", "pim_catalog_boolean",
    "pim_catalog_date", "pim_catalog_simpleselect", "pim_catalog_multiselect", "pim_catalog_image",
    "pim_catalog_file", "pim_catalog_table", "akeneo_reference_entity", "something_new",
]  # fmt: skip
scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]))
    | st.sampled_from(["1e400", "2020-02-30", "black", "-0", "\u0661"])
)
keys = st.sampled_from(["amount", "unit", "currency", "labels", "code", "products", "uuid", "kind"])
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
locales = st.sampled_from([None, "fr_FR", "en_US", "xx"])
values = st.dictionaries(
    st.sampled_from(["sku", *KINDS]),
    st.lists(
        st.fixed_dictionaries(
            {"data": anything},
            optional={
                "locale": locales,
                "scope": st.sampled_from([None, "ecommerce", "print"]),
                "linked_data": anything,
                "attribute_type": st.sampled_from(KINDS),
            },
        ),
        max_size=3,
    ),
)
READING = mapping.Reading.of(
    Structure({kind: Attribute(kind, kind, {}, columns=TABLE) for kind in KINDS}, {}, {}, UNITS),
    config(),
    ("fr_FR", "en_US"),
    "pim",
)


@given(values=values, associations=anything, updated=st.none() | st.text(max_size=30))
def test_no_value_can_break_a_product(values: Any, associations: Any, updated: str | None) -> None:
    body = {
        "uuid": "u",
        "values": values,
        "associations": {"PACK": associations},
        "quantified_associations": associations,
    }
    found = msgspec.json.decode(json.dumps(body), type=ProductPayload, strict=False)
    product = mapping.product(msgspec.structs.replace(found, updated=updated), READING)

    if product is not None:
        assert product.sku
        assert product.name
        assert all(isinstance(attribute.value, str) for attribute in product.attributes)
        assert msgspec.json.encode([attribute.raw for attribute in product.attributes])


@given(values=values)
def test_no_value_can_break_a_model(values: Any) -> None:
    found = msgspec.json.decode(json.dumps({"code": "m", "values": values}), type=ModelPayload)

    assert mapping.model(found, ["unknown"], READING).axes == ("[unknown]",)
