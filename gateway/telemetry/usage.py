"""Who uses what of the schema: counted by document while it runs, told by field when asked.

The hot path adds one to a number; what a document's fields are is worked out once, in the thread
of the journal. Texts of documents are kept without the strings that clients wrote into them.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLNamedType,
    GraphQLSchema,
    ObjectFieldNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    print_ast,
    visit,
)
from graphql.utilities import separate_operations

from gateway.operations.documents import Document
from gateway.telemetry.journal.store import Store

MOST = 5_000
UNNAMED = "unnamed"
_KNOWN = 2_000


@dataclass(slots=True)
class _Count:
    document: Document
    number: int = 0


class Usage:
    """`flush` is the work of a Journal.

    Beyond `most` kinds of uses a minute, others are only counted in `missed`.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        most: int = MOST,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.missed = 0
        self._schema = schema
        self._most = most
        self._clock = clock
        self._counts: dict[tuple[str, str | None, int], _Count] = {}
        self._described: dict[tuple[int, str | None], tuple[Document, str, str, str]] = {}
        self._stored: set[str] = set()

    def note(self, client: str, operation: str | None, document: Document) -> None:
        key = (client, operation, id(document))
        found = self._counts.get(key)
        if found is None:
            if len(self._counts) >= self._most:
                self.missed += 1
                return
            found = self._counts[key] = _Count(document)
        found.number += 1

    def flush(self, store: Store) -> None:
        counts, self._counts = self._counts, {}
        told: dict[tuple[str, str, str], int] = {}
        documents: dict[str, tuple[str, str]] = {}
        for (client, operation, _), count in counts.items():
            mark, text, fields = self._described_as(count.document, operation)
            key = (client, operation or UNNAMED, mark)
            told[key] = told.get(key, 0) + count.number
            if mark not in self._stored:
                documents[mark] = (text, fields)
        if documents:
            store.add_documents(documents)
            self._stored |= documents.keys()
        if told:
            store.add_usage(int(self._clock() // 3600), told)

    def _described_as(self, document: Document, operation: str | None) -> tuple[str, str, str]:
        """Hash, text and fields; what was described before is not looked at again."""
        key = (id(document), operation)
        if key not in self._described:
            if len(self._described) >= _KNOWN:
                self._described.clear()
                self._stored.clear()
            own = separate_operations(document.node).get(operation or "", document.node)
            text = print_ast(visit(own, _Strings()))
            fields = msgspec.json.encode(sorted(coordinates(self._schema, own))).decode()
            mark = hashlib.sha256(text.encode()).hexdigest()
            # The document is held, so that its id stays its own.
            self._described[key] = (document, mark, text, fields)
        return self._described[key][1:]


class _Strings(Visitor):
    """Customers' numbers and the like are not the document's to keep."""

    def enter_string_value(self, node: StringValueNode, *_: object) -> StringValueNode | None:
        return StringValueNode(value="", block=False) if node.value else None


def coordinates(schema: GraphQLSchema, document: DocumentNode) -> set[str]:
    """`Type.field`, `Type.field(argument:)`, `Input.field` and `Enum.VALUE` of a valid document."""
    info = TypeInfo(schema)
    found = _Coordinates(info)
    visit(document, TypeInfoVisitor(info, found))
    return found.found


class _Coordinates(Visitor):
    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self._info = info
        self.found: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self._named(self._info.get_parent_type(), node.name.value)

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        parent, definition = self._info.get_parent_type(), self._info.get_field_def()
        if parent is None or definition is None or self._info.get_directive() is not None:
            return
        for name, one in getattr(parent, "fields", {}).items():
            if one is definition:
                self.found.add(f"{parent.name}.{name}({node.name.value}:)")

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> None:
        kind = self._info.get_parent_input_type()
        self._named(None if kind is None else get_named_type(kind), node.name.value)

    def enter_enum_value(self, node: EnumValueNode, *_: object) -> None:
        kind = self._info.get_input_type()
        self._named(None if kind is None else get_named_type(kind), node.value)

    def _named(self, kind: GraphQLNamedType | None, name: str) -> None:
        if kind is not None and not name.startswith("__"):
            self.found.add(f"{kind.name}.{name}")
