"""The engine: a compiled plan where there is one, else graphql-core executes, under a deadline.

It calls graphql-core below Strawberry's `Schema.execute`, so Strawberry's schema extensions do
not run here; field extensions, permissions and `Info` do.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard, cast

import msgspec
import structlog
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.execution import errors
from gateway.execution.answer import Answer
from gateway.execution.letting_go import let_go
from gateway.execution.plans import Plans
from gateway.execution.remembered import Remembered
from gateway.execution.variables import MAX_COERCION_ERRORS, Coercion
from gateway.operations.documents import (
    Document,
    DocumentError,
    Documents,
    operation_of,
)
from gateway.operations.request import GraphQLRequest, Method
from gateway.operations.rules import BAD_USER_INPUT
from ports.caller import CallerKind
from ports.errors import PortError
from resolvers.context import TooLateError
from upstream.deadlines import Deadlines

# Strawberry types it as a plain predicate.
is_awaitable = cast("Callable[[Any], TypeGuard[Awaitable[object]]]", optimized_is_awaitable)

log = structlog.get_logger(__name__)


class Operation(msgspec.Struct, frozen=True):
    """A valid operation with its variables coerced, right before it runs."""

    document: Document
    node: OperationDefinitionNode
    variables: VariableValues
    request: GraphQLRequest


Prepare = Callable[[Any, Operation], Awaitable[Mapping[str, object] | None]]
"""Told the context and the operation before anything is resolved; what it returns goes into the
answer's extensions. May raise PortError, GraphQLError or RequestError, which then is the answer."""


class DocumentSource(Protocol):
    async def requested(self, request: GraphQLRequest, context: object, /) -> Document:
        """The valid document that a request holds or names. Raises DocumentError, RequestError."""
        ...


class StockEngine:
    """An Engine for any graphql-core schema, Strawberry's (`schema._schema`) included."""

    def __init__(
        self,
        schema: GraphQLSchema,
        documents: DocumentSource | None = None,
        prepare: Prepare | None = None,
        plans: Plans | None = None,
    ) -> None:
        self._schema = schema
        self._plans = plans
        self._prepare = prepare
        self._coercions = Remembered(_Coercions)
        self._deadlines = Deadlines()
        self._documents: DocumentSource = Documents(schema) if documents is None else documents

    async def execute(self, request: GraphQLRequest, *, context: object, method: Method) -> Answer:
        try:
            document = await self._documents.requested(request, context)
            node = operation_of(document, request, method)
        except DocumentError as error:
            entries = _request_entries(error.errors, error.code, context)
            return Answer(None, entries, request_error=True, status=error.status)
        variables = self._variables(document, node, request)
        if isinstance(variables, list):
            entries = _request_entries(variables, BAD_USER_INPUT, context)
            return Answer(None, entries, request_error=True)
        operation = Operation(document, node, variables, request)
        try:
            told = await self._prepare(context, operation) if self._prepare else None
        except PortError as error:
            entries = [errors.port_entry(error, _request_id(context))]
            return Answer(None, entries, request_error=True)
        except GraphQLError as error:
            entries = _request_entries([error], BAD_USER_INPUT, context)
            return Answer(None, entries, request_error=True)
        answer = await self._in_time(operation, context)
        if not told:
            return answer
        return msgspec.structs.replace(answer, extensions={**(answer.extensions or {}), **told})

    async def _in_time(self, operation: Operation, context: Any) -> Answer:
        """Past the operation's deadline, what still runs is cancelled."""
        deadline = _deadline(context)
        due = None if deadline is None else self._deadlines.begin(deadline)
        try:
            answer = await self._answer(operation, context)
        except BaseException as raised:
            is_over = due is not None and self._deadlines.end(due)
            if isinstance(raised, TooLateError) or (
                is_over and isinstance(raised, asyncio.CancelledError)
            ):
                request_id = _request_id(context)
                log.warning("deadline exceeded", request_id=request_id)
                return Answer(None, [_deadline_entry(request_id)])
            raise
        if due is not None:
            self._deadlines.end(due)
        return answer

    async def _answer(self, operation: Operation, context: Any) -> Answer:
        """By plan where there is one and all goes well, else as graphql-core executes."""
        if self._plans is not None:
            data = await self._plans.data(
                operation.document, operation.node, operation.variables, context
            )
            if data is not None:
                return Answer(data, [])
        executor = self._executor(operation, context)
        if isinstance(executor, list):
            entries = _request_entries(executor, BAD_USER_INPUT, context)
            return Answer(None, entries, request_error=True)
        result: object = executor.execute_operation()
        executed = await result if is_awaitable(result) else result
        deadline = _deadline(context)
        # Resolvers that were busy past it have given up one by one.
        if deadline is not None and asyncio.get_running_loop().time() > deadline:
            raise TooLateError
        return _answer(executed, _request_id(context))

    def _variables(
        self, document: Document, node: OperationDefinitionNode, request: GraphQLRequest
    ) -> VariableValues | list[GraphQLError]:
        known = self._coercions.of(document, node.name.value if node.name else None)
        if known.coercion is None:
            known.coercion = Coercion(self._schema, node)
        return known.coercion.values(request.variables or {})

    def _executor(self, operation: Operation, context: object) -> Any:
        request = operation.request
        return StrawberryGraphQLCoreExecutionContext.build(
            self._schema,
            operation.document.node,
            context_value=context,
            raw_variable_values=dict(request.variables or {}),
            operation_name=request.operation_name,
            max_coercion_errors=MAX_COERCION_ERRORS,
            is_awaitable=is_awaitable,
            operation_extensions=request.extensions,
        )


@dataclass(slots=True)
class _Coercions:
    coercion: Coercion | None = None


def _request_entries(
    found: Iterable[GraphQLError], code: str, context: object
) -> list[errors.Entry]:
    """Strangers are told what is wrong, not what would be right: guesses would read the schema."""
    caller = getattr(getattr(context, "call", None), "caller", None)
    entries = errors.request_entries(found, code, _request_id(context))
    stranger = getattr(caller, "kind", None) is CallerKind.ANONYMOUS
    return errors.without_suggestions(entries) if stranger else entries


def _request_id(context: object) -> str:
    call = getattr(context, "call", context)
    return str(getattr(call, "request_id", ""))


def _deadline(context: object) -> float | None:
    found: float | None = getattr(context, "deadline", None)
    return found


def _deadline_entry(request_id: str) -> errors.Entry:
    message = "The operation took longer than it may."
    return errors.plain_entry(message, errors.DEADLINE_EXCEEDED, request_id, retryable=True)


def _answer(result: object, request_id: str) -> Answer:
    if not isinstance(result, ExecutionResult):
        raise TypeError("Incremental delivery is not served by this engine.")
    entries = errors.execution_entries(result.errors, request_id) if result.errors else []
    if result.errors:
        let_go(*result.errors)
    data: Mapping[str, object] | None = result.data
    return Answer(data, entries, result.extensions)
