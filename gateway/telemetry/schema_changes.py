"""What changed between two schemas, how much it matters, and which recorded operations break."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from graphql import (
    DirectiveLocation,
    GraphQLArgument,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    build_schema,
    is_required_argument,
    is_required_input_field,
    parse,
    validate,
)
from graphql.utilities import (
    BreakingChange,
    DangerousChange,
    find_breaking_changes,
    find_dangerous_changes,
)

from gateway.telemetry.usage_reading import Recorded, members

BREAKING, DANGEROUS, SAFE = "breaking", "dangerous", "safe"
SEVERITIES = (BREAKING, DANGEROUS, SAFE)
_MOST_PROBLEMS = 3
# What no field or argument is of any longer nobody can miss.
_UNUSED_SCALAR = "Standard scalar "
_MACHINERY = ("_entities", "_service")
_OF_MACHINERY = re.compile(r"'(?:_entities|_service|_Any)'")
_EXECUTABLE = frozenset(
    {DirectiveLocation.QUERY, DirectiveLocation.MUTATION, DirectiveLocation.FIELD}
    | {DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.INLINE_FRAGMENT}
)


class Change(msgspec.Struct, frozen=True):
    severity: str
    kind: str
    description: str


class Broken(msgspec.Struct, frozen=True):
    """A recorded operation that the new schema refuses."""

    operation: str
    clients: tuple[str, ...]
    count: int
    problems: tuple[str, ...]


class SchemaTextError(Exception):
    """What should be a schema is none; the text says why."""


def schema_of(text: str) -> GraphQLSchema:
    """From SDL, that of subgraphs included, or the JSON of an introspection."""
    try:
        if text.lstrip().startswith("{"):
            told = msgspec.json.decode(text)
            made = build_client_schema(told.get("data") or told, assume_valid=True)
        else:
            made = build_schema(text, assume_valid=True, assume_valid_sdl=True)
    except (GraphQLError, msgspec.DecodeError, TypeError, AttributeError, KeyError) as problem:
        raise SchemaTextError(str(problem).partition("\n")[0]) from problem
    # What operations cannot say is not theirs to miss.
    own = [one for one in made.directives if _EXECUTABLE.intersection(one.locations)]
    made.directives = tuple(own)
    return _without_machinery(made)


def _without_machinery(schema: GraphQLSchema) -> GraphQLSchema:
    """What Federation puts into the schema of a subgraph is in some forms of it and not in others."""
    for name in list(schema.type_map):
        if not name.startswith("__") and (name.startswith("_") or "__" in name):
            del schema.type_map[name]
    if schema.query_type is not None:
        for name in _MACHINERY:
            schema.query_type.fields.pop(name, None)
    return schema


def changes(old: GraphQLSchema, new: GraphQLSchema) -> list[Change]:
    """Breaking ones first."""
    required = _newly_required(old, new)
    found = [
        Change(BREAKING if _names(one, required) else severity, one.type.name, one.description)
        for severity, all_found in (
            (BREAKING, find_breaking_changes(old, new)),
            (DANGEROUS, find_dangerous_changes(old, new)),
        )
        for one in all_found
        if not one.description.startswith(_UNUSED_SCALAR)
    ]
    told = [one.description for one in found]
    found += [
        Change(SAFE, "TYPE_CHANGED_SAFELY", f"{where} changed type from {was} to {now}.")
        for where, was, now in _retyped(old, new)
        if not any(f"{where} " in one for one in told)
    ]
    found += [Change(SAFE, kind, one) for kind, one in _safe(old, new)]
    return sorted(found, key=lambda one: SEVERITIES.index(one.severity))


def _newly_required(old: GraphQLSchema, new: GraphQLSchema) -> set[str]:
    """What must be given now because its default is gone; the library finds that but dangerous."""
    before = dict(_inputs(old))
    return {
        where
        for where, one in _inputs(new)
        if where in before and _is_required(one) and not _is_required(before[where])
    }


def _names(change: BreakingChange | DangerousChange, places: Iterable[str]) -> bool:
    return any(change.description.startswith(f"{one} ") for one in places)


def _is_required(one: Any) -> bool:
    if isinstance(one, GraphQLArgument):
        return is_required_argument(one)
    return is_required_input_field(one)


def _inputs(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """Arguments and fields of inputs, by their coordinates."""
    for where, one in _members(schema):
        if not hasattr(one, "args"):
            yield where, one
    for directive in schema.directives:
        for name, argument in directive.args.items():
            yield f"@{directive.name}({name}:)", argument


def _members(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    """All that has a type: fields, their arguments, fields of inputs."""
    for name, kind in schema.type_map.items():
        if name.startswith("__"):
            continue
        for member, one in members(kind).items():
            if hasattr(one, "type"):
                yield f"{name}.{member}", one
            for argument, its in getattr(one, "args", {}).items():
                yield f"{name}.{member}({argument}:)", its


def _retyped(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[tuple[str, str, str]]:
    before = dict(_members(old))
    for where, one in _members(new):
        if where in before and str(before[where].type) != str(one.type):
            yield where, str(before[where].type), str(one.type)


def broken(new: GraphQLSchema, operations: Iterable[Recorded]) -> list[Broken]:
    found = []
    for one in operations:
        problems = _problems(new, one.text)
        if problems:
            found.append(Broken(one.operation, one.clients, one.count, problems))
    return found


def _problems(schema: GraphQLSchema, text: str) -> tuple[str, ...]:
    try:
        errors = validate(schema, parse(text))
    except GraphQLError as error:
        errors = [error]
    # Schemas are held against each other without it, and so know none of it.
    told = [one.message for one in errors if not _OF_MACHINERY.search(one.message)]
    return tuple(told[:_MOST_PROBLEMS])


def _safe(old: GraphQLSchema, new: GraphQLSchema) -> Iterator[tuple[str, str]]:
    for name, kind in new.type_map.items():
        if name.startswith("__"):
            continue
        before = old.type_map.get(name)
        if before is None:
            yield "TYPE_ADDED", f"{name} was added."
        elif type(before) is type(kind):
            yield from _safe_members(name, members(before), members(kind), kind)


def _safe_members(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], kind: object
) -> Iterator[tuple[str, str]]:
    # New values of enums and new fields of inputs may matter, and are told above.
    is_output = isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
    for member, one in new.items():
        before = old.get(member)
        if before is None:
            if is_output:
                yield "FIELD_ADDED", f"{name}.{member} was added."
        elif (one.deprecation_reason is None) is not (before.deprecation_reason is None):
            told = "is no longer" if one.deprecation_reason is None else "is now"
            yield "DEPRECATION_CHANGED", f"{name}.{member} {told} deprecated."
