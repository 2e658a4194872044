"""How the PIM is set up: attributes, groups, families, units, the channel, the category tree."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec

from connectors.akeneo.client import AkeneoClient
from connectors.akeneo.locales import readable
from connectors.akeneo.payloads import (
    AttributePayload,
    CategoryPayload,
    ChannelPayload,
    ColumnPayload,
    FamilyPayload,
    FamilyVariantPayload,
    GroupPayload,
    MeasurementFamilyPayload,
    OptionPayload,
    UnitPayload,
    VariantLevel,
)
from ports.caller import Call
from ports.errors import RefusedError

T = TypeVar("T")

# Thousands of attributes or categories, a hundred a call, take longer than one request may wait.
_LOAD_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """A code with its labels by locale, empty ones left out."""

    code: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unit:
    code: str
    symbol: str | None
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    code: str
    labels: Mapping[str, str]
    options: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Attribute:
    """`rank` orders attributes as the PIM's forms do: by group, then within it."""

    code: str
    type: str
    labels: Mapping[str, str]
    group: str | None = None
    rank: tuple[int, int] = (0, 0)
    localizable: bool = False
    scopable: bool = False
    metric_family: str | None = None
    metric_unit: str | None = None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    code: str
    labels: Mapping[str, str]
    label_attribute: str | None


class FamilyVariant(NamedTuple):
    family: str
    code: str


@dataclass(frozen=True, slots=True)
class Structure:
    """All by code; `units` by measurement family and unit code."""

    attributes: Mapping[str, Attribute]
    groups: Mapping[str, Labelled]
    families: Mapping[str, Family]
    units: Mapping[tuple[str, str], Unit]
    channel: ChannelPayload | None = None

    @property
    def channel_locales(self) -> Sequence[str]:
        return self.channel.locales if self.channel else ()

    def known(self, codes: Iterable[str | None]) -> tuple[str, ...]:
        """Those that are attributes of this PIM, once each, in order."""
        return tuple(dict.fromkeys(code for code in codes if code and code in self.attributes))

    def label_attributes(self) -> tuple[str, ...]:
        return self.known(family.label_attribute for family in self.families.values())


@dataclass(frozen=True, slots=True)
class Tree:
    """The categories below `root`, in the PIM's order; all of them when `root` is None."""

    root: str | None
    categories: Mapping[str, CategoryPayload]
    children: Mapping[str | None, tuple[CategoryPayload, ...]]

    def below(self, parent: str | None) -> tuple[CategoryPayload, ...]:
        return self.children.get(self.root if parent is None else parent, ())


async def load_structure(client: AkeneoClient, channel: str, call: Call) -> Structure:
    """Raises the errors of the client; lists that only decorate may be refused to us."""
    call = _patient(call)
    attributes, groups, families, measures, found = await asyncio.gather(
        _attributes(client, call),
        _decoration(client.listed("/attribute-groups", GroupPayload, "catalog.groups", call=call)),
        _decoration(client.listed("/families", FamilyPayload, "catalog.families", call=call)),
        _decoration(_measures(client, call)),
        client.one(
            f"/channels/{quote(channel, safe='')}", ChannelPayload, "catalog.channel", call=call
        ),
    )
    order = {group.code: group.sort_order or 0 for group in groups}
    return Structure(
        attributes={found.code: _attribute(found, order) for found in attributes},
        groups={group.code: Labelled(group.code, readable(group.labels)) for group in groups},
        families={found.code: _family(found) for found in families},
        units={
            (family.code, unit.code): _unit(unit) for family in measures for unit in _units(family)
        },
        channel=found,
    )


async def load_tree(client: AkeneoClient, root: str | None, call: Call) -> Tree:
    listed = await client.listed(
        "/categories", CategoryPayload, "catalog.categories", call=_patient(call)
    )
    children: dict[str | None, list[CategoryPayload]] = {}
    everything = {category.code: category for category in listed}
    for category in everything.values():
        children.setdefault(category.parent, []).append(category)
    inside = _inside(root, everything, children)
    kept = {
        parent: tuple(below) for parent, below in children.items() if _keeps(parent, inside, root)
    }
    return Tree(root, inside, kept)


async def load_options(client: AkeneoClient, attribute: str, call: Call) -> tuple[Labelled, ...]:
    found = await client.options(attribute, OptionPayload, call=_patient(call))
    return tuple(Labelled(option.code, readable(option.labels)) for option in found)


async def load_axes(
    client: AkeneoClient, of: FamilyVariant, call: Call
) -> tuple[VariantLevel, ...]:
    """What tells the products of a family variant apart, level by level; () when it is hidden."""
    if not of.family or not of.code:
        return ()
    path = f"/families/{quote(of.family, safe='')}/variants/{quote(of.code, safe='')}"
    try:
        found = await client.one(path, FamilyVariantPayload, "catalog.axes", call=call)
    except RefusedError:
        found = None
    levels = found.variant_attribute_sets if found else ()
    return tuple(sorted(levels, key=lambda level: level.level))


def _patient(call: Call) -> Call:
    return msgspec.structs.replace(call, deadline=time.monotonic() + _LOAD_SECONDS)


async def _decoration(asked: Awaitable[list[T]]) -> list[T]:
    """Labels and symbols that the connection has no right to read leave codes in their place."""
    try:
        return await asked
    except RefusedError:
        return []


async def _measures(client: AkeneoClient, call: Call) -> list[MeasurementFamilyPayload]:
    """The one list that is not paged; the vendor's own specification shows a single object."""
    shape: Any = list[MeasurementFamilyPayload] | MeasurementFamilyPayload
    found = await client.one("/measurement-families", shape, "catalog.measures", call=call)
    return found if isinstance(found, list) else [found] if found else []


async def _attributes(client: AkeneoClient, call: Call) -> list[AttributePayload]:
    """Table attributes are read once more each: only then do their columns tell their options."""
    found = await client.listed("/attributes", AttributePayload, "catalog.attributes", call=call)
    tables = [attribute for attribute in found if _has_options(attribute)]
    detailed = await asyncio.gather(
        *(
            client.one(
                f"/attributes/{quote(table.code, safe='')}",
                AttributePayload,
                "catalog.attributes",
                call=call,
                with_table_select_options="true",
            )
            for table in tables
        )
    )
    better = {attribute.code: attribute for attribute in detailed if attribute}
    return [better.get(attribute.code, attribute) for attribute in found]


def _has_options(attribute: AttributePayload) -> bool:
    return any(column.data_type == "select" for column in attribute.table_configuration or ())


def _attribute(found: AttributePayload, order: Mapping[str, int]) -> Attribute:
    return Attribute(
        code=found.code,
        type=found.type,
        labels=readable(found.labels),
        group=found.group,
        rank=(order.get(found.group or "", 0), found.sort_order or 0),
        localizable=bool(found.localizable),
        scopable=bool(found.scopable),
        metric_family=found.metric_family,
        metric_unit=found.default_metric_unit,
        columns=tuple(_column(column) for column in found.table_configuration or ()),
    )


def _column(found: ColumnPayload) -> Column:
    options = {option.code: readable(option.labels) for option in found.options or ()}
    return Column(found.code, readable(found.labels), options)


def _family(found: FamilyPayload) -> Family:
    return Family(found.code, readable(found.labels), found.attribute_as_label)


def _units(family: MeasurementFamilyPayload) -> Iterable[UnitPayload]:
    return family.units.values() if isinstance(family.units, dict) else ()


def _unit(found: UnitPayload) -> Unit:
    return Unit(found.code, found.symbol or None, readable(found.labels))


def _inside(
    root: str | None,
    everything: Mapping[str, CategoryPayload],
    children: Mapping[str | None, Sequence[CategoryPayload]],
) -> dict[str, CategoryPayload]:
    if root is None:
        return dict(everything)
    inside = {root: everything[root]} if root in everything else {}
    waiting = [root]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child.code not in inside:
                inside[child.code] = child
                waiting.append(child.code)
    return inside


def _keeps(parent: str | None, inside: Mapping[str, CategoryPayload], root: str | None) -> bool:
    return root is None or parent in inside
