"""The compiled plans of a schema, kept while they are used."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from graphql import GraphQLSchema, OperationDefinitionNode, OperationType
from graphql.execution.values import VariableValues

from gateway.execution.answer import Encoded
from gateway.execution.arguments import KeptValues
from gateway.execution.letting_go import let_go
from gateway.execution.literals import Form, Literals, form_of, telling_fields
from gateway.execution.plan import Compiler
from gateway.execution.remembered import Recent, Remembered
from gateway.execution.run import Run
from gateway.execution.shapes import Anomaly, Selection
from gateway.execution.wanted import Wanted, asked_once, wanted_of
from gateway.operations.documents import Document
from resolvers.context import Context, TooLateError

_KEPT_DECISIONS = 16
_ENCODER = msgspec.json.Encoder()
_KEPT_VALUES = 4_096

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A plan, the fields of records that it reads, and what only one of its fields asks."""

    root: Selection
    wanted: Wanted
    alone: frozenset[str]


@dataclass(slots=True)
class _Shared:
    """The plans of one form, by the values of the variables that decide on its fields."""

    conditions: tuple[str, ...]
    plans: dict[tuple[Any, ...], _Plan | None] = field(default_factory=dict)


@dataclass(slots=True)
class _Known:
    """Of one operation of a document: its own literals, and what others like it share."""

    form: Form | None = None
    shared: _Shared | None = None


class Plans:
    """Runs operations by plan, where there is one. `served` and `left` count what became of them.

    `unsupported` are those of `left` that have no plan at all. `compiled` counts the plans that
    were made: one for all documents that differ in literals.
    """

    def __init__(self, schema: GraphQLSchema, kept: int = 1_000) -> None:
        self._schema = schema
        self._telling = telling_fields(schema)
        self._known = Remembered(_Known, kept)
        self._shared: Recent[str, _Shared] = Recent(kept)
        self._values: KeptValues = Recent(_KEPT_VALUES)
        self.served = 0
        self.left = 0
        self.unsupported = 0
        self.compiled = 0

    async def data(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        context: Context,
    ) -> Encoded | None:
        """The data of an operation that went well; None where the stock engine has to answer."""
        plan, literals = self._plan(document, operation, variables)
        if plan is None:
            self.left += 1
            self.unsupported += 1
            return None
        # The stock engine, should it have to take over, reads the same fields.
        context.wanted, context.alone = plan.wanted, plan.alone
        try:
            (data,) = await Run(context, variables, literals).rows(plan.root, [None])
            encoded = Encoded(_ENCODER.encode(data))
        except TooLateError:
            raise
        except Exception as problem:  # noqa: BLE001 - the stock engine tells it in its words
            log.debug("plan left", problem=type(problem).__name__)
            let_go(problem)
            context.ask_together()
            self.left += 1
            return None
        self.served += 1
        return encoded

    def _plan(
        self, document: Document, operation: OperationDefinitionNode, variables: VariableValues
    ) -> tuple[_Plan | None, Literals]:
        known = self._known.of(document, operation.name.value if operation.name else None)
        form, shared = known.form, known.shared
        if form is None or shared is None:
            form = known.form = form_of(document.node, operation, self._telling)
            shared = known.shared = self._alike(form)
        decided = tuple(map(variables.coerced.get, shared.conditions))
        if decided not in shared.plans:
            if len(shared.plans) >= _KEPT_DECISIONS:
                shared.plans.clear()
            shared.plans[decided] = self._compiled(form, operation, variables)
        return shared.plans[decided], form.literals

    def _alike(self, form: Form) -> _Shared:
        shared = self._shared.get(form.key)
        if shared is None:
            shared = _Shared(form.conditions)
            self._shared.put(form.key, shared)
        return shared

    def _compiled(
        self, form: Form, operation: OperationDefinitionNode, variables: VariableValues
    ) -> _Plan | None:
        root = self._schema.query_type
        if operation.operation is not OperationType.QUERY or root is None:
            return None
        self.compiled += 1
        try:
            compiler = Compiler(self._schema, form, variables, self._values)
            selection = compiler.selection(root, [operation.selection_set])
        except Anomaly:
            return None
        return _Plan(selection, wanted_of(selection), asked_once(selection))
