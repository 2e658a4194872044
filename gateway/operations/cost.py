"""What an operation costs before it runs: every object it may make, lists by their size.

The sizes and weights are the schema's (`@listSize`, `@cost`). Linear in the document: a
fragment's cost is reckoned once for each size it is used with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    value_from_ast_untyped,
)

from schema.sizes import SIZES, UNKNOWN_SIZE, WEIGHTS, Size

_MOST = 1_000_000_000
_COMPOSITE = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A field as the reckoning sees it. `defaults` are those of its arguments."""

    weight: int
    is_list: bool
    inner: GraphQLNamedType | None
    size: Size | None
    defaults: Mapping[str, Any]


class Costs:
    """Reckons operations of one schema."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._fields: dict[tuple[str, str], _Weighed] = {}

    def of(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> int:
        """The cost of a valid operation, at least 1 and at most 10**9."""
        root = self._schema.get_root_type(operation.operation)
        reckoning = _Reckoning(self, fragments, variables)
        return max(1, reckoning.selections(operation.selection_set, root, None))

    def weighed(self, parent: GraphQLNamedType, name: str) -> _Weighed | None:
        """None for what costs nothing: introspection and `__typename`."""
        key = (parent.name, name)
        if key not in self._fields:
            field = getattr(parent, "fields", {}).get(name)
            if field is None or name.startswith("__"):
                return None
            self._fields[key] = _weigh(parent.name, name, field)
        return self._fields[key]

    def type(self, name: str) -> GraphQLNamedType | None:
        return self._schema.type_map.get(name)


class _Reckoning:
    def __init__(
        self,
        costs: Costs,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        self._costs = costs
        self._fragments = fragments
        self._variables = variables
        self._known: dict[tuple[str, object], int] = {}

    def selections(
        self,
        selections: SelectionSetNode | None,
        parent: GraphQLNamedType | None,
        sized: tuple[Size, int] | None,
    ) -> int:
        """`sized`: the size that fields of this connection have."""
        if selections is None or parent is None:
            return 0
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                total += self._field(selection, parent, sized)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._costs.type(condition.name.value) if condition else parent
                total += self.selections(selection.selection_set, inner, sized)
            elif isinstance(selection, FragmentSpreadNode):
                total += self._fragment(selection.name.value, sized)
        return min(total, _MOST)

    def _fragment(self, name: str, sized: tuple[Size, int] | None) -> int:
        key = (name, sized)
        if key not in self._known:
            fragment = self._fragments[name]
            parent = self._costs.type(fragment.type_condition.name.value)
            self._known[key] = self.selections(fragment.selection_set, parent, sized)
        return self._known[key]

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType, sized: tuple[Size, int] | None
    ) -> int:
        field = self._costs.weighed(parent, node.name.value)
        if field is None:
            return 0
        own = self._own_size(node, field)
        passed = (field.size, own) if field.size and field.size.fields else None
        inner = self.selections(node.selection_set, field.inner, passed)
        count = 1
        if field.is_list:
            in_page = sized is not None and node.name.value in sized[0].fields
            count = sized[1] if in_page and sized else own
        each = field.size.each * own if field.size else 0
        return min(count * (field.weight + inner) + each, _MOST)

    def _own_size(self, node: FieldNode, field: _Weighed) -> int:
        size = field.size
        if size is None:
            return UNKNOWN_SIZE
        if size.argument is None:
            return size.assumed or UNKNOWN_SIZE
        value = self._argument(node, size.argument)
        if value is None:
            value = field.defaults.get(size.argument)
        if isinstance(value, list | tuple):
            return len(value)
        return max(0, value) if isinstance(value, int) else UNKNOWN_SIZE

    def _argument(self, node: FieldNode, name: str) -> Any:
        for argument in node.arguments or ():
            if argument.name.value == name:
                if isinstance(argument.value, VariableNode):
                    return self._variables.get(argument.value.name.value)
                return value_from_ast_untyped(argument.value, dict(self._variables))
        return None


def _weigh(parent: str, name: str, field: Any) -> _Weighed:
    coordinate = f"{parent}.{name}"
    named = get_named_type(field.type)
    composite = isinstance(named, _COMPOSITE)
    kind = field.type.of_type if isinstance(field.type, GraphQLNonNull) else field.type
    return _Weighed(
        weight=WEIGHTS.get(coordinate, 1 if composite else 0),
        is_list=isinstance(kind, GraphQLList),
        inner=named if composite else None,
        size=SIZES.get(coordinate),
        defaults={key: _default(argument) for key, argument in field.args.items()},
    )


def _default(argument: Any) -> Any:
    value = argument.default_value
    return value if isinstance(value, int) else None
