"""Documents: parsed, validated and kept, and the operation that a request asks for.

What is kept is bounded by the text's size: a tree weighs about thirty times its text.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    StringValueNode,
    ValuesOfCorrectTypeRule,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from gateway.operations.request import GraphQLRequest, Method, RequestError

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
NO_OPERATION = "OPERATION_RESOLUTION_FAILURE"


class DocumentError(Exception):
    """A document that cannot be executed: `errors` as found, and the `code` they share."""

    def __init__(self, code: str, errors: list[GraphQLError]) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document and its operations by name; an anonymous one has the name None."""

    node: DocumentNode
    operations: Mapping[str | None, OperationDefinitionNode]


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How large a document may be, how many errors are told, how many characters are kept.

    5,000 tokens are five times a large storefront page, and take 0.1 s to validate at worst.
    Introspection is 13 deep; the stock executor overflows Python's stack at about 160. 2 Mi
    characters keep about 64 MiB.
    """

    max_tokens: int = 5_000
    max_depth: int = 40
    max_errors: int = 20
    max_kept_characters: int = 2 * 1024 * 1024


class _ValuesOfCorrectType(ValuesOfCorrectTypeRule):
    """A wrong literal has the code that the same value has in a variable."""

    def report_error(self, error: GraphQLError) -> None:
        error.extensions = {**(error.extensions or {}), "code": BAD_USER_INPUT}
        super().report_error(error)


RULES = (
    *(
        _ValuesOfCorrectType if rule is ValuesOfCorrectTypeRule else rule
        for rule in specified_rules
    ),
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

    def __len__(self) -> int:
        return len(self._kept)

    def document(self, text: str) -> Document:
        """Raises DocumentError. Only valid documents are kept."""
        document = self._kept.get(text)
        if document is not None:
            self._kept.move_to_end(text)
            return document
        try:
            node = self._parse(text)
            self._validate(node)
        except RecursionError:  # the library has its own guards; this is for what they miss
            raise self._too_deep(VALIDATION_FAILED) from None
        document = Document(node, _operations(node))
        self._keep(text, document)
        return document

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
        if _Depth(node).of_document() > self._limits.max_depth:
            raise self._too_deep(VALIDATION_FAILED)

    def _too_deep(self, code: str) -> DocumentError:
        message = f"The document is nested too deeply; {self._limits.max_depth} levels are allowed."
        return DocumentError(code, [GraphQLError(message)])

    def _keep(self, text: str, document: Document) -> None:
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
    return GraphQLError("The document is too complex; repeat fewer fields and nest less.")


class _Depth:
    """Counts nested fields of a valid document, whose fragments therefore form no cycle."""

    def __init__(self, node: DocumentNode) -> None:
        self._definitions = node.definitions
        self._fragments = {
            definition.name.value: definition
            for definition in node.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, int] = {}

    def of_document(self) -> int:
        return max(
            self._of(definition.selection_set)
            for definition in self._definitions
            if isinstance(definition, ExecutableDefinitionNode)
        )

    def _of(self, selections: SelectionSetNode | None) -> int:
        if selections is None:
            return 0
        deepest = 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                depth = 1 + self._of(selection.selection_set)
            elif isinstance(selection, InlineFragmentNode):
                depth = self._of(selection.selection_set)
            else:
                depth = self._of_fragment(cast("FragmentSpreadNode", selection).name.value)
            deepest = max(deepest, depth)
        return deepest

    def _of_fragment(self, name: str) -> int:
        if name not in self._known:
            self._known[name] = self._of(self._fragments[name].selection_set)
        return self._known[name]


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
