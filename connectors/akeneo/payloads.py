"""The parts of Akeneo's answers that are read, as the wire has them.

PHP writes an empty map as `[]` here and there, and fields come and go with the PIM's version: all
that is not needed to tell one object from another is optional.
"""

from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")

Labels: TypeAlias = dict[str, str | None] | list[Any] | None


class Link(msgspec.Struct, frozen=True, gc=False):
    href: str = ""


class Links(msgspec.Struct, frozen=True, gc=False):
    next: Link | None = None


class Embedded(msgspec.Struct, Generic[T], frozen=True, gc=False):
    items: list[T]


class ListPage(msgspec.Struct, Generic[T], frozen=True, gc=False):
    embedded: Embedded[T] = msgspec.field(name="_embedded")
    links: Links = msgspec.field(name="_links", default=Links())
    items_count: int | None = None


class ValuePayload(msgspec.Struct, frozen=True, gc=False):
    data: Any = None
    locale: str | None = None
    scope: str | None = None
    attribute_type: str | None = None
    linked_data: Any = None


Values: TypeAlias = dict[str, list[ValuePayload]] | list[Any] | None


class ProductPayload(msgspec.Struct, frozen=True, gc=False):
    uuid: str
    enabled: bool = True
    family: str | None = None
    parent: str | None = None
    root_parent: str | None = None
    categories: list[str] | None = None
    values: Values = None
    updated: str | None = None
    associations: Any = None
    quantified_associations: Any = None


class ModelPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    family: str | None = None
    family_variant: str | None = None
    parent: str | None = None
    values: Values = None


class ColumnOptionPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    labels: Labels = None


class ColumnPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    data_type: str | None = None
    labels: Labels = None
    options: list[ColumnOptionPayload] | None = None


class AttributePayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    type: str
    group: str | None = None
    sort_order: int | None = None
    labels: Labels = None
    localizable: bool | None = None
    scopable: bool | None = None
    metric_family: str | None = None
    default_metric_unit: str | None = None
    table_configuration: list[ColumnPayload] | None = None


class GroupPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    sort_order: int | None = None
    labels: Labels = None


class FamilyPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    attribute_as_label: str | None = None
    labels: Labels = None


class VariantLevel(msgspec.Struct, frozen=True, gc=False):
    level: int
    axes: list[str] = []


class FamilyVariantPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    variant_attribute_sets: list[VariantLevel] = []


class ChannelPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    currencies: list[str] = []
    locales: list[str] = []
    category_tree: str | None = None


class UnitPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    symbol: str | None = None
    labels: Labels = None


class MeasurementFamilyPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    units: dict[str, UnitPayload] | list[Any] = {}


class CategoryPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    parent: str | None = None
    labels: Labels = None


class OptionPayload(msgspec.Struct, frozen=True, gc=False):
    code: str
    labels: Labels = None
