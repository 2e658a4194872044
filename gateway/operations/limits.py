"""How a document may look before anything expensive is done with it.

Measured on the parsed text, in time linear in it: what a fragment holds is counted once and
used wherever it is spread, so that fragments that spread fragments cost no more than their text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

# Counts stop here: fragments can double a count with every line of text.
_MANY = 1_000_000_000

LIMIT_EXCEEDED = "OPERATION_LIMIT_EXCEEDED"

_INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """Each as it would be with every fragment written out where it is spread.

    `operations` are those of a document, each of which is examined with all its fragments.
    """

    depth: int = 12
    introspection_depth: int = 15
    aliases: int = 30
    root_fields: int = 20
    directives: int = 50
    operations: int = 50


class _Measure(NamedTuple):
    """Of a selection set: how deep below it, how much in it."""

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    fields: int = 0
    directives: int = 0


def check(document: DocumentNode, limits: OperationLimits) -> list[GraphQLError]:
    """What of the document is beyond the limits, one error each; the document need not be valid."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) > limits.operations:
        return [_exceeded("document has {} operations", len(operations), limits.operations)]
    measured = _Measured(document)
    return [error for one in operations for error in measured.check(one, limits)]


def _exceeded(
    text: str, value: int, allowed: int, nodes: Sequence[OperationDefinitionNode] | None = None
) -> GraphQLError:
    return GraphQLError(
        f"The {text.format(_shown(value))}; at most {allowed} are allowed.",
        nodes,
        extensions={"code": LIMIT_EXCEEDED},
    )


class _Measured:
    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, _Measure] = {}
        self._open: set[str] = set()

    def check(
        self, operation: OperationDefinitionNode, limits: OperationLimits
    ) -> list[GraphQLError]:
        found = self._of(operation.selection_set)
        roots = self._roots(operation.selection_set)
        directives = found.directives + len(operation.directives or ())
        judged = (
            (found.depth, limits.depth, "is nested {} levels deep"),
            (found.introspection_depth, limits.introspection_depth, "introspects {} levels deep"),
            (found.aliases, limits.aliases, "has {} aliases"),
            (roots, limits.root_fields, "has {} root fields"),
            (directives, limits.directives, "has {} directives"),
        )
        return [
            _exceeded(f"operation {text}", value, allowed, [operation])
            for value, allowed, text in judged
            if value > allowed
        ]

    def _of(self, selections: SelectionSetNode | None) -> _Measure:
        total = _Measure()
        for selection in selections.selections if selections else ():
            total = _joined(total, self._selection(selection))
        return total

    def _selection(self, selection: object) -> _Measure:
        if isinstance(selection, FieldNode):
            return self._field(selection)
        if isinstance(selection, FragmentSpreadNode):
            found = self._fragment(selection.name.value)
            return _with_directives(found, selection.directives)
        if isinstance(selection, InlineFragmentNode):
            return _with_directives(self._of(selection.selection_set), selection.directives)
        return _Measure()

    def _field(self, field: FieldNode) -> _Measure:
        inner = self._of(field.selection_set)
        depth, introspection = 1 + inner.depth, inner.introspection_depth
        if field.name.value in _INTROSPECTION:
            # Introspection is deep by its nature and has a limit of its own.
            depth, introspection = 1, 1 + inner.depth
        return _Measure(
            depth,
            introspection,
            _few(inner.aliases + (field.alias is not None)),
            _few(inner.fields + 1),
            _few(inner.directives + len(field.directives or ())),
        )

    def _fragment(self, name: str) -> _Measure:
        """A fragment that spreads itself counts as empty; validation refuses it."""
        if name in self._known:
            return self._known[name]
        if name in self._open or name not in self._fragments:
            return _Measure()
        self._open.add(name)
        found = self._of(self._fragments[name].selection_set)
        self._open.discard(name)
        self._known[name] = found
        return found

    def _roots(self, selections: SelectionSetNode) -> int:
        """Fields at the root, those of spread fragments counted as often as they are spread."""
        counts: dict[str, int] = {}
        return self._root_count(selections, counts)

    def _root_count(self, selections: SelectionSetNode, counts: dict[str, int]) -> int:
        total = 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                total += 1
            elif isinstance(selection, InlineFragmentNode):
                total += self._root_count(selection.selection_set, counts)
            elif isinstance(selection, FragmentSpreadNode):
                total += self._root_fragment(selection.name.value, counts)
        return _few(total)

    def _root_fragment(self, name: str, counts: dict[str, int]) -> int:
        if name not in counts:
            counts[name] = 0
            if (fragment := self._fragments.get(name)) is not None:
                counts[name] = self._root_count(fragment.selection_set, counts)
        return counts[name]


def _joined(one: _Measure, other: _Measure) -> _Measure:
    return _Measure(
        max(one.depth, other.depth),
        max(one.introspection_depth, other.introspection_depth),
        _few(one.aliases + other.aliases),
        _few(one.fields + other.fields),
        _few(one.directives + other.directives),
    )


def _with_directives(measure: _Measure, directives: Sequence[object] | None) -> _Measure:
    return measure._replace(directives=_few(measure.directives + len(directives or ())))


def _few(count: int) -> int:
    return min(count, _MANY)


def _shown(count: int) -> str:
    return f"over {_MANY:,}" if count >= _MANY else f"{count:,}"
