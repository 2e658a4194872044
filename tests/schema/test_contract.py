"""The exported SDL holds all of the contract: it may add, it never renames or loosens."""

from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    parse,
    print_ast,
)

from schema.build import schema, sdl

CONTRACT = Path(__file__).parents[2] / ".." / "shared" / "contract" / "schema.graphql"
FEDERATION = """
directive @key(fields: String!) repeatable on OBJECT | INTERFACE
"""

pytestmark = pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not at hand")


@pytest.fixture(scope="module")
def contract() -> GraphQLSchema:
    return build_schema(CONTRACT.read_text() + FEDERATION)


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return schema()._schema


def _arguments(field: Any) -> dict[str, tuple[str, str]]:
    return {
        name: (str(one.type), print_ast(one.ast_node.default_value))
        if one.ast_node and one.ast_node.default_value
        else (str(one.type), "")
        for name, one in field.args.items()
    }


def test_every_type_field_argument_and_value_of_the_contract_is_there(
    contract: GraphQLSchema,
) -> None:
    ours = build_schema(sdl().replace("@link", "@link_"), assume_valid=True)
    missing: list[str] = []
    for name, wanted in contract.type_map.items():
        if name.startswith("__"):
            continue
        found = ours.type_map.get(name)
        if type(found) is not type(wanted):
            missing.append(name)
        elif isinstance(wanted, GraphQLObjectType | GraphQLInterfaceType):
            missing += _missing_fields(name, wanted, found)
        elif isinstance(wanted, GraphQLInputObjectType):
            missing += _missing_inputs(name, wanted, found)
        elif isinstance(wanted, GraphQLEnumType):
            missing += [f"{name}.{v}" for v in wanted.values if v not in found.values]
    assert missing == []


def _missing_fields(name: str, wanted: Any, found: Any) -> list[str]:
    missing = [
        f"{name} implements {one}"
        for one in {i.name for i in wanted.interfaces} - {i.name for i in found.interfaces}
    ]
    for field_name, field in wanted.fields.items():
        other = found.fields.get(field_name)
        if other is None or str(other.type) != str(field.type):
            missing.append(f"{name}.{field_name}: {field.type} is {other and other.type}")
        elif not _arguments(field).items() <= _arguments(other).items():
            missing.append(f"{name}.{field_name}{_arguments(field)} is {_arguments(other)}")
    return missing


def _missing_inputs(name: str, wanted: Any, found: Any) -> list[str]:
    def spelled(field: Any) -> str:
        return print_ast(field.ast_node).split('"""')[-1].strip()

    return [
        f"{name}.{spelled(field)} is {key in found.fields and spelled(found.fields[key])}"
        for key, field in wanted.fields.items()
        if key not in found.fields or spelled(found.fields[key]) != spelled(field)
    ]


def _applied(document: str) -> dict[str, set[str]]:
    """The directives applied to each type and field, as text without redundant defaults."""
    found: dict[str, set[str]] = {}
    for definition in parse(document).definitions:
        name = getattr(getattr(definition, "name", None), "value", "")
        for node, place in [
            (definition, name),
            *(
                (field, f"{name}.{field.name.value}")
                for field in getattr(definition, "fields", ()) or ()
            ),
        ]:
            if getattr(node, "directives", None):
                texts = {print_ast(one).replace(", scope: PUBLIC", "") for one in node.directives}
                found[place] = {text for text in texts if not text.startswith("@link")}
    return found


def test_every_directive_of_the_contract_is_applied() -> None:
    wanted, found = _applied(CONTRACT.read_text()), _applied(sdl())
    missing = {place: texts - found.get(place, set()) for place, texts in wanted.items()}
    assert {place: texts for place, texts in missing.items() if texts} == {}


def test_directive_definitions_are_the_contracts(contract: GraphQLSchema) -> None:
    def spelled(document: str) -> dict[str, str]:
        return {
            one.name.value: print_ast(one)[print_ast(one).index("directive @") :]
            for one in parse(document).definitions
            if one.kind == "directive_definition"
        }

    wanted, found = spelled(CONTRACT.read_text()), spelled(sdl())
    assert {name: found.get(name) for name in wanted} == wanted


def test_every_type_field_argument_and_value_is_described(ours: GraphQLSchema) -> None:
    bare: list[str] = []
    for name, one in ours.type_map.items():
        if name.startswith(("_", "link__")) or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        bare += [name] if not one.description else []
        for field_name, field in getattr(one, "fields", {}).items():
            if field_name.startswith("_"):
                continue
            bare += [f"{name}.{field_name}"] if not field.description else []
            for argument_name, argument in getattr(field, "args", {}).items():
                bare += [] if argument.description else [f"{name}.{field_name}({argument_name}:)"]
        for value_name, value in getattr(one, "values", {}).items():
            bare += [] if value.description else [f"{name}.{value_name}"]
    assert bare == []
