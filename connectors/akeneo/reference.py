"""What changes by the week, kept for all requests, and the reading of products that it allows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias, TypeVar

from connectors.akeneo.client import AkeneoClient, Question, Search
from connectors.akeneo.config import AkeneoConfig
from connectors.akeneo.locales import locales_for
from connectors.akeneo.mapping import Reading, attribute_codes
from connectors.akeneo.payloads import VariantLevel
from connectors.akeneo.structure import (
    FamilyVariant,
    Labelled,
    Structure,
    Tree,
    load_axes,
    load_options,
    load_structure,
    load_tree,
)
from ports.caller import Call
from upstream.reference import Reference

T = TypeVar("T")
Load: TypeAlias = Callable[[Call], Awaitable[T]]

_VALUES_OF = ("name", "description", "brand", "gtin")


class References:
    """Loads each thing when it is first asked for, once for all who ask."""

    def __init__(self, client: AkeneoClient, config: AkeneoConfig, upstream: str) -> None:
        self._client = client
        self._config = config
        self._upstream = upstream
        self._readings: dict[tuple[str, ...], Reading] = {}
        self._structure: Reference[Structure] = Reference(self._load_structure)
        self._tree: Reference[Tree] = Reference(self._load_tree)
        self._options: dict[str, Reference[tuple[Labelled, ...]]] = {}
        self._axes: dict[FamilyVariant, Reference[tuple[VariantLevel, ...]]] = {}

    async def reading(self, call: Call) -> Reading:
        """How products are read for this call's language."""
        structure = await self._structure.get(call)
        locales = locales_for(call.language, self._config, structure.channel_locales)
        kept = self._readings.get(locales)
        if kept is None or kept.structure is not structure:
            kept = Reading.of(structure, self._config, locales, self._upstream)
            self._readings[locales] = kept
        return kept

    async def tree(self, call: Call) -> Tree:
        return await self._tree.get(call)

    async def options(
        self, attributes: Iterable[str], call: Call
    ) -> dict[str, tuple[Labelled, ...]]:
        """The options of select attributes. These must exist, since each is kept for good."""
        codes = sorted(attributes)
        for code in codes:
            if code not in self._options:
                self._options[code] = Reference(self._options_of(code))
        found = await asyncio.gather(*(self._options[code].get(call) for code in codes))
        return dict(zip(codes, found, strict=True))

    async def axes(
        self, variants: Iterable[FamilyVariant], call: Call
    ) -> dict[FamilyVariant, tuple[VariantLevel, ...]]:
        wanted = sorted(set(variants))
        for variant in wanted:
            if variant not in self._axes:
                self._axes[variant] = Reference(self._axes_of(variant))
        found = await asyncio.gather(*(self._axes[variant].get(call) for variant in wanted))
        return dict(zip(wanted, found, strict=True))

    async def aclose(self) -> None:
        for options in self._options.values():
            await options.aclose()
        for axes in self._axes.values():
            await axes.aclose()
        await self._tree.aclose()
        await self._structure.aclose()

    async def _load_structure(self, call: Call) -> Structure:
        return await load_structure(self._client, self._config.channel, call)

    async def _load_tree(self, call: Call) -> Tree:
        structure = await self._structure.get(call)
        of_channel = structure.channel.category_tree if structure.channel else None
        return await load_tree(self._client, self._config.category_tree or of_channel, call)

    def _options_of(self, attribute: str) -> Load[tuple[Labelled, ...]]:
        return lambda call: load_options(self._client, attribute, call)

    def _axes_of(self, variant: FamilyVariant) -> Load[tuple[VariantLevel, ...]]:
        return lambda call: load_axes(self._client, variant, call)


def question(search: Search, reading: Reading, call: Call) -> Question:
    """A search that asks for no more values than the call's `wanted` fields need."""
    locales = tuple(code for code in reading.locales if code in reading.structure.channel_locales)
    scope = reading.config.channel if reading.config.channel_tree_only else None
    attributes = wanted_attributes(reading, call.wanted)
    return Question(search, locales, attributes, scope, may_widen=True)


def sort_attributes(reading: Reading) -> tuple[str, ...]:
    """What a product's SKU and name are read from."""
    config, structure = reading.config, reading.structure
    named = (config.identifier_attribute, config.name_attribute)
    return structure.known((*named, *structure.label_attributes()))


def wanted_attributes(reading: Reading, wanted: frozenset[str] | None) -> tuple[str, ...]:
    """The attributes that these fields of a product come from; empty means all.

    All too where one is wanted that is not known: it may be younger than what is known of the PIM.
    """
    if wanted is None or "attributes" in wanted:
        return ()
    named = attribute_codes(wanted)
    if len(reading.structure.known(named)) < len(named):
        return ()
    config = reading.config
    codes: list[str | None] = [
        getattr(config, f"{field}_attribute") for field in _VALUES_OF if field in wanted
    ]
    codes += reading.images if "images" in wanted else ()
    codes += reading.documents if "documents" in wanted else ()
    return reading.structure.known((*sort_attributes(reading), *named, *codes))
