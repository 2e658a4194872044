"""The variables of an operation, coerced: those of plain types at once, others by the library."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLError, GraphQLNonNull, GraphQLSchema, OperationDefinitionNode
from graphql.execution.get_variable_signature import (
    GraphQLVariableSignature,
    get_variable_signature,
)
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_variable_values,
)

MAX_COERCION_ERRORS = 20
_LARGEST_INT = 2_147_483_647
_FLAT = frozenset({str, int, bool, type(None)})


def _is_text(value: object) -> bool:
    return value.__class__ is str


def _is_int(value: Any) -> bool:
    return value.__class__ is int and -_LARGEST_INT <= value <= _LARGEST_INT


def _is_flag(value: object) -> bool:
    return value.__class__ is bool


def _are_flat(value: Any) -> bool:
    """Representations as Federation's routers send them: a thousand of them, of texts."""
    return value.__class__ is list and all(
        one.__class__ is dict and _FLAT.issuperset(map(type, one.values())) for one in value
    )


_PLAIN: Mapping[str, Callable[[Any], bool]] = {
    "String": _is_text,
    "ID": _is_text,
    "Int": _is_int,
    "Boolean": _is_flag,
    "[_Any!]": _are_flat,
}

_Signature = tuple[str, Callable[[Any], bool], GraphQLVariableSignature]


class Coercion:
    """Of one operation. What each variable is, is worked out once."""

    __slots__ = ("_node", "_schema", "_signatures")

    def __init__(self, schema: GraphQLSchema, node: OperationDefinitionNode) -> None:
        self._schema = schema
        self._node = node
        self._signatures = _signatures(schema, node)

    def values(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """What the client gave, as the schema means it, or everything that is wrong with it."""
        return self._at_once(given) or get_variable_values(
            self._schema,
            self._node.variable_definitions or (),
            dict(given),
            max_errors=MAX_COERCION_ERRORS,
        )

    def _at_once(self, given: Mapping[str, Any]) -> VariableValues | None:
        """None where a value is not plainly what it should be: then it is looked at closer."""
        if self._signatures is None:
            return None
        sources, coerced = {}, {}
        for name, is_plain, signature in self._signatures:
            value = given.get(name)
            if not is_plain(value):
                return None
            sources[name] = VariableValueSource(signature, value)
            coerced[name] = value
        return VariableValues(sources, coerced)


def _signatures(schema: GraphQLSchema, node: OperationDefinitionNode) -> list[_Signature] | None:
    """None where a variable is of another list, an object, an enum or a scalar of ours."""
    found: list[_Signature] = []
    for definition in node.variable_definitions or ():
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError):
            return None
        kind = signature.type
        kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        is_plain = _PLAIN.get(str(kind))
        if is_plain is None:
            return None
        found.append((signature.name, is_plain, signature))
    return found
