"""What `@fresh` asks of single fields, and so of all beneath them."""

from collections.abc import Iterator, Mapping, Sequence

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    Visitor,
    visit,
)
from graphql.execution.values import VariableValues, get_directive_values

from gateway.operations.documents import Document
from ports.errors import BadInputError
from resolvers.context import Fresh, Path

NAME = "fresh"


def has_fresh_fields(document: Document) -> bool:
    visitor = _FreshFields()
    visit(document.node, visitor)
    return visitor.found


class FreshFields:
    """Reads the directives of one operation, with its variables.

    Walks every path of the answer, so it comes after the operation's cost was accepted.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self._directive = schema.get_directive(NAME)
        self._fragments = fragments
        self._variables = variables
        self._found: dict[Path, Fresh] = {}

    def of(self, selections: SelectionSetNode) -> Mapping[Path, Fresh]:
        """By place in the answer.

        Raises BadInputError for negative seconds, GraphQLError for unreadable arguments.
        """
        self._read([selections], ())
        return self._found

    def _read(self, sets: Sequence[SelectionSetNode], path: Path) -> None:
        fields: dict[str, list[FieldNode]] = {}
        for one in sets:
            for node in self._fields(one):
                key = node.alias.value if node.alias else node.name.value
                fields.setdefault(key, []).append(node)
        for key, nodes in fields.items():
            place = (*path, key)
            asked = [fresh for node in nodes if (fresh := self._asked(node)) is not None]
            if asked:
                self._found[place] = _strictest(asked)
            self._read([node.selection_set for node in nodes if node.selection_set], place)

    def _fields(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._fields(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                yield from self._fields(self._fragments[node.name.value].selection_set)

    def _asked(self, node: FieldNode) -> Fresh | None:
        if self._directive is None or not node.directives:
            return None
        values = get_directive_values(self._directive, node, self._variables)
        if values is None:
            return None
        for name, value in values.items():
            if value is not None and value < 0:
                raise BadInputError(f"{name} of @fresh must not be negative.")
        return Fresh(values["maxAge"], values.get("staleIfError"))


def _strictest(asked: Sequence[Fresh]) -> Fresh:
    """Of the same field asked more than once."""
    told = [one.stale_if_error for one in asked if one.stale_if_error is not None]
    return Fresh(min(one.max_age for one in asked), min(told, default=None))


class _FreshFields(Visitor):
    found = False

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.found = self.found or any(one.name.value == NAME for one in node.directives or ())
