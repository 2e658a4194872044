"""Documents: parsed, validated and kept, and the operation that a request asks for.

What is kept is bounded by the text's size: a tree weighs about thirty times its text.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    OverlappingFieldsCanBeMergedRule,
    StringValueNode,
    ValidationContext,
    ValuesOfCorrectTypeRule,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.operations.limits import LIMIT_EXCEEDED, OperationLimits, check
from gateway.operations.request import GraphQLRequest, Method, RequestError

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
NO_OPERATION = "OPERATION_RESOLUTION_FAILURE"
NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"


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


class _ValuesOfCorrectType(ValuesOfCorrectTypeRule):
    """A wrong literal has the code that the same value has in a variable."""

    def report_error(self, error: GraphQLError) -> None:
        error.extensions = {**(error.extensions or {}), "code": BAD_USER_INPUT}
        super().report_error(error)


# The library's own 500,000 take a second. Twenty fragments that share twenty fields need 14,000.
MERGE_BUDGET = 30_000
# Below it no document takes long enough to be worth a thread.
LONG_CHARACTERS = 2_000


class _OverlappingFields(OverlappingFieldsCanBeMergedRule):
    """Gives up earlier on fields that are repeated, whose pairs are compared with each other."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = MERGE_BUDGET


_OURS: Mapping[type[ASTValidationRule], type[ASTValidationRule]] = {
    ValuesOfCorrectTypeRule: _ValuesOfCorrectType,
    OverlappingFieldsCanBeMergedRule: _OverlappingFields,
}
RULES = (
    *(_OURS.get(rule, rule) for rule in specified_rules),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
)


class Documents:
    """Parses and validates against one schema, once for each text while it is kept."""

    def __init__(self, schema: GraphQLSchema, limits: DocumentLimits | None = None) -> None:
        self._schema = schema
        self._limits = limits or DocumentLimits()
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._kept_characters = 0
        # One thread: several would take the interpreter from the event loop by turns.
        self._aside = ThreadPoolExecutor(1, "documents")

    def __len__(self) -> int:
        return len(self._kept)

    async def requested(self, request: GraphQLRequest, _context: object, /) -> Document:
        """The document that a request holds; one that it only names is not to be found here."""
        if request.query is None:
            # Clients of automatic persisted queries know this text, and send whole queries then.
            raise DocumentError(NOT_SUPPORTED, [GraphQLError("PersistedQueryNotSupported")])
        return await self.examined(request.query)

    async def examined(self, text: str) -> Document:
        """As `document`, and others are served meanwhile where it may take long."""
        if len(text) < LONG_CHARACTERS or text in self._kept:
            return self.document(text)
        loop = asyncio.get_running_loop()
        document = await loop.run_in_executor(self._aside, self._made, text)
        self._keep(text, document)
        return document

    def document(self, text: str) -> Document:
        """Raises DocumentError. Only valid documents are kept."""
        document = self._kept.get(text)
        if document is None:
            document = self._made(text)
        self._keep(text, document)
        return document

    def _made(self, text: str) -> Document:
        try:
            node = self._parse(text)
            self._limit(node)
            self._validate(node)
        except RecursionError:  # the library has its own guards; this is for what they miss
            message = "The document is nested too deeply."
            raise DocumentError(LIMIT_EXCEEDED, [GraphQLError(message)]) from None
        return Document(node, _operations(node))

    def _parse(self, text: str) -> DocumentNode:
        try:
            node = parse(text, max_tokens=self._limits.max_tokens)
        except GraphQLError as error:
            raise DocumentError(PARSE_FAILED, [error]) from error
        if "\\u" in text or "\0" in text:
            _refuse_nul(node)
        return node

    def _validate(self, node: DocumentNode) -> None:
        errors = validate(self._schema, node, RULES, max_errors=self._limits.max_errors)
        if errors:
            raise DocumentError(VALIDATION_FAILED, [_told(error) for error in errors])

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


def _told(error: GraphQLError) -> GraphQLError:
    """The library gives up on costly documents without a word why."""
    if error.message != "Validation aborted.":
        return error
    message = "The document is too complex; repeat fewer fields and nest less."
    return GraphQLError(message, extensions={"code": LIMIT_EXCEEDED})


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
