"""Whether a document reads the schema: `__schema`, `__type`, or the subgraph's `_service`.

A `__type` of which only the name is asked tells no more than validation does of an unknown type,
and conformance suites ask it; it does not count.
"""

from collections.abc import Callable
from typing import Any

from graphql import BREAK, DocumentNode, FieldNode, Visitor, visit

from gateway.operations.by_identity import ByIdentity

_READS_SCHEMA = frozenset({"__schema", "__type", "_service"})
_NAMES = frozenset({"name", "__typename"})


class _Introspection(Visitor):
    found = False

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        if node.name.value in _READS_SCHEMA and not _asks_its_name(node):
            self.found = True
            return BREAK
        return None


def _asks_its_name(node: FieldNode) -> bool:
    selections = node.selection_set.selections if node.selection_set else ()
    return node.name.value == "__type" and all(
        isinstance(one, FieldNode) and one.name.value in _NAMES for one in selections
    )


def _introspects(document: DocumentNode) -> bool:
    visitor = _Introspection()
    visit(document, visitor)
    return visitor.found


introspects: Callable[[DocumentNode], bool] = ByIdentity(_introspects)
"""Whether a document does; one asked often is walked once."""
