"""Operations compiled to columns: each field of a level is read for all its parents at once.

A plan knows success only. Whatever is not plain (an error in a value, a null where none may be,
a type it does not know) raises `Anomaly`, and the stock engine answers instead, out of what the
operation's loaders already hold: errors, paths and null bubbling are always the stock engine's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_directive_values

from gateway.execution.arguments import Arguments
from schema.fields import PLAN, VIEWS, FieldPlan

DEFINITION = "strawberry-definition"


class Anomaly(Exception):  # noqa: N818 - no error: the other engine's turn
    """This operation, or this answer of it, is the stock engine's."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """`write` gives the JSON value of one value that is not None."""

    write: Callable[[Any], Any]
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    inner: "Shape"
    is_async: bool


@dataclass(frozen=True, slots=True)
class Required:
    inner: "Shape"
    is_async: bool


@dataclass(frozen=True, slots=True)
class Objects:
    """Values of an object type; of an interface, by the class of the record."""

    selections: Mapping[type | None, "Selection"]
    is_async: bool


Shape = Leaf | Listed | Required | Objects


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a selection: exactly one of `read`, `batch` and `constant` tells its values."""

    key: str
    shape: Shape
    read: Callable[[Any], Any] | None = None
    batch: FieldPlan | None = None
    arguments: Arguments | None = None
    constant: str | None = None

    @property
    def is_async(self) -> bool:
        return self.batch is not None or self.shape.is_async


@dataclass(frozen=True, slots=True)
class Selection:
    """The fields asked of one object type, in the order of the answer."""

    columns: tuple[Column, ...]
    keys: tuple[str, ...] = field(init=False)
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(column.key for column in self.columns))
        object.__setattr__(self, "is_async", any(column.is_async for column in self.columns))


class Compiler:
    """Compiles selections of one document, for one set of `@skip` and `@include` decisions."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def selection(
        self, kind: GraphQLObjectType, sets: Sequence[SelectionSetNode | None]
    ) -> Selection:
        """Raises Anomaly for what a plan cannot hold."""
        nodes: dict[str, list[FieldNode]] = {}
        for selections in sets:
            for node in self._fields(kind, selections):
                key = node.alias.value if node.alias else node.name.value
                nodes.setdefault(key, []).append(node)
        return Selection(tuple(self._column(kind, key, found) for key, found in nodes.items()))

    def _fields(
        self, kind: GraphQLObjectType, selections: SelectionSetNode | None
    ) -> Iterator[FieldNode]:
        for node in selections.selections if selections else ():
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if self._applies(node.type_condition, kind):
                    yield from self._fields(kind, node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                if self._applies(fragment.type_condition, kind):
                    yield from self._fields(kind, fragment.selection_set)

    def _included(self, node: Any) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        if skip and skip["if"]:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (include and not include["if"])

    def _applies(self, condition: Any, kind: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == kind.name:
            return True
        named = self._schema.type_map.get(condition.name.value)
        if isinstance(named, GraphQLObjectType) or named is None:
            return False
        return self._schema.is_sub_type(named, kind)  # type: ignore[arg-type]

    def _column(self, kind: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Column:
        name = nodes[0].name.value
        if name == "__typename":
            return Column(key, Leaf(str), constant=kind.name)
        definition = kind.fields.get(name)
        own = definition.extensions.get(DEFINITION) if definition else None
        if definition is None or own is None or name.startswith("__"):
            raise Anomaly(name)
        shape = self._shape(definition.type, [node.selection_set for node in nodes])
        plan: FieldPlan | None = own.metadata.get(PLAN)
        if plan is None:
            if own.base_resolver is not None:
                raise Anomaly(name)
            return Column(key, shape, read=_attribute(own.python_name))
        if plan.batch is None:
            return Column(key, shape, read=plan.compute)
        return Column(key, shape, batch=plan, arguments=self._arguments(definition, nodes[0], own))

    def _arguments(self, definition: GraphQLField, node: FieldNode, own: Any) -> Arguments:
        return Arguments(definition, node, own.metadata[PLAN], own.arguments)

    def _shape(self, kind: Any, sets: Sequence[SelectionSetNode | None]) -> Shape:
        if isinstance(kind, GraphQLNonNull):
            inner = self._shape(kind.of_type, sets)
            return Required(inner, inner.is_async)
        if isinstance(kind, GraphQLList):
            inner = self._shape(kind.of_type, sets)
            return Listed(inner, inner.is_async)
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            return Leaf(_writer(kind))
        if isinstance(kind, GraphQLObjectType):
            selection = self.selection(kind, sets)
            return Objects({None: selection}, selection.is_async)
        if isinstance(kind, GraphQLInterfaceType):
            return self._any_of(kind, sets)
        raise Anomaly(str(kind))

    def _any_of(self, kind: GraphQLInterfaceType, sets: Sequence[SelectionSetNode | None]) -> Shape:
        found: dict[type | None, Selection] = {
            VIEWS[one.name]: self.selection(one, sets)
            for one in self._schema.get_possible_types(kind)
        }
        return Objects(found, any(one.is_async for one in found.values()))


def _attribute(name: str) -> Callable[[Any], Any]:
    def read(record: Any) -> Any:
        return getattr(record, name)

    return read


def _writer(kind: GraphQLScalarType | GraphQLEnumType) -> Callable[[Any], Any]:
    if isinstance(kind, GraphQLEnumType):
        return kind.serialize
    if kind.name in {"String", "ID"}:
        return lambda value: value if value.__class__ is str else kind.serialize(value)
    if kind.name == "Boolean":
        return lambda value: value if value.__class__ is bool else kind.serialize(value)
    return kind.serialize
