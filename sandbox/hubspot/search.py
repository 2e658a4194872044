"""HubSpot's search: filter groups (any of), their filters (all of), free text, one sort."""

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from sandbox.hubspot.answers import invalid
from sandbox.hubspot.records import Property, Record, Shelf

# developers.hubspot.com, "Search the CRM": five groups of at most six filters, eighteen in all.
MOST_GROUPS = 5
MOST_FILTERS_OF_A_GROUP = 6
MOST_FILTERS = 18
MOST_CHARACTERS = 3000

Key = tuple[float, str]
"What a value compares by: numbers and moments by the first part, texts by the second."
Test = Callable[[str | None], bool]
Predicate = Callable[[Record], bool]


def found(shelf: Shelf, body: dict[str, Any]) -> list[Record]:
    """Every record the search matches, in the order asked for (else the oldest first)."""
    groups = _groups(shelf, body.get("filterGroups"))
    text = _query(shelf, body.get("query"))
    matching = (
        one
        for one in shelf.records.values()
        if text(one) and (not groups or any(all(test(one) for test in group) for group in groups))
    )
    return _sorted(shelf, matching, body.get("sorts"))


def _groups(shelf: Shelf, raw: object) -> list[list[Predicate]]:
    groups = [_objects(group.get("filters"), "filters") for group in _objects(raw, "filterGroups")]
    if len(groups) > MOST_GROUPS:
        raise invalid(f"A search takes at most {MOST_GROUPS} filterGroups")
    if any(len(group) > MOST_FILTERS_OF_A_GROUP for group in groups):
        raise invalid(f"A group takes at most {MOST_FILTERS_OF_A_GROUP} filters")
    if sum(map(len, groups)) > MOST_FILTERS:
        raise invalid(f"A search takes at most {MOST_FILTERS} filters in all")
    return [[_predicate(shelf, one) for one in group] for group in groups]


def _objects(raw: object, name: str) -> list[dict[str, Any]]:
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise invalid(f"{name} must be a list of objects")
    return raw


def _predicate(shelf: Shelf, raw: dict[str, Any]) -> Predicate:
    name, word = raw.get("propertyName"), raw.get("operator")
    known = shelf.properties.get(str(name))
    if known is None:
        message = f"{name} is no property of {shelf.kind.plural}"
        raise invalid(message, propertyName=[str(name)])
    build = _OPERATORS.get(str(word))
    if build is None:
        raise invalid(f"{word} is no operator", operator=[str(word)])
    test = build(_Operand(known, raw))
    return lambda record: test(record.properties.get(known.name))


@dataclass(frozen=True, slots=True)
class _Operand:
    property: Property
    raw: dict[str, Any]

    def text(self, field: str = "value") -> str:
        value = self.raw.get(field)
        if not isinstance(value, str) or not value:
            message = f"{self.raw['operator']} needs {field}, a string"
            raise invalid(message, propertyName=[self.property.name])
        return value

    def key(self, field: str = "value") -> Key:
        return self.read(self.text(field))

    def keys(self) -> set[Key]:
        values = self.raw.get("values")
        if not isinstance(values, list) or not values:
            message = f"{self.raw['operator']} needs values, a list of strings"
            raise invalid(message, propertyName=[self.property.name])
        return {self.read(str(value)) for value in values}

    def read(self, value: str) -> Key:
        return _key(self.property, value)


def _key(known: Property, value: str) -> Key:
    """What a value compares by: texts whatever their case."""
    try:
        if known.type == "number":
            return (float(value), "")
        if known.type == "datetime":
            return (_milliseconds(value), "")
    except ValueError:
        message = f"{value} is no {known.type}"
        raise invalid(message, propertyName=[known.name]) from None
    return (0.0, value.lower())


def _milliseconds(value: str) -> float:
    if value.isdecimal():
        return float(value)
    return datetime.fromisoformat(value).timestamp() * 1000


def _equal(operand: _Operand) -> Test:
    key = operand.key()
    return lambda value: value is not None and operand.read(value) == key


def _among(operand: _Operand) -> Test:
    keys = operand.keys()
    return lambda value: value is not None and operand.read(value) in keys


def _between(operand: _Operand) -> Test:
    low, high = operand.key(), operand.key("highValue")
    return lambda value: value is not None and low <= operand.read(value) <= high


def _has(_: _Operand) -> Test:
    return lambda value: value is not None


def _contains(operand: _Operand) -> Test:
    """The words of the value are among the property's; `*` stands for any characters."""
    pattern = operand.text().lower()
    if "*" in pattern:
        return lambda value: value is not None and _like(value.lower(), pattern)
    words = set(_words(pattern))
    return lambda value: value is not None and words <= set(_words(value))


def _like(value: str, pattern: str) -> bool:
    return any(fnmatchcase(one, pattern) for one in (value, *_words(value)))


def _ordered(compare: Callable[[Key, Key], bool]) -> Callable[[_Operand], Test]:
    def build(operand: _Operand) -> Test:
        key = operand.key()
        return lambda value: value is not None and compare(operand.read(value), key)

    return build


def _unless(build: Callable[[_Operand], Test]) -> Callable[[_Operand], Test]:
    def negated(operand: _Operand) -> Test:
        test = build(operand)
        return lambda value: not test(value)

    return negated


_OPERATORS: dict[str, Callable[[_Operand], Test]] = {
    "EQ": _equal,
    "NEQ": _unless(_equal),
    "LT": _ordered(operator.lt),
    "LTE": _ordered(operator.le),
    "GT": _ordered(operator.gt),
    "GTE": _ordered(operator.ge),
    "BETWEEN": _between,
    "IN": _among,
    "NOT_IN": _unless(_among),
    "HAS_PROPERTY": _has,
    "NOT_HAS_PROPERTY": _unless(_has),
    "CONTAINS_TOKEN": _contains,
    "NOT_CONTAINS_TOKEN": _unless(_contains),
}


def _query(shelf: Shelf, raw: object) -> Predicate:
    """Free text: each of its words begins some word of the searched properties."""
    if raw is None:
        return lambda _: True
    if not isinstance(raw, str) or len(raw) > MOST_CHARACTERS:
        raise invalid(f"query must be a string of at most {MOST_CHARACTERS} characters")
    asked = _words(raw)

    def matches(record: Record) -> bool:
        values = (record.properties.get(name) or "" for name in shelf.kind.searched)
        words = [word for value in values for word in _words(value)]
        return all(any(word.startswith(one) for word in words) for one in asked)

    return matches


def _words(value: str) -> list[str]:
    return re.findall(r"\w+", value.lower())


def _sorted(shelf: Shelf, records: Iterable[Record], raw: object) -> list[Record]:
    name, descending = _sort(raw)
    known = shelf.properties.get(name)
    if known is None:
        raise invalid(f"{name} is no property of {shelf.kind.plural}", sorts=[name])

    def place(record: Record) -> tuple[bool, Key]:
        value = record.properties.get(name)
        return (value is None, _key(known, value) if value is not None else (0.0, ""))

    return sorted(records, key=place, reverse=descending)


def _sort(raw: object) -> tuple[str, bool]:
    """The property to sort by and whether downwards, from `[{propertyName, direction}]` or names."""
    if not raw:
        return ("createdate", False)
    if not isinstance(raw, list) or len(raw) > 1:
        raise invalid("A search takes one sort")
    match raw[0]:
        case str(name):
            return (name.removeprefix("-"), name.startswith("-"))
        case {"propertyName": str(name), **rest}:
            direction = rest.get("direction", "ASCENDING")
            if direction not in {"ASCENDING", "DESCENDING"}:
                raise invalid(f"{direction} is no direction", sorts=[str(direction)])
            return (name, direction == "DESCENDING")
        case _:
            raise invalid("A sort needs a propertyName")
