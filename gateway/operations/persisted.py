"""Which document a request means: the text it sends, one of the manifest, or one sent before.

Automatic persisted queries are those sent before: a client names a text by its SHA-256, and sends
it along only when told that it is not known.
"""

import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from graphql import GraphQLError

from gateway.operations.documents import (
    NOT_SUPPORTED,
    Document,
    DocumentError,
    Documents,
    deadline_of,
)
from gateway.operations.request import SHA256, GraphQLRequest, RequestError
from gateway.operations.trusted import TrustedDocuments, digest_of, only_reads_schema

NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
HASH_MISMATCH = "PERSISTED_QUERY_HASH_MISMATCH"
NOT_TRUSTED = "DOCUMENT_NOT_TRUSTED"

# What a dictionary needs for an entry and its key, whatever the text.
ENTRY_BYTES = 300


class TextStore(Protocol):
    """Keeps texts by their SHA-256 in hexadecimal digits, and may forget any of them.

    Raises nothing: one that cannot be reached knows nothing.
    """

    async def get(self, digest: str, /) -> str | None: ...
    async def put(self, digest: str, text: str, /) -> None: ...


class MemoryStore:
    """Holds at most so many bytes of one process; those not used longest are forgotten first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._texts: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._texts)

    async def get(self, digest: str, /) -> str | None:
        text = self._texts.get(digest)
        if text is not None:
            self._texts.move_to_end(digest)
        return text

    async def put(self, digest: str, text: str, /) -> None:
        if digest in self._texts:
            self._texts.move_to_end(digest)
            return
        if _weight(text) > self._max_bytes:
            return
        self._texts[digest] = text
        self._bytes += _weight(text)
        while self._bytes > self._max_bytes:
            _, forgotten = self._texts.popitem(last=False)
            self._bytes -= _weight(forgotten)


def _weight(text: str) -> int:
    return ENTRY_BYTES + sys.getsizeof(text)


class PersistedDocuments:
    """Finds documents for an engine. Without a `store` there are no automatic persisted queries.

    Where only trusted documents are served, `reads_schema` tells of a context whether its caller
    may introspect all the same.
    """

    def __init__(
        self,
        documents: Documents,
        trusted: TrustedDocuments | None = None,
        store: TextStore | None = None,
        reads_schema: Callable[[object], bool] = lambda _: False,
    ) -> None:
        self._documents = documents
        self._trusted = trusted
        self._store = store
        self._reads_schema = reads_schema

    async def requested(self, request: GraphQLRequest, context: object, /) -> Document:
        """Raises DocumentError, or RequestError 400 for a hash that is another text's."""
        sent = request.query
        named = request.document_id or ""
        text = await self._known(named) if sent is None else sent
        digest = None if sent is None else _proven(named, sent)
        if self._trusted is not None and not self._trusted.admits(text):
            return await self._untrusted(text, context)
        document = await self._documents.examined(text, deadline_of(context))
        if digest is not None and self._store is not None:
            await self._store.put(digest, text)
        if self._trusted is not None:
            self._trusted.note(text, document)
        return document

    async def _known(self, document_id: str) -> str:
        if self._trusted is None and self._store is None:
            raise DocumentError(NOT_SUPPORTED, [GraphQLError("PersistedQueryNotSupported")])
        text = None if self._trusted is None else self._trusted.text(document_id)
        if text is None and self._store is not None and document_id.startswith(SHA256):
            text = await self._store.get(document_id.removeprefix(SHA256))
        if text is None:
            # The text by which clients know that they have to send the document along.
            raise DocumentError(NOT_FOUND, [GraphQLError("PersistedQueryNotFound")], 404)
        return text

    async def _untrusted(self, text: str, context: object) -> Document:
        if self._reads_schema(context):
            document = await self._documents.examined(text, deadline_of(context))
            if only_reads_schema(document):
                return document
        message = "Only documents that were registered beforehand are served here."
        raise DocumentError(NOT_TRUSTED, [GraphQLError(message)], 403)


def _proven(document_id: str, text: str) -> str | None:
    """The hash of a text that was sent with it. None where there is none, or another name."""
    if not document_id.startswith(SHA256):
        return None
    digest = digest_of(text)
    if document_id.removeprefix(SHA256) != digest:
        # Else one client could have another's hash stand for its own text.
        raise RequestError(400, "provided sha does not match query", HASH_MISMATCH)
    return digest
