"""Product models and the products below them.

A model may stand below another; products hang on the lowest. For one model the PIM finds all its
descendants itself; for several, their sub-models are asked for first.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

import msgspec

from connectors.akeneo import mapping
from connectors.akeneo.client import AkeneoClient, Position
from connectors.akeneo.mapping import Reading
from connectors.akeneo.payloads import ModelPayload, ProductPayload, VariantLevel
from connectors.akeneo.reference import References, question, sort_attributes
from connectors.akeneo.structure import FamilyVariant
from ports.caller import Call
from ports.catalog import Product, ProductModel
from ports.errors import RefusedError

_PATH = "/product-models"
_OPERATION = "catalog.models"


class Models:
    """The models of one PIM."""

    def __init__(self, client: AkeneoClient, references: References) -> None:
        self._client = client
        self._references = references
        # PIMs that cannot search models by code are asked for them one by one.
        self._singly = False

    async def models(self, codes: Sequence[str], call: Call) -> dict[str, ProductModel]:
        reading = await self._references.reading(call)
        found = await self._existing(codes, reading, call)
        levels = await self._references.axes((_variant(model) for model in found), call)
        return {
            model.code: mapping.model(model, _axes(model, levels[_variant(model)]), reading)
            for model in found
        }

    async def variants(self, codes: Sequence[str], call: Call) -> dict[str, tuple[Product, ...]]:
        """By model code; a model without products has an empty tuple."""
        reading = await self._references.reading(call)
        try:
            return await self._variants(codes, reading, call)
        except RefusedError:
            # Some versions refuse a search that names a model they do not have.
            known = [model.code for model in await self._existing(codes, reading, call)]
            if len(known) == len(codes):
                raise
        return await self._variants(known, reading, call) if known else {}

    async def _variants(
        self, codes: Sequence[str], reading: Reading, call: Call
    ) -> dict[str, tuple[Product, ...]]:
        owners = {code: code for code in codes}
        if len(codes) > 1:
            below = await self._listed("parent", codes, reading, call)
            owners.update({model.code: model.parent for model in below if model.parent})
        by_model: dict[str, list[Product]] = {}
        for payload in await self._products(codes, owners, reading, call):
            if product := mapping.product(payload, reading, call.wanted):
                for owner in _owners(payload, codes, owners):
                    by_model.setdefault(owner, []).append(product)
        if childless := [code for code in codes if code not in by_model]:
            existing = await self._existing(childless, reading, call)
            by_model.update({model.code: [] for model in existing})
        return {code: tuple(sorted(products, key=_natural)) for code, products in by_model.items()}

    async def _products(
        self, codes: Sequence[str], parents: Iterable[str], reading: Reading, call: Call
    ) -> list[ProductPayload]:
        """Products below any of the codes; `parents` are these and their sub-models."""
        criterion: dict[str, object] = {"operator": "=", "value": codes[0]}
        if len(codes) > 1:
            criterion = {"operator": "IN", "value": list(parents)}
        asked = question({"parent": [criterion]}, reading, call)
        found: list[ProductPayload] = []
        position: Position | None = None
        operation = "catalog.variants"
        while True:
            window = await self._client.products(asked, operation, call=call, position=position)
            for raw in window.items:
                found.append(self._client.decode(raw, ProductPayload, operation))  # noqa: PERF401
            if window.next in {None, position}:
                return found
            position = window.next

    async def _existing(
        self, codes: Sequence[str], reading: Reading, call: Call
    ) -> list[ModelPayload]:
        if not self._singly:
            try:
                found = await self._listed("identifier", codes, reading, call)
                return [model for model in found if model.code in codes]
            except RefusedError:
                self._singly = True
        paths = (f"{_PATH}/{quote(code, safe='')}" for code in codes)
        each = await asyncio.gather(
            *(self._client.one(path, ModelPayload, _OPERATION, call=call) for path in paths)
        )
        return [model for model in each if model is not None]

    async def _listed(
        self, by: str, codes: Sequence[str], reading: Reading, call: Call
    ) -> list[ModelPayload]:
        """Models by `identifier`, their own code, or by `parent`; with their names alone."""
        search = msgspec.json.encode({by: [{"operator": "IN", "value": list(codes)}]}).decode()
        named = (reading.config.model_name_attribute, *sort_attributes(reading))
        params = {"search": search, "pagination_type": "search_after"}
        if attributes := reading.structure.known(named):
            params["attributes"] = ",".join(attributes)
        return await self._client.listed(_PATH, ModelPayload, _OPERATION, call=call, **params)


def _natural(product: Product) -> tuple[list[tuple[int, str]], str]:
    """Orders `M5` before `M10`: digits by their length first, then as they are."""
    parts = re.findall(r"[0-9]+|[^0-9]+", product.sku)
    return [(len(part) if part[0] in "0123456789" else 0, part) for part in parts], product.sku


def _owners(
    payload: ProductPayload, codes: Sequence[str], owners: Mapping[str, str]
) -> Iterable[str]:
    """The models asked for that a product is below; the only one, if one was asked for."""
    if len(codes) == 1:
        return codes
    parent = payload.parent or ""
    return {code for code in (parent, owners.get(parent, "")) if code in codes}


def _variant(model: ModelPayload) -> FamilyVariant:
    return FamilyVariant(model.family or "", model.family_variant or "")


def _axes(model: ModelPayload, levels: Iterable[VariantLevel]) -> list[str]:
    """The attributes that tell the products below apart: of both levels, or the second alone."""
    lowest = 2 if model.parent else 1
    return [axis for found in levels if found.level >= lowest for axis in found.axes]
