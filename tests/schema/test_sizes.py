"""The sizes that are printed for a router above, by the rules of Federation's composition."""

from graphql import (
    DirectiveNode,
    FieldDefinitionNode,
    ListValueNode,
    NullValueNode,
    ObjectTypeDefinitionNode,
    parse,
)

from schema.build import sdl
from schema.sizes import SIZES


def _fields() -> dict[str, FieldDefinitionNode]:
    return {
        f"{definition.name.value}.{field.name.value}": field
        for definition in parse(sdl()).definitions
        if isinstance(definition, ObjectTypeDefinitionNode)
        for field in definition.fields or ()
    }


def _size(field: FieldDefinitionNode) -> DirectiveNode | None:
    return next((one for one in field.directives or () if one.name.value == "listSize"), None)


def test_no_directive_writes_a_null() -> None:
    written = [one for field in _fields().values() for one in field.directives or ()]
    assert written
    assert not [
        one.name.value
        for one in written
        for argument in one.arguments or ()
        if isinstance(argument.value, NullValueNode)
    ]


def test_pages_are_sliced_by_whole_numbers_alone() -> None:
    fields, sliced = _fields(), set()
    for coordinate, field in fields.items():
        kinds = {one.name.value: one.type for one in field.arguments or ()}
        for argument in getattr(_size(field), "arguments", ()) or ():
            if argument.name.value == "slicingArguments":
                assert isinstance(argument.value, ListValueNode)
                names = [getattr(one, "value", None) for one in argument.value.values]
                assert all(kinds[str(name)].to_dict() == _INT for name in names)
                sliced.add(coordinate)
    assert sliced == {name for name, size in SIZES.items() if size.argument == "first"}


_INT = {"kind": "named_type", "name": {"kind": "name", "value": "Int"}}
