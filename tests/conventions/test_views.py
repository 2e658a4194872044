"""Views against the records they are views over: no type checker sees a missing name here."""

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from strawberry.types.base import StrawberryObjectDefinition, StrawberryOptional
from strawberry.types.field import StrawberryField

from ports.caller import Caller
from schema.build import schema, sdl
from schema.fields import PLAN, VIEWS


def definition(name: str) -> StrawberryObjectDefinition:
    found = schema().schema_converter.type_map[name].definition
    assert isinstance(found, StrawberryObjectDefinition)
    return found


def plain_fields(name: str) -> Iterator[StrawberryField]:
    """The fields that are read as attributes of the record."""
    for field in definition(name).fields:
        if field.base_resolver is None and PLAN not in field.metadata:
            yield field


def attributes(record: type) -> set[str]:
    own = set(getattr(record, "__struct_fields__", ())) | set(typing.get_type_hints(record))
    return own | {name for name in dir(record) if isinstance(getattr(record, name), property)}


def may_be_none(hint: Any) -> bool:
    union = typing.get_origin(hint) in {typing.Union, types.UnionType}
    return union and type(None) in typing.get_args(hint)


viewed = pytest.mark.parametrize("name", sorted(VIEWS))


def test_there_are_views() -> None:
    assert {"Product", "Customer", "Order", "Shipment"} <= set(VIEWS)


@viewed
def test_every_plain_field_is_an_attribute_of_the_record(name: str) -> None:
    asked = {field.python_name for field in plain_fields(name)}

    assert not asked - attributes(VIEWS[name])


@viewed
def test_what_may_be_none_is_nullable(name: str) -> None:
    """A record's None in a non-null field would cost the client the whole parent."""
    hints = typing.get_type_hints(VIEWS[name])

    assert not [
        field.python_name
        for field in plain_fields(name)
        if may_be_none(hints.get(field.python_name))
        and not isinstance(field.type, StrawberryOptional)
    ]


@viewed
def test_every_field_has_a_description(name: str) -> None:
    assert definition(name).description
    assert not [field.python_name for field in definition(name).fields if not field.description]


def test_the_printed_schema_is_up_to_date(root: Path) -> None:
    printed = (root / "schema" / "schema.graphql").read_text(encoding="utf-8")

    assert printed == sdl(), "write it anew: make docs"


def test_records_take_no_part_in_garbage_collection() -> None:
    """Frozen and built from the leaves, they are in no cycle; thousands of them are under way."""
    found = [
        record for record in {*VIEWS.values()} - {Caller} if issubclass(record, msgspec.Struct)
    ]

    assert found
    assert [record.__name__ for record in found if record.__struct_config__.gc] == []
