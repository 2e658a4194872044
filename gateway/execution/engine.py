"""The stock engine: graphql-core executes, under a deadline.

It calls graphql-core below Strawberry's `Schema.execute`, so Strawberry's schema extensions do
not run here; field extensions, permissions and `Info` do.
"""

import asyncio
from collections.abc import Awaitable, Mapping

import structlog
from graphql import ExecutionResult, GraphQLSchema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gateway.execution import errors
from gateway.execution.answer import Answer
from gateway.operations.documents import (
    BAD_USER_INPUT,
    Document,
    DocumentError,
    Documents,
    operation_of,
)
from gateway.operations.request import GraphQLRequest, Method

MAX_COERCION_ERRORS = 20

log = structlog.get_logger(__name__)


class StockEngine:
    """An Engine for any graphql-core schema, Strawberry's (`schema._schema`) included."""

    def __init__(self, schema: GraphQLSchema, documents: Documents | None = None) -> None:
        self._schema = schema
        self._documents = documents or Documents(schema)

    async def execute(self, request: GraphQLRequest, *, context: object, method: Method) -> Answer:
        request_id = str(getattr(context, "request_id", ""))
        try:
            document = self._documents.document(request.query)
            operation_of(document, request, method)
        except DocumentError as error:
            entries = errors.request_entries(error.errors, error.code, request_id)
            return Answer(None, entries, request_error=True)
        return await self._run(document, request, context, request_id)

    async def _run(
        self, document: Document, request: GraphQLRequest, context: object, request_id: str
    ) -> Answer:
        executor = StrawberryGraphQLCoreExecutionContext.build(
            self._schema,
            document.node,
            context_value=context,
            raw_variable_values=dict(request.variables or {}),
            operation_name=request.operation_name,
            max_coercion_errors=MAX_COERCION_ERRORS,
            is_awaitable=optimized_is_awaitable,
            operation_extensions=request.extensions,
        )
        if isinstance(executor, list):
            entries = errors.request_entries(executor, BAD_USER_INPUT, request_id)
            return Answer(None, entries, request_error=True)
        result = executor.execute_operation()
        if optimized_is_awaitable(result):
            deadline: float | None = getattr(context, "deadline", None)
            try:
                result = await _before(deadline, result)
            except _DeadlineExceededError:
                log.warning("deadline exceeded", request_id=request_id)
                return Answer(None, [_deadline_entry(request_id)])
        return _answer(result, request_id)


class _DeadlineExceededError(Exception):
    """Told apart from the timeouts that resolvers raise."""


async def _before(deadline: float | None, result: Awaitable[object]) -> object:
    """Past `deadline`, what still runs is cancelled."""
    if deadline is None:
        return await result
    timeout = asyncio.timeout_at(deadline)
    try:
        async with timeout:
            return await result
    except TimeoutError:
        if timeout.expired():
            raise _DeadlineExceededError from None
        raise


def _deadline_entry(request_id: str) -> errors.Entry:
    message = "The operation took longer than it may."
    return errors.plain_entry(message, errors.DEADLINE_EXCEEDED, request_id, retryable=True)


def _answer(result: object, request_id: str) -> Answer:
    if not isinstance(result, ExecutionResult):
        raise TypeError("Incremental delivery is not served by this engine.")
    entries = errors.execution_entries(result.errors, request_id) if result.errors else []
    data: Mapping[str, object] | None = result.data
    return Answer(data, entries, result.extensions)
