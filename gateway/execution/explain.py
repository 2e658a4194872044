"""`extensions.explain`: what an operation was going to ask, and what it asked when it ran.

Asked for by `"extensions": {"explain": true}` in the request, told to callers with the scope
`systems:read`. Whoever may not be told is told so there; the answer itself is the same.
"""

from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any, cast

import msgspec
import structlog
from graphql import GraphQLSchema

from gateway.execution.answer import Answer, Engine
from gateway.execution.engine import Operation
from gateway.execution.errors import INTERNAL, INTERNAL_MESSAGE
from gateway.execution.explain_plan import Subject, plan_of
from gateway.execution.explain_report import Cost, Explanation
from gateway.execution.explain_run import Recorder
from gateway.execution.explain_sources import Sources, lately
from gateway.execution.provenance import NotedContext
from gateway.operations.request import GraphQLRequest, Method
from ports.errors import ForbiddenError
from resolvers.context import Fresh, Path
from resolvers.scopes import SCOPE_OF_ROLE

NAME = "explain"
SCOPE = SCOPE_OF_ROLE["systems"]

log = structlog.get_logger(__name__)


class ExplainingEngine:
    """An engine that explains, where that is asked for, what it did. Else it does nothing more."""

    def __init__(self, engine: Engine, schema: GraphQLSchema, sources: Sources) -> None:
        self._engine = engine
        self._schema = schema
        self._sources = sources

    def execute(
        self, request: GraphQLRequest, *, context: object, method: Method
    ) -> Coroutine[Any, Any, Answer]:
        if request.extensions is None or request.extensions.get(NAME) is not True:
            return self._engine.execute(request, context=context, method=method)
        return self._executed(request, context=context, method=method)

    async def _executed(
        self, request: GraphQLRequest, *, context: object, method: Method
    ) -> Answer:
        known = cast("NotedContext", context)
        try:
            known.require(SCOPE)
        except ForbiddenError as error:
            answer = await self._engine.execute(request, context=context, method=method)
            return _with(answer, _refusal(error.code, error.message))
        recorder = Recorder()
        known.ports = recorder.ports(known.ports)
        answer = await self._engine.execute(request, context=context, method=method)
        return _with(answer, self._explained(known, recorder))

    def _explained(self, context: NotedContext, recorder: Recorder) -> Mapping[str, Any] | None:
        """None of what was refused before it ran."""
        operation = context.made.operation
        if operation is None:
            return None
        try:
            subject = _subject(operation, context)
            # As it could have been told before.
            sources = replace(self._sources, pace_of=lately(recorder.began))
            plan = plan_of(self._schema, subject, sources)
            cost = Cost(context.made.cost, self._sources.cost_limit)
            told = Explanation(cost, plan, recorder.run(plan))
        except Exception:
            log.exception("operation not explained", request_id=context.call.request_id)
            return _refusal(INTERNAL, INTERNAL_MESSAGE)
        found: Mapping[str, Any] = msgspec.to_builtins(told)
        return found


def _subject(operation: Operation, context: NotedContext) -> Subject:
    call, scopes = context.call, context.caller.scopes
    fresh: dict[Path, Fresh] = dict(context.fresh)
    if call.max_age is not None:
        fresh[()] = Fresh(call.max_age, call.stale_if_error)
    return Subject(operation.document, operation.node, operation.variables, scopes, fresh)


def _with(answer: Answer, told: Mapping[str, Any] | None) -> Answer:
    if told is None or answer.request_error:
        return answer
    extensions = {**(answer.extensions or {}), NAME: told}
    return msgspec.structs.replace(answer, extensions=extensions)


def _refusal(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
