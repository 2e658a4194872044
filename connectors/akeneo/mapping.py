"""Akeneo's products and models as records of the catalogue port."""

import mimetypes
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from sys import intern
from typing import Any

from connectors.akeneo.config import AkeneoConfig, DocumentRole
from connectors.akeneo.locales import label
from connectors.akeneo.payloads import ModelPayload, ProductPayload, ValuePayload, Values
from connectors.akeneo.structure import Attribute, Structure
from connectors.akeneo.values import Writer
from ports import catalog
from ports.catalog import Media, Product, ProductModel, ProductRelationKind, Relation
from ports.common import ExternalReference, SystemName

IMAGE = "pim_catalog_image"
FILE = "pim_catalog_file"
_PART = "attributes."
# `e4d3...40 hexadecimal digits..._original_name.pdf`, below four folders of one character.
_SHARED_CHARACTERS = 64
_STORED_NAME = re.compile(r"[0-9a-f]{40}_(.+)")
_ROLE_WORDS: tuple[tuple[DocumentRole, str], ...] = (
    ("CERTIFICATE", r"certif|conform|declaration|attestation|zertifikat"),
    ("MANUAL", r"manual|notice|instruction|handbook|handbuch|anleitung|guide"),
    ("DATASHEET", r"data_?sheet|fiche|technical|datenblatt|tds|sds|msds"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An attribute with the names that readers of one language see."""

    attribute: Attribute
    label: str
    group: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One way of reading the PIM: its structure, a channel and the locales of one language."""

    structure: Structure
    config: AkeneoConfig
    locales: tuple[str, ...]
    upstream: str
    writer: Writer
    shown: Mapping[str, Shown]
    images: tuple[str, ...]
    documents: tuple[str, ...]

    @classmethod
    def of(
        cls, structure: Structure, config: AkeneoConfig, locales: tuple[str, ...], upstream: str
    ) -> "Reading":
        return cls(
            structure,
            config,
            locales,
            upstream,
            writer=Writer(locales, structure.units),
            shown={
                code: _shown(attribute, structure, locales)
                for code, attribute in structure.attributes.items()
            },
            images=_media_attributes(structure, config.image_attributes, IMAGE),
            documents=_media_attributes(structure, config.document_attributes, FILE),
        )

    def chosen(self, values: Sequence[ValuePayload]) -> ValuePayload | None:
        """The value for the channel and the best locale; empty ones count as missing."""
        if len(values) == 1 and values[0].locale is None and values[0].scope is None:
            return values[0] if _is_something(values[0].data) else None
        best, rank = None, (len(self.locales) + 1, 2)
        for value in values:
            found = self._rank(value)
            if found is not None and found < rank and _is_something(value.data):
                best, rank = value, found
        return best

    def text(self, values: Values, code: str | None) -> str | None:
        """The value of one attribute in words, None when there is none."""
        told = values.get(code) if isinstance(values, dict) and code else None
        value = self.chosen(told) if told else None
        if value is None or code is None:
            return None
        return self.writer.write(self.attribute(code, value), value).text or None

    def attribute(self, code: str, value: ValuePayload | None = None) -> Attribute:
        """What is known of an attribute; one made since the structure was read, by its value."""
        known = self.structure.attributes.get(code)
        if known is not None:
            return known
        return Attribute(code, (value.attribute_type if value else None) or "", {})

    def label(self, labels: Mapping[str, str], code: str) -> str:
        return label(labels, code, self.locales)

    def _rank(self, value: ValuePayload) -> tuple[int, int] | None:
        if value.scope not in (None, self.config.channel):
            return None
        scope = 0 if value.scope else 1
        if value.locale is None:
            return (0, scope)
        return (self.locales.index(value.locale), scope) if value.locale in self.locales else None


def _shown(attribute: Attribute, structure: Structure, locales: Sequence[str]) -> Shown:
    group = structure.groups.get(attribute.group or "")
    return Shown(
        attribute,
        label(attribute.labels, attribute.code, locales),
        label(group.labels, group.code, locales) if group else attribute.group,
    )


def _is_something(data: object) -> bool:
    return data is not None and data not in ("", [], {})


def _media_attributes(
    structure: Structure, named: Sequence[str] | None, kind: str
) -> tuple[str, ...]:
    if named is not None:
        return tuple(named)
    found = [known for known in structure.attributes.values() if known.type == kind]
    return tuple(known.code for known in sorted(found, key=lambda a: (a.rank, a.code)))


def product(
    found: ProductPayload, reading: Reading, wanted: frozenset[str] | None = None
) -> Product | None:
    """None for a product without identifier, which no other system could know.

    What takes work is left out where `wanted` does not name it; None wants all.
    """
    config, values = reading.config, found.values
    sku = reading.text(values, config.identifier_attribute)
    if sku is None:
        return None
    name = reading.text(values, config.name_attribute) or _label_of(found, reading) or sku

    def text(field: str, code: str | None) -> str | None:
        return reading.text(values, code) if _has(wanted, field) else None

    return Product(
        sku=sku,
        reference=found.uuid,
        name=name,
        enabled=found.enabled,
        gtin=text("gtin", config.gtin_attribute),
        description=text("description", config.description_attribute),
        brand=text("brand", config.brand_attribute),
        family=_family(found.family, reading),
        updated_at=moment(found.updated),
        references=(ExternalReference(SystemName.PIM, reading.upstream, found.uuid),),
        categories=tuple(map(_shared, found.categories or ())),
        attributes=tuple(_attributes(_wanted_values(values, wanted), reading)),
        images=tuple(_images(values, reading, name)) if _has(wanted, "images") else (),
        documents=tuple(_documents(values, reading)) if _has(wanted, "documents") else (),
        model=_shared(found.root_parent or found.parent),
        relations=_relations(found, config.association_types) if _has(wanted, "relations") else (),
    )


def attribute_codes(wanted: frozenset[str]) -> tuple[str, ...]:
    """The attributes that are wanted by themselves, as `attributes.<code>`."""
    return tuple(one.removeprefix(_PART) for one in wanted if one.startswith(_PART))


def _has(wanted: frozenset[str] | None, field: str) -> bool:
    return wanted is None or field in wanted


def _wanted_values(values: Values, wanted: frozenset[str] | None) -> Values:
    """Those of the attributes that are wanted as such."""
    if wanted is None or "attributes" in wanted or not isinstance(values, dict):
        return values
    return {code: values[code] for code in attribute_codes(wanted) if code in values}


def identifier(found: ProductPayload, reading: Reading) -> str | None:
    return reading.text(found.values, reading.config.identifier_attribute)


def model(found: ModelPayload, axes: Iterable[str], reading: Reading) -> ProductModel:
    """`axes` are attribute codes."""
    config, values = reading.config, found.values
    name = (
        reading.text(values, config.model_name_attribute)
        or reading.text(values, config.name_attribute)
        or _label_of(found, reading)
        or found.code
    )
    labels = (reading.label(reading.attribute(code).labels, code) for code in axes)
    return ProductModel(found.code, name, tuple(labels))


def moment(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _label_of(found: ProductPayload | ModelPayload, reading: Reading) -> str | None:
    family = reading.structure.families.get(found.family or "")
    return reading.text(found.values, family.label_attribute) if family else None


def _family(code: str | None, reading: Reading) -> str | None:
    family = reading.structure.families.get(code or "")
    return reading.label(family.labels, family.code) if family else code


def _attributes(values: Values, reading: Reading) -> list[catalog.Attribute]:
    """All values but files, in the order of the PIM's forms."""
    if not isinstance(values, dict):
        return []
    files = {*reading.images, *reading.documents}
    found = []
    for code, told in values.items():
        value = reading.chosen(told) if code not in files else None
        if value is None:
            continue
        shown = reading.shown.get(code) or Shown(reading.attribute(code, value), f"[{code}]", None)
        attribute = shown.attribute
        if attribute.type in {IMAGE, FILE}:
            continue
        written = reading.writer.write(attribute, value)
        record = catalog.Attribute(
            intern(code),
            shown.label,
            _shared(written.text),
            shown.group,
            _shared(value.data),
            written.unit,
        )
        found.append((attribute.rank, code, record))
    return [record for _, _, record in sorted(found, key=itemgetter(0, 1))]


def _shared(value: Any) -> Any:
    """Short texts, which many products have, once for all of them: most of what a record holds."""
    return intern(value) if type(value) is str and len(value) <= _SHARED_CHARACTERS else value


def _images(values: Values, reading: Reading, name: str) -> Iterator[Media]:
    for attribute, code in _files(values, reading.images, reading):
        yield Media(code, title=name, role=attribute, mime_type=_mime_type(code))


def _documents(values: Values, reading: Reading) -> Iterator[Media]:
    for attribute, code in _files(values, reading.documents, reading):
        labels = reading.attribute(attribute).labels
        title = reading.label(labels, attribute) if labels else filename(code)
        role = reading.config.document_roles.get(attribute) or _role(attribute)
        yield Media(code, title=title, role=role, mime_type=_mime_type(code))


def _files(
    values: Values, attributes: Iterable[str], reading: Reading
) -> Iterator[tuple[str, str]]:
    """Attribute code and media code of each file that there is."""
    if not isinstance(values, dict):
        return
    for attribute in attributes:
        value = reading.chosen(values.get(attribute, ()))
        if value is not None and isinstance(value.data, str):
            yield attribute, value.data


def filename(code: str) -> str:
    """The name a file was uploaded under, which its code ends with."""
    stored = code.rpartition("/")[2]
    found = _STORED_NAME.fullmatch(stored)
    return found.group(1) if found else stored


def _mime_type(code: str) -> str | None:
    return mimetypes.guess_type(f"file:///{filename(code)}")[0]


def _role(attribute: str) -> DocumentRole:
    for role, words in _ROLE_WORDS:
        if re.search(words, attribute, re.IGNORECASE):
            return role
    return "OTHER"


def _relations(
    found: ProductPayload, kinds: Mapping[str, ProductRelationKind]
) -> tuple[Relation, ...]:
    """Products alone: an associated model or group is no single thing to buy."""
    by_kind: dict[ProductRelationKind, dict[str, None]] = {}
    for associations in (found.associations, found.quantified_associations):
        for code, told in associations.items() if isinstance(associations, dict) else ():
            kind = kinds.get(code)
            if kind is not None:
                by_kind.setdefault(kind, {}).update(dict.fromkeys(_references(told)))
    return tuple(Relation(kind, tuple(of)) for kind, of in by_kind.items() if of)


def _references(told: Any) -> Iterator[str]:
    listed = told.get("products") if isinstance(told, dict) else None
    for entry in listed if isinstance(listed, list) else ():
        reference = entry.get("uuid") if isinstance(entry, dict) else entry
        if isinstance(reference, str):
            yield reference
