"""Operations without their literals: those that differ in nothing else have one form, and one plan.

Nothing is written anew: a plan names the fields that have arguments by their place, and each
document tells for that place what it says there. So literals are read as the library reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

from schema.fields import DEFINITION, PLAN, FieldPlan

_DECIDING = frozenset({"skip", "include"})
# Plans of other decisions come and go; what was read for them must not stay.
_KEPT_VALUES = 512


class Written(NamedTuple):
    """A field with arguments, as one document has it, and its place among those."""

    node: FieldNode
    place: int


class Literals:
    """What one document says at the places of its form; `kept` is what was read of it."""

    __slots__ = ("_places", "kept", "nodes")

    def __init__(self, nodes: Sequence[FieldNode]) -> None:
        self.nodes = tuple(nodes)
        self.kept: dict[object, dict[str, Any]] = {}
        self._places = {id(node): place for place, node in enumerate(self.nodes)}

    def keep(self, key: object, values: dict[str, Any]) -> None:
        if len(self.kept) >= _KEPT_VALUES:
            self.kept.clear()
        self.kept[key] = values

    def written(self, node: FieldNode) -> Written:
        """Of a node of this very document; one without arguments has no place."""
        return Written(node, self._places.get(id(node), -1))


@dataclass(frozen=True, slots=True)
class Form:
    """`key` is the same for operations that differ in literals alone.

    `conditions` are the variables that decide on fields.
    """

    key: str
    conditions: tuple[str, ...]
    fragments: Mapping[str, FragmentDefinitionNode]
    literals: Literals


def form_of(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    telling: frozenset[str] = frozenset(),
) -> Form:
    """Of a valid document. `telling` are the names of fields whose literals are part of the form."""
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    reading = _Reading(telling)
    reading.operation(operation, fragments)
    return Form(
        "".join(reading.text),
        tuple(reading.conditions),
        fragments,
        Literals(reading.nodes),
    )


def telling_fields(schema: GraphQLSchema) -> frozenset[str]:
    """Fields whose literals name the parts of a record that are read: what is asked follows."""
    return frozenset(
        name
        for kind in schema.type_map.values()
        if isinstance(kind, GraphQLObjectType)
        for name, field in kind.fields.items()
        if _is_picked(field.extensions.get(DEFINITION))
    )


def variables_of(nodes: Sequence[Node]) -> tuple[str, ...]:
    """The names of the variables in them, each once."""
    visitor = _Variables()
    for node in nodes:
        visit(node, visitor)
    return tuple(visitor.found)


def _is_picked(own: Any) -> bool:
    plan: FieldPlan | None = None if own is None else own.metadata.get(PLAN)
    return plan is not None and plan.pick is not None


class _Reading:
    """Writes the form down. Each fragment comes once, where it was first spread."""

    def __init__(self, telling: frozenset[str]) -> None:
        self.text: list[str] = []
        self.nodes: list[FieldNode] = []
        self.conditions: dict[str, None] = {}
        self._telling = telling
        self._spread: dict[str, None] = {}

    def operation(
        self,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self.text.append(operation.operation.value)
        self._selections(operation.selection_set)
        read: set[str] = set()
        while len(read) < len(self._spread):
            for name in tuple(self._spread):
                if name not in read:
                    read.add(name)
                    fragment = fragments[name]
                    self.text.append(f"...{name}:{fragment.type_condition.name.value}")
                    self._selections(fragment.selection_set)

    def _selections(self, selections: SelectionSetNode | None) -> None:
        if selections is None:
            return
        self.text.append("{")
        for node in selections.selections:
            if isinstance(node, FieldNode):
                self._field(node)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                self.text.append(f"...on {condition.name.value if condition else ''}")
                self._decisions(node)
                self._selections(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                self._spread[node.name.value] = None
                self.text.append(f"...{node.name.value}")
                self._decisions(node)
            self.text.append(" ")
        self.text.append("}")

    def _field(self, node: FieldNode) -> None:
        name = node.name.value
        self.text.append(f"{node.alias.value}:{name}" if node.alias else name)
        if node.arguments:
            self.nodes.append(node)
            self.text.append("(")
            for argument in node.arguments:
                self.text.append(f"{argument.name.value}:")
                self._value(argument, exact=name in self._telling)
            self.text.append(")")
        self._decisions(node)
        self._selections(node.selection_set)

    def _decisions(self, node: Any) -> None:
        """Other directives are none of a plan's business."""
        for directive in node.directives or ():
            if directive.name.value in _DECIDING:
                self.text.append(f"@{directive.name.value}(")
                for argument in directive.arguments or ():
                    self._value(argument, exact=True)
                    self.conditions |= dict.fromkeys(variables_of([argument.value]))
                self.text.append(")")

    def _value(self, argument: ArgumentNode, *, exact: bool) -> None:
        value = argument.value
        if isinstance(value, VariableNode):
            self.text.append(f"${value.name.value} ")
        elif exact:
            text = print_ast(value)
            self.text.append(f"{len(text)}={text}")
        else:
            self.text.append(f"[{' '.join(variables_of([value]))}]")


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found[node.name.value] = None
