"""The compiled plans of a schema, kept while they are used."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from graphql import (
    DirectiveNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.values import VariableValues

from gateway.execution.answer import Encoded
from gateway.execution.arguments import KeptValues
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
class _Known:
    """The plans of one operation, by the values of the variables that decide on its fields."""

    conditions: tuple[str, ...] | None = None
    plans: dict[tuple[Any, ...], _Plan | None] = field(default_factory=dict)


class Plans:
    """Runs operations by plan, where there is one. `served` and `left` count what became of them."""

    def __init__(self, schema: GraphQLSchema, kept: int = 1_000) -> None:
        self._schema = schema
        self._known = Remembered(_Known, kept)
        self._values: KeptValues = Recent(_KEPT_VALUES)
        self.served = 0
        self.left = 0

    async def data(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        context: Context,
    ) -> Encoded | None:
        """The data of an operation that went well; None where the stock engine has to answer."""
        plan = self._plan(document, operation, variables)
        if plan is None:
            self.left += 1
            return None
        # The stock engine, should it have to take over, reads the same fields.
        context.wanted, context.alone = plan.wanted, plan.alone
        try:
            (data,) = await Run(context, variables).rows(plan.root, [None])
            encoded = Encoded(_ENCODER.encode(data))
        except TooLateError:
            raise
        except Exception as problem:  # noqa: BLE001 - the stock engine tells it in its words
            log.debug("plan left", problem=type(problem).__name__)
            context.ask_together()
            self.left += 1
            return None
        self.served += 1
        return encoded

    def _plan(
        self, document: Document, operation: OperationDefinitionNode, variables: VariableValues
    ) -> _Plan | None:
        known = self._known.of(document, operation.name.value if operation.name else None)
        if known.conditions is None:
            known.conditions = tuple(_conditions(document))
        decided = tuple(variables.coerced.get(one) for one in known.conditions)
        if decided not in known.plans:
            if len(known.plans) >= _KEPT_DECISIONS:
                known.plans.clear()
            known.plans[decided] = self._compiled(document, operation, variables)
        return known.plans[decided]

    def _compiled(
        self, document: Document, operation: OperationDefinitionNode, variables: VariableValues
    ) -> _Plan | None:
        root = self._schema.query_type
        if operation.operation is not OperationType.QUERY or root is None:
            return None
        fragments = {
            one.name.value: one
            for one in document.node.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        try:
            compiler = Compiler(self._schema, fragments, variables, self._values)
            selection = compiler.selection(root, [operation.selection_set])
        except Anomaly:
            return None
        return _Plan(selection, wanted_of(selection), asked_once(selection))


class _Conditions(Visitor):
    """Finds the variables that decide which fields there are."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, None] = {}

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in {"skip", "include"}:
            for argument in node.arguments or ():
                if isinstance(argument.value, VariableNode):
                    self.found[argument.value.name.value] = None


def _conditions(document: Document) -> Iterator[str]:
    visitor = _Conditions()
    visit(document.node, visitor)
    yield from visitor.found
