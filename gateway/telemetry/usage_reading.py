"""Counts of usage out of the journal's file: by client, operation and field of the schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
)

from gateway.telemetry.journal.search import Reader


class Use(msgspec.Struct, frozen=True, rename="camel"):
    """`field` is a schema coordinate (`Product.name`, `Query.product(sku:)`, `Enum.VALUE`).

    `last` is the Unix time of the hour in which it was used last.
    """

    client: str
    operation: str
    field: str
    count: int
    last: int
    reason: str | None = None


class Recorded(msgspec.Struct, frozen=True):
    """A document as clients sent it, without their strings."""

    operation: str
    text: str
    clients: tuple[str, ...]
    count: int
    last: int


@dataclass(slots=True)
class _Sum:
    count: int = 0
    last: int = 0


def recorded(reader: Reader, since: float) -> list[Recorded]:
    """Documents used since, the most used first."""
    rows = reader.rows(
        "SELECT operation, text, json_group_array(DISTINCT client), sum(count), max(hour) "
        "FROM usage JOIN document ON hash = document WHERE hour >= ? "
        "GROUP BY operation, document ORDER BY sum(count) DESC",
        (int(since // 3600),),
    )
    return [
        Recorded(operation, text, tuple(msgspec.json.decode(clients)), count, hour * 3600)
        for operation, text, clients, count, hour in rows
    ]


def used_fields(reader: Reader, since: float) -> list[Use]:
    """The most used first."""
    rows = reader.rows(
        "SELECT client, operation, fields, sum(count), max(hour) FROM usage "
        "JOIN document ON hash = document WHERE hour >= ? GROUP BY client, operation, document",
        (int(since // 3600),),
    )
    sums: dict[tuple[str, str, str], _Sum] = {}
    for client, operation, fields, count, hour in rows:
        for field in msgspec.json.decode(fields):
            found = sums.setdefault((client, operation, field), _Sum())
            found.count += count
            found.last = max(found.last, hour * 3600)
    uses = [Use(*key, one.count, one.last) for key, one in sums.items()]
    return sorted(uses, key=lambda one: (-one.count, one.field, one.client, one.operation))


def deprecated_uses(reader: Reader, since: float, schema: GraphQLSchema) -> list[Use]:
    """Who still uses what is to go, and what to use instead."""
    reasons = dict(deprecations(schema))
    return [
        msgspec.structs.replace(one, reason=reasons[one.field])
        for one in used_fields(reader, since)
        if one.field in reasons
    ]


def deprecations(schema: GraphQLSchema) -> Iterator[tuple[str, str]]:
    """Coordinates of all that is deprecated, with the reasons."""
    for name, kind in schema.type_map.items():
        for member, one in members(kind).items() if not name.startswith("__") else ():
            if one.deprecation_reason is not None:
                yield f"{name}.{member}", one.deprecation_reason
            for argument, told in getattr(one, "args", {}).items():
                if told.deprecation_reason is not None:
                    yield f"{name}.{member}({argument}:)", told.deprecation_reason


def members(kind: object) -> Mapping[str, Any]:
    """Fields or values of a type, by name; none of one that has neither."""
    found: Mapping[str, Any] = {}
    if isinstance(kind, GraphQLEnumType):
        found = kind.values
    elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        found = kind.fields
    return found
