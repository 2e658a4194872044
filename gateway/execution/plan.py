"""Operations compiled to columns: each field of a level is read for all its parents at once.

A plan knows success only. Whatever is not plain (an error in a value, a null where none may be,
a type it does not know) raises `Anomaly`, and the stock engine answers instead, out of what the
operation's loaders already hold: errors, paths and null bubbling are always the stock engine's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_directive_values

from gateway.execution.arguments import Arguments, KeptValues
from gateway.execution.assembly import builder, completer
from gateway.execution.literals import Form
from gateway.execution.shapes import (
    Anomaly,
    Column,
    Leaf,
    Listed,
    Objects,
    Required,
    Selection,
    Shape,
)
from resolvers.context import Path
from schema.asks import ASKS
from schema.fields import DEFINITION, PLAN, VIEWS, FieldPlan

_LARGEST_INT = 2_147_483_647


class Compiler:
    """Compiles selections of one form, for one set of `@skip` and `@include` decisions."""

    def __init__(
        self,
        schema: GraphQLSchema,
        form: Form,
        variables: VariableValues,
        kept: KeptValues | None = None,
    ) -> None:
        self._kept = kept
        self._schema = schema
        self._fragments = form.fragments
        self.literals = form.literals
        self._variables = variables

    def selection(
        self, kind: GraphQLObjectType, sets: Sequence[SelectionSetNode | None], path: Path = ()
    ) -> Selection:
        """Raises Anomaly for what a plan cannot hold."""
        nodes: dict[str, list[FieldNode]] = {}
        for selections in sets:
            for node in self._fields(kind, selections):
                key = node.alias.value if node.alias else node.name.value
                nodes.setdefault(key, []).append(node)
        columns = tuple(self._column(kind, (*path, key), found) for key, found in nodes.items())
        return Selection(columns, builder, VIEWS.get(kind.name))

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

    def _column(self, kind: GraphQLObjectType, path: Path, nodes: list[FieldNode]) -> Column:
        key, name = path[-1], nodes[0].name.value
        if name == "__typename":
            return Column(key, Leaf(str), constant=kind.name, reads=())
        definition = kind.fields.get(name)
        own = definition.extensions.get(DEFINITION) if definition else None
        if definition is None or own is None or name.startswith("__"):
            raise Anomaly(name)
        shape = self._shape(definition.type, [node.selection_set for node in nodes], path)
        plan: FieldPlan | None = own.metadata.get(PLAN)
        if plan is None:
            if own.base_resolver is not None:
                raise Anomaly(name)
            return Column(key, shape, attribute=own.python_name, reads=(own.python_name,))
        if plan.batch is None:
            return Column(key, shape, read=plan.compute, reads=plan.reads)
        written = self.literals.written(nodes[0])
        arguments = Arguments(definition, written, plan, own.arguments, self._kept)
        if plan.pick is not None and arguments.settled:
            given = arguments.values(self._variables, self.literals)
            reads = _parts(plan, given)
            if plan.method is not None:
                return Column(key, shape, method=(plan.method, given), reads=reads)
            return Column(key, shape, read=_picking(plan.pick, given), reads=reads)
        complete = None if shape.is_async else completer(shape)
        return Column(
            key,
            shape,
            path,
            batch=plan,
            arguments=arguments,
            complete=complete,
            reads=plan.reads,
            asks=tuple(one.operation for one in ASKS.get(f"{kind.name}.{name}", ())),
        )

    def _shape(self, kind: Any, sets: Sequence[SelectionSetNode | None], path: Path) -> Shape:
        if isinstance(kind, GraphQLNonNull):
            inner = self._shape(kind.of_type, sets, path)
            return Required(inner, inner.is_async)
        if isinstance(kind, GraphQLList):
            inner = self._shape(kind.of_type, sets, path)
            return Listed(inner, inner.is_async)
        if isinstance(kind, GraphQLScalarType | GraphQLEnumType):
            return _leaf(kind)
        if isinstance(kind, GraphQLObjectType):
            selection = self.selection(kind, sets, path)
            return Objects({None: selection}, selection.is_async)
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            return self._any_of(kind, sets, path)
        raise Anomaly(str(kind))

    def _any_of(
        self,
        kind: GraphQLInterfaceType | GraphQLUnionType,
        sets: Sequence[SelectionSetNode | None],
        path: Path,
    ) -> Shape:
        found: dict[type | None, Selection] = {
            VIEWS[one.name]: self.selection(one, sets, path)
            for one in self._schema.get_possible_types(kind)
        }
        return Objects(found, any(one.is_async for one in found.values()))


def _parts(plan: FieldPlan, given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What a field reads with these arguments: `attributes.colour` rather than all of them."""
    named = given.get(plan.parts) if plan.parts else None
    if plan.reads is None or named is None:
        return plan.reads
    parts = [named] if isinstance(named, str) else named
    return tuple(f"{name}.{part}" for name in plan.reads for part in parts)


def _picking(pick: Callable[..., Any], given: Mapping[str, Any]) -> Callable[[Any], Any]:
    def read(parent: Any) -> Any:
        return pick(parent, **given)

    return read


_PLAIN: Mapping[str, tuple[type, str]] = {
    "String": (str, ""),
    "ID": (str, ""),
    "Boolean": (bool, ""),
    "Int": (int, f"not {-_LARGEST_INT - 1} <= {{0}} <= {_LARGEST_INT}"),
    "Decimal": (Decimal, ""),
    "DateTime": (datetime, "{0}.tzinfo is not UTC"),
    "Date": (date, ""),
    "URL": (str, ""),
    "CountryCode": (str, ""),
    "CurrencyCode": (str, ""),
    "Float": (float, "not -1.7e308 < {0} < 1.7e308"),
}


def _leaf(kind: GraphQLScalarType | GraphQLEnumType) -> Leaf:
    if isinstance(kind, GraphQLEnumType):
        return Leaf(kind.serialize, plain=_told_by_value(kind))
    plain, unless = _PLAIN.get(kind.name, (None, ""))
    return Leaf(kind.serialize, plain, unless)


def _told_by_value(kind: GraphQLEnumType) -> type[Enum] | None:
    """The Python enum whose members have as values the names that the API gives them."""
    enum: type[Enum] | None = getattr(kind, "wrapped_cls", None)
    alike = enum is not None and all(kind.serialize(one) == one.value for one in enum)
    return enum if alike else None
