"""The shape of JSON answers: fields, types, how often they are filled, values of what is a word.

Of values only words of fields that name a status or kind are kept, so that no file made of shapes
holds anybody's data.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

# Fields whose values are words of the vendor's own choice, by their names (`shipment.status`, and
# `status.code` but no country's); an address has a state, too.
_WORDY = re.compile(
    r"(?<!address\.)((status|state)([._]?code)?|type|kind|stage|mode|policy|priority)$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,39}")
_MOST_WORDS = 40
# Fewer sightings a word than this may be chance: names, numbers, one customer's own code.
_SIGHTINGS = 5
# An object with so many members of one structured kind is keyed by codes, not by fields.
_MAP_MEMBERS = 8
_MOST_FIELDS = 500
_DEEPEST = 40
MEMBER = "{}"
"""Stands for every member of an object that is keyed by codes."""


class Shape(msgspec.Struct, omit_defaults=True):
    """What was seen at one place. `types` counts sightings by type of JSON, `false` apart.

    `words` None: too many to be the vendor's words.
    """

    types: dict[str, int] = {}
    fields: dict[str, "Shape"] = {}
    items: "Shape | None" = None
    words: dict[str, int] | None = {}

    @property
    def seen(self) -> int:
        return sum(self.types.values())

    @property
    def is_map(self) -> bool:
        return MEMBER in self.fields


def learn(shape: Shape, value: Any, name: str = "", depth: int = 0) -> None:
    """Adds one value to what is known of its place; `name` is that of its field and the one above."""
    kind = _type_of(value)
    shape.types[kind] = shape.types.get(kind, 0) + 1
    if depth > _DEEPEST:
        return
    if kind == "object":
        _learn_members(shape, value, name, depth)
    elif kind == "array":
        shape.items = shape.items or Shape()
        for item in value:
            learn(shape.items, item, name, depth + 1)
    elif kind == "string":
        _learn_word(shape, value, name)


def _learn_members(shape: Shape, members: dict[str, Any], within: str, depth: int) -> None:
    for name, member in members.items():
        place = MEMBER if shape.is_map else name
        known = shape.fields.get(place)
        if known is None:
            if len(shape.fields) >= _MOST_FIELDS:
                continue
            known = shape.fields[place] = Shape()
        learn(known, member, f"{within.rpartition('.')[2]}.{name}", depth + 1)
    if not shape.is_map and _keyed_by_codes(shape.fields):
        together = Shape()
        for member_shape in shape.fields.values():
            merge(together, member_shape)
        shape.fields = {MEMBER: together}


def _keyed_by_codes(fields: dict[str, Shape]) -> bool:
    if len(fields) < _MAP_MEMBERS:
        return False
    kinds = {kind for shape in fields.values() for kind in shape.types}
    return kinds in ({"array"}, {"object"})


def _learn_word(shape: Shape, text: str, name: str) -> None:
    if shape.words is None or not _WORDY.search(name):
        return
    if not _WORD.fullmatch(text) or (text not in shape.words and len(shape.words) >= _MOST_WORDS):
        shape.words = None
        return
    shape.words[text] = shape.words.get(text, 0) + 1


def merge(into: Shape, other: Shape) -> None:
    """Adds all that another shape knows of the same place."""
    for kind, times in other.types.items():
        into.types[kind] = into.types.get(kind, 0) + times
    for name, shape in other.fields.items():
        merge(into.fields.setdefault(name, Shape()), shape)
    if other.items is not None:
        into.items = into.items or Shape()
        merge(into.items, other.items)
    if into.words is None or other.words is None:
        into.words = None
    else:
        for word, times in other.words.items():
            into.words[word] = into.words.get(word, 0) + times


def vocabulary(shape: Shape) -> frozenset[str] | None:
    """The words of a place, None where it is not known that they are all of them."""
    words = shape.words
    if not words or sum(words.values()) < _SIGHTINGS * len(words):
        return None
    return frozenset(words)


def forget_chance(shape: Shape) -> None:
    """Drops words that may be anybody's own; to be called before a shape is written."""
    if vocabulary(shape) is None:
        shape.words = None
    for one in (*shape.fields.values(), *_some(shape.items)):
        forget_chance(one)


def _some(shape: Shape | None) -> Iterable[Shape]:
    return () if shape is None else (shape,)


_CONSTANTS: dict[Any, str] = {None: "null", True: "true", False: "false"}
_TYPES: dict[type, str] = {str: "string", list: "array", dict: "object"}


def _type_of(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    return _TYPES.get(type(value), "number")
