"""Which fields of the contract a connection fills, over a sample of its records."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from gateway.doctor.report import Coverage, Field
from ports.common import ExternalReference, Freshness, Money, TaxedMoney

# Values within values, which their own fields say nothing about.
PLAIN = (Money, TaxedMoney, Freshness, ExternalReference)


def coverage(records: Mapping[str, Sequence[Any]], package: str) -> list[Field]:
    """By type and field; `records` are what each role told, `package` is the connector's own."""
    mapped = _Mapped(package)
    found: list[Field] = []
    for role, some in records.items():
        for record, held in _by_type(some).items():
            found += _of_type(record, held, role, mapped)
    return found


def _by_type(records: Sequence[Any]) -> dict[type, list[Any]]:
    """The records and those within them, by the type that the contract shows."""
    from schema.build import schema
    from schema.fields import VIEWS

    schema()
    shown = {record: record for record in VIEWS.values()}
    held: dict[type, list[Any]] = {}
    for one in _within(records):
        record = next((known for known in type(one).__mro__ if known in shown), None)
        if record is not None and record not in PLAIN:
            held.setdefault(record, []).append(one)
    return held


def _within(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for one in value:
            yield from _within(one)
    elif isinstance(value, msgspec.Struct):
        yield value
        for name in value.__struct_fields__:
            yield from _within(getattr(value, name))


def _of_type(record: type, held: Sequence[Any], role: str, mapped: "_Mapped") -> list[Field]:
    from schema.fields import TYPES, VIEWS

    name = next(kind for kind, viewed in VIEWS.items() if viewed is record)
    filled = mapped.fields(record)
    rows = []
    for field in _read(TYPES[name], record):
        count = sum(1 for one in held if _is_filled(field.value(one)))
        state: Coverage = "served" if count else "empty"
        if not count and filled is not None and field.source and field.source not in filled:
            state = "unmapped"
        rows.append(Field(f"{name}.{field.name}", role, count, len(held), state))
    return rows


@dataclass(frozen=True, slots=True)
class _Read:
    """A field of the contract, and how its value is read from a record; `source` its attribute."""

    name: str
    value: Callable[[Any], Any]
    source: str | None


def _read(view: Any, record: Any) -> Iterator[_Read]:
    """Fields that follow from the record; what another port answers is counted there."""
    from schema.build import schema
    from schema.fields import PLAN

    graphql_name = schema().config.name_converter.get_graphql_name
    attributes = set(getattr(record, "__struct_fields__", ()))
    for field in view.__strawberry_definition__.fields:
        plan, source = field.metadata.get(PLAN), field.python_name
        if source in attributes:
            yield _Read(graphql_name(field), _attribute(source), source)
        elif plan is not None and plan.compute is not None and field.python_name != "id":
            yield _Read(graphql_name(field), plan.compute, None)


def _attribute(name: str) -> Callable[[Any], Any]:
    return lambda one: getattr(one, name)


def _is_filled(value: Any) -> bool:
    if isinstance(value, Enum):
        return value.name != "UNKNOWN"
    return value is not None and value not in ("", (), [], {})


class _Mapped:
    """Which fields of a record a package ever gives a value, read from its source."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._calls: list[ast.Call] | None = None

    def fields(self, record: type) -> frozenset[str] | None:
        """None where that cannot be told."""
        kinds: list[type] = [record, *record.__subclasses__()]
        names = {one.__name__ for one in kinds}
        order = getattr(record, "__struct_fields__", ())
        made = [call for call in self._all() if _called(call) in names]
        if not made or any(_is_open(call) for call in made):
            return None
        given: set[str] = {name for call in made for name in order[: len(call.args)]}
        named = {
            one.arg for call in [*made, *self._replacing()] for one in call.keywords if one.arg
        }
        return frozenset(given | named)

    def _replacing(self) -> list[ast.Call]:
        return [call for call in self._all() if _called(call) == "replace"]

    def _all(self) -> list[ast.Call]:
        if self._calls is None:
            self._calls = [
                node
                for text in _sources(self._package)
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Call)
            ]
        return self._calls


def _sources(package: str) -> Iterator[str]:
    for name, module in list(sys.modules.items()):
        if name == package or name.startswith(f"{package}."):
            try:
                yield inspect.getsource(module)
            except (OSError, TypeError):
                continue


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_open(call: ast.Call) -> bool:
    """Whether it is given what its text does not name."""
    starred = any(isinstance(one, ast.Starred) for one in call.args)
    return starred or any(one.arg is None for one in call.keywords)
