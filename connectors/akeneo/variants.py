"""Product models and the products below them.

A model may stand below another; products hang on the lowest. For one model the PIM finds all its
descendants itself; for several, their sub-models are asked for first.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from connectors.akeneo import mapping
from connectors.akeneo.client import AkeneoClient, Position
from connectors.akeneo.mapping import Reading
from connectors.akeneo.payloads import FamilyVariantPayload, ModelPayload, ProductPayload
from connectors.akeneo.reference import References, question, sort_attributes
from ports.caller import Call
from ports.catalog import Product, ProductModel

_PATH = "/product-models"


async def models(
    codes: Sequence[str], client: AkeneoClient, references: References, call: Call
) -> dict[str, ProductModel]:
    reading = await references.reading(call)
    found = await _listed("identifier", codes, client, reading, call)
    axes = await references.axes((model.family for model in found if model.family), call)
    return {
        model.code: mapping.model(model, _axes(model, axes), reading)
        for model in found
        if model.code in codes
    }


async def variants(
    codes: Sequence[str], client: AkeneoClient, references: References, call: Call
) -> dict[str, tuple[Product, ...]]:
    """By model code; a model without products has an empty tuple."""
    reading = await references.reading(call)
    owners = {code: code for code in codes}
    if len(codes) > 1:
        below = await _listed("parent", codes, client, reading, call)
        owners.update({model.code: model.parent for model in below if model.parent})
    found = await _products(codes, owners, client, reading, call)
    by_model: dict[str, dict[str, Product]] = {}
    for payload in found:
        product = mapping.product(payload, reading)
        if product is not None:
            for owner in _owners(payload, codes, owners):
                by_model.setdefault(owner, {})[product.reference] = product
    if childless := [code for code in codes if code not in by_model]:
        existing = await _listed("identifier", childless, client, reading, call)
        by_model.update({model.code: {} for model in existing if model.code in childless})
    return {
        code: tuple(sorted(products.values(), key=lambda product: product.sku))
        for code, products in by_model.items()
    }


def _owners(
    payload: ProductPayload, codes: Sequence[str], owners: Mapping[str, str]
) -> Iterable[str]:
    """The models asked for that a product is below; the only one, if one was asked for."""
    if len(codes) == 1:
        return codes
    parent = payload.parent or ""
    return {code for code in (parent, owners.get(parent, "")) if code in codes}


async def _products(
    codes: Sequence[str],
    parents: Iterable[str],
    client: AkeneoClient,
    reading: Reading,
    call: Call,
) -> list[ProductPayload]:
    criterion: dict[str, object] = {"operator": "=", "value": codes[0]}
    if len(codes) > 1:
        criterion = {"operator": "IN", "value": list(parents)}
    asked = question({"parent": [criterion]}, reading, call)
    found: list[ProductPayload] = []
    position: Position | None = None
    while True:
        window = await client.products(asked, "catalog.variants", call=call, position=position)
        found.extend(client.decode(raw, ProductPayload, "catalog.variants") for raw in window.items)
        if window.next in {None, position}:
            return found
        position = window.next


async def _listed(
    by: str, codes: Sequence[str], client: AkeneoClient, reading: Reading, call: Call
) -> list[ModelPayload]:
    """Models by `identifier`, their own code, or by `parent`; with their names alone."""
    search = msgspec.json.encode({by: [{"operator": "IN", "value": list(codes)}]}).decode()
    named = (reading.config.model_name_attribute, *sort_attributes(reading))
    attributes = reading.structure.known(named)
    params = {"search": search, "pagination_type": "search_after"}
    if attributes:
        params["attributes"] = ",".join(attributes)
    return await client.listed(_PATH, ModelPayload, "catalog.models", call=call, **params)


def _axes(
    model: ModelPayload, families: Mapping[str, Mapping[str, FamilyVariantPayload]]
) -> list[str]:
    """The attributes that tell the products below apart: of both levels, or the second alone."""
    variant = families.get(model.family or "", {}).get(model.family_variant or "")
    level = 2 if model.parent else 1
    sets = variant.variant_attribute_sets if variant else ()
    return [
        axis
        for found in sorted(sets, key=lambda s: s.level)
        if found.level >= level
        for axis in found.axes
    ]
