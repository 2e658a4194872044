"""The search grammar: what a `search` parameter says, condition by condition."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from sandbox.akeneo.answers import Refusal, unprocessable


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on one property or attribute. `value` is None where none is given."""

    name: str
    operator: str
    value: Any = None
    locale: str | None = None
    scope: str | None = None
    locales: tuple[str, ...] = ()

    def unsupported(self) -> Refusal:
        return unprocessable(
            f'Filter on property "{self.name}" is not supported or does not support operator'
            f' "{self.operator}"',
            documented=True,
        )

    def wants(self, kind: str) -> Refusal:
        given = type(self.value).__name__
        return unprocessable(f'Property "{self.name}" expects {kind} as data, "{given}" given.')

    def strings(self) -> list[str]:
        """The value as a list of strings, which IN and its like need."""
        if not isinstance(self.value, list):
            raise self.wants("an array")
        if not all(isinstance(entry, str) for entry in self.value):
            raise self.wants("an array with string values")
        return self.value

    def string(self) -> str:
        if not isinstance(self.value, str):
            raise self.wants("a string")
        return self.value

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            raise self.wants("a boolean")
        return self.value


def parsed(text: object, locale: str | None = None, scope: str | None = None) -> list[Condition]:
    """The conditions of a stringified `search`; `locale` and `scope` stand in where one has none."""
    if text is None or text == "":
        return []
    return list(_conditions(_decoded(text), locale, scope))


def _decoded(text: object) -> dict[str, Any]:
    if not isinstance(text, str):
        raise unprocessable('Property "search" expects a string as data.', documented=True)
    try:
        search = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refusal(400, "Search query parameter should be valid JSON.") from None
    if not isinstance(search, dict):
        if search == []:
            return {}
        raise unprocessable("Search query parameter has to be an array.", documented=True)
    return search


def _conditions(
    search: dict[str, Any], locale: str | None, scope: str | None
) -> Iterator[Condition]:
    for name, filters in search.items():
        if not isinstance(filters, list) or not all(isinstance(one, dict) for one in filters):
            raise unprocessable(
                f'Structure of filter "{name}" should respect this structure:'
                f' {{"{name}":[{{"operator": "my_operator", "value": "my_value"}}]}}',
                documented=True,
            )
        for one in filters:
            if not isinstance(one.get("operator"), str):
                raise unprocessable(f'Operator is missing for the property "{name}".')
            yield Condition(
                name,
                one["operator"],
                one.get("value"),
                one.get("locale", locale),
                one.get("scope", scope),
                tuple(one.get("locales") or ()),
            )


def structural(conditions: list[Condition], known: dict[str, set[str]]) -> None:
    """Refuses conditions that a list of structural entities does not offer."""
    for condition in conditions:
        if condition.operator not in known.get(condition.name, ()):
            raise condition.unsupported()


Predicate = Callable[[Any], bool]


def negated(predicate: Predicate, *, when: bool) -> Predicate:
    return (lambda row: not predicate(row)) if when else predicate
