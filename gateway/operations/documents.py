"""Documents: parsed, validated and kept, and the operation that a request asks for.

What is kept is bounded by the text's size: a tree weighs about thirty times its text.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    Visitor,
    parse,
    visit,
)

from gateway.operations.alike import Alike, words_of
from gateway.operations.limits import LIMIT_EXCEEDED, OperationLimits, check
from gateway.operations.request import GraphQLRequest, Method, RequestError
from gateway.operations.rules import BAD_USER_INPUT, OverdueError, problems_of
from gateway.operations.tokens import has_more_tokens

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
NO_OPERATION = "OPERATION_RESOLUTION_FAILURE"
NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
OVERLOADED = "GATEWAY_OVERLOADED"


class DocumentError(Exception):
    """A document that cannot be executed: `errors` as found, and the `code` they share.

    `status` is for clients that do not expect 200 for it.
    """

    def __init__(self, code: str, errors: list[GraphQLError], status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors
        self.status = status


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document and its operations by name; an anonymous one has the name None."""

    node: DocumentNode
    operations: Mapping[str | None, OperationDefinitionNode]


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How large a document may be, how many errors are told, how many characters are kept.

    2,000 tokens are twice a large storefront page, or a basket of 200 lines written out.
    2 Mi characters keep about 64 MiB.
    """

    max_tokens: int = 2_000
    operation: OperationLimits = field(default_factory=OperationLimits)
    max_errors: int = 20
    max_kept_characters: int = 2 * 1024 * 1024


# Below it no document takes long enough to be worth a thread.
LONG_CHARACTERS = 2_000
# Long documents that may wait for the thread: more would wait longer than a second.
MAX_WAITING = 32
_FOREVER = float("inf")
# Nobody mistypes it, and to find names like it takes long.
_LONG_WORD = re.compile(r"\w{100}", re.ASCII)


class Documents:
    """Parses and validates against one schema, once for each text while it is kept."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits | None = None) -> None:
        self._schema = schema
        self._limits = limits or DocumentLimits()
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._kept_characters = 0
        self.alike = Alike(schema)
        # One thread: several would take the interpreter from the event loop by turns.
        self._aside = ThreadPoolExecutor(1, "documents")
        self._waiting: dict[str, asyncio.Future[Document]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    async def requested(self, request: GraphQLRequest, context: object, /) -> Document:
        """The document that a request holds; one that it only names is not to be found here."""
        if request.query is None:
            # Clients of automatic persisted queries know this text, and send whole queries then.
            raise DocumentError(NOT_SUPPORTED, [GraphQLError("PersistedQueryNotSupported")])
        return await self.examined(request.query, deadline_of(context))

    async def examined(self, text: str, until: float = _FOREVER) -> Document:
        """As `document`, and others are served meanwhile where it may take long.

        Raises DocumentError past `until`, and RequestError 503 where too many wait already.
        """
        if len(text) < LONG_CHARACTERS or text in self._kept:
            return self.document(text, until)
        made = self._waiting.get(text) or self._begun(text, until)
        try:
            async with asyncio.timeout_at(until):
                document = await asyncio.shield(made)
        except TimeoutError:
            raise _overdue() from None
        self._keep(text, document)
        return document

    def document(self, text: str, until: float = _FOREVER) -> Document:
        """Raises DocumentError. Only valid documents are kept."""
        document = self._kept.get(text)
        if document is None:
            document = self._made(text, until)
        self._keep(text, document)
        return document

    def _begun(self, text: str, until: float) -> asyncio.Future[Document]:
        """Examined once, however many ask for the same text meanwhile."""
        if len(self._waiting) >= MAX_WAITING:
            message = "Too many long documents are sent just now; try again shortly."
            raise RequestError(503, message, OVERLOADED, ((b"retry-after", b"1"),))
        loop = asyncio.get_running_loop()
        made = loop.run_in_executor(self._aside, self._made, text, until)
        self._waiting[text] = made
        made.add_done_callback(lambda done: self._ended(text, done))
        return made

    def _ended(self, text: str, made: asyncio.Future[Document]) -> None:
        del self._waiting[text]
        if not made.cancelled():
            made.exception()  # those who asked may have gone

    def _made(self, text: str, until: float) -> Document:
        if time.monotonic() > until:
            raise _overdue()
        try:
            node = self._parse(text)
            words = words_of(text)
            if words is None or not self.alike.is_right(words, node):
                self._limit(node)
                self._validate(node, until, suggest=_LONG_WORD.search(text) is None)
                if words is not None:
                    self.alike.keep(words)
        except RecursionError:  # the library has its own guards; this is for what they miss
            message = "The document is nested too deeply."
            raise DocumentError(LIMIT_EXCEEDED, [GraphQLError(message)]) from None
        except OverdueError:
            raise _overdue() from None
        return Document(node, _operations(node))

    def _parse(self, text: str) -> DocumentNode:
        most = self._limits.max_tokens
        if has_more_tokens(text, most):
            message = f"The document has more than {most:,} tokens."
            raise DocumentError(PARSE_FAILED, [GraphQLError(message)])
        try:
            node = parse(text, max_tokens=most)
        except GraphQLError as error:
            raise DocumentError(PARSE_FAILED, [error]) from error
        if "\\u" in text or "\0" in text:
            _refuse_nul(node)
        return node

    def _validate(self, node: DocumentNode, until: float, *, suggest: bool) -> None:
        most = self._limits.max_errors
        errors = problems_of(self._schema, node, most=most, until=until, suggest=suggest)
        if errors:
            raise DocumentError(VALIDATION_FAILED, errors)

    def _limit(self, node: DocumentNode) -> None:
        """Before validation, whose cost grows faster than the document."""
        errors = check(node, self._limits.operation)
        if errors:
            raise DocumentError(LIMIT_EXCEEDED, errors[: self._limits.max_errors])

    def _keep(self, text: str, document: Document) -> None:
        if text in self._kept:
            self._kept.move_to_end(text)
            return
        self._kept[text] = document
        self._kept_characters += len(text)
        while self._kept_characters > self._limits.max_kept_characters:
            oldest, _ = self._kept.popitem(last=False)
            self._kept_characters -= len(oldest)


def deadline_of(context: object) -> float:
    """Until when the operation of a context may take, by the event loop's clock."""
    found = getattr(context, "deadline", None)
    return _FOREVER if found is None else float(found)


def operation_of(
    document: Document, request: GraphQLRequest, method: Method
) -> OperationDefinitionNode:
    """The operation that the request names, or the only one.

    Raises DocumentError where it cannot be told or is a subscription, RequestError 405 for a
    mutation by GET.
    """
    operation = _named(document.operations, request.operation_name)
    if operation.operation is OperationType.SUBSCRIPTION:
        message = "Subscriptions are not served over plain HTTP requests."
        raise DocumentError("OPERATION_NOT_SUPPORTED", [GraphQLError(message, operation)])
    if method == "GET" and operation.operation is OperationType.MUTATION:
        message = "Mutations must be sent by POST."
        raise RequestError(405, message, "METHOD_NOT_ALLOWED", ((b"allow", b"POST"),))
    return operation


def _named(
    operations: Mapping[str | None, OperationDefinitionNode], name: str | None
) -> OperationDefinitionNode:
    if name is None:
        if len(operations) == 1:
            return next(iter(operations.values()))
        message = "The document has several operations; say which by `operationName`."
    elif name in operations:
        return operations[name]
    else:
        message = "The document has no operation of the name in `operationName`."
    raise DocumentError(NO_OPERATION, [GraphQLError(message)])


def _operations(node: DocumentNode) -> Mapping[str | None, OperationDefinitionNode]:
    return {
        definition.name.value if definition.name else None: definition
        for definition in node.definitions
        if isinstance(definition, OperationDefinitionNode)
    }


def _overdue() -> DocumentError:
    message = "The operation took longer than it may."
    return DocumentError(DEADLINE_EXCEEDED, [GraphQLError(message)], 504)


class _NulStrings(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[StringValueNode] = []

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        if "\0" in node.value:
            self.found.append(node)


def _refuse_nul(node: DocumentNode) -> None:
    visitor = _NulStrings()
    visit(node, visitor)
    if visitor.found:
        message = "A string may not hold the character U+0000."
        nodes: Collection[StringValueNode] = visitor.found[:1]
        raise DocumentError(BAD_USER_INPUT, [GraphQLError(message, nodes)])
