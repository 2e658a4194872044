"""Trusted documents: those of a manifest that a client's build wrote, and what becomes of others.

Read are Apollo's persisted query manifest and plain maps of identifiers to texts, which Relay's
compiler and GraphQL Code Generator write.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import orjson
import structlog
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from gateway.operations.documents import Document, DocumentError, Documents
from gateway.operations.request import SHA256

Mode = Literal["off", "log", "only"]

APOLLO = "apollo-persisted-query-manifest"
MAX_TOLD = 3
MAX_NOTED = 1_000

_READS_SCHEMA = frozenset({"__schema", "__type", "__typename", "_service"})

log = structlog.get_logger(__name__)


class ManifestError(Exception):
    """A file that is no manifest; says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Texts by identifier. `problems` tells of what was left out, a text for each document."""

    texts: Mapping[str, str]
    problems: tuple[str, ...] = ()


def read_manifest(path: Path, documents: Documents) -> Manifest:
    """Every document validated as if a client had sent it. Raises ManifestError."""
    texts: dict[str, str] = {}
    problems: list[str] = []
    for place, name, text in _entries(_tree(path)):
        problem = _problem(name, text, texts, documents)
        if problem is not None:
            problems.append(f"{place}: {problem}")
        elif isinstance(name, str) and isinstance(text, str):
            texts[name] = text
    return Manifest(texts, tuple(problems))


def digest_of(text: str) -> str:
    """In hexadecimal digits, of the text as it is: another space is another document."""
    return sha256(text.encode()).hexdigest()


class TrustedDocuments:
    """What a manifest holds, found by its identifiers and by the SHA-256 of the texts."""

    def __init__(self, texts: Mapping[str, str], mode: Mode = "off") -> None:
        self.mode = mode
        self._texts = frozenset(texts.values())
        self._named = {**texts, **{digest_of(text): text for text in self._texts}}
        self._noted: set[str] = set()

    def text(self, document_id: str) -> str | None:
        found = self._named.get(document_id)
        return self._named.get(document_id.removeprefix(SHA256)) if found is None else found

    def admits(self, text: str) -> bool:
        return self.mode != "only" or text in self._texts

    def note(self, text: str, document: Document) -> None:
        """Logs a document that mode `only` would refuse: once, and not more than MAX_NOTED."""
        if self.mode != "log" or text in self._texts or len(self._noted) > MAX_NOTED:
            return
        digest = digest_of(text)
        if digest in self._noted:
            return
        self._noted.add(digest)
        if len(self._noted) > MAX_NOTED:
            log.warning("too many documents are not trusted; no more are logged", logged=MAX_NOTED)
            return
        names = [name for name in document.operations if name is not None]
        log.warning("document not trusted", sha256=digest, operations=names[:MAX_TOLD])


def only_reads_schema(document: Document) -> bool:
    """Whether none of the operations asks for anything but the schema itself."""
    fragments = {
        one.name.value: one.selection_set
        for one in document.node.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    roots = [operation.selection_set for operation in document.operations.values()]
    return all(name in _READS_SCHEMA for name in _root_fields(roots, fragments))


def _root_fields(
    waiting: list[SelectionSetNode], fragments: dict[str, SelectionSetNode]
) -> Iterator[str]:
    """Each fragment is looked into once, however often it is spread."""
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection.name.value
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                spread = fragments.pop(selection.name.value, None)
                waiting += [] if spread is None else [spread]


def _tree(path: Path) -> dict[str, object]:
    try:
        tree = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise ManifestError("there is no such file") from None
    except OSError as error:
        raise ManifestError(f"cannot be read: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise ManifestError(f"is not JSON: {error}") from None
    if not isinstance(tree, dict):
        raise ManifestError("must hold a JSON object: identifiers of documents with their texts")
    return tree


def _entries(tree: dict[str, object]) -> Iterator[tuple[str, object, object]]:
    """Where each document stands, its identifier and its text, both yet to be checked."""
    if "format" not in tree:
        for name, text in tree.items():
            yield f"document {name[:80]!r}", name, text
        return
    operations = tree.get("operations")
    if tree["format"] != APOLLO or tree.get("version") != 1 or not isinstance(operations, list):
        raise ManifestError(f"has a format that is not read here; known is {APOLLO}, version 1")
    for number, one in enumerate(operations, start=1):
        told = one if isinstance(one, dict) else {}
        place = f"operation {told.get('name', number)!r}"
        yield place, told.get("id"), told.get("body")


def _problem(
    name: object, text: object, texts: Mapping[str, str], documents: Documents
) -> str | None:
    if not isinstance(name, str) or not name:
        return "has no identifier"
    if not isinstance(text, str) or not text:
        return "has no text"
    if texts.get(name, text) != text:
        return "has the identifier of another document"
    try:
        documents.document(text)
    except DocumentError as error:
        told = [one.message.rstrip(".") for one in error.errors]
        more = len(told) - MAX_TOLD
        return "; ".join(told[:MAX_TOLD]) + (f"; and {more} more" if more > 0 else "")
    return None
