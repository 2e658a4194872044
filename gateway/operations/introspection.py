"""Whether a document reads the schema: `__schema`, `__type`, or the subgraph's `_service`."""

from functools import lru_cache
from typing import Any

from graphql import BREAK, DocumentNode, FieldNode, Visitor, visit

_READS_SCHEMA = frozenset({"__schema", "__type", "_service"})


class _Introspection(Visitor):
    found = False

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        if node.name.value in _READS_SCHEMA:
            self.found = True
            return BREAK
        return None


@lru_cache(maxsize=1024)
def introspects(document: DocumentNode) -> bool:
    """Kept by document, so that one asked often is walked once."""
    visitor = _Introspection()
    visit(document, visitor)
    return visitor.found
