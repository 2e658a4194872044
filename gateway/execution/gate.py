"""The last look at an operation before it runs: its own terms, what it introspects, its cost."""

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from graphql import (
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    TypeNode,
)

from gateway.execution.engine import Operation
from gateway.execution.fresh import FreshFields, has_fresh_fields
from gateway.execution.lanes import LaneCosts, lane_of
from gateway.execution.remembered import Remembered
from gateway.execution.terms import terms
from gateway.operations.cost import Costs
from gateway.operations.introspection import introspects
from gateway.operations.limits import LIMIT_EXCEEDED
from ports.caller import Caller
from ports.errors import ForbiddenError
from resolvers.context import Context
from resolvers.scopes import INTROSPECT

_KEPT_COSTS = 64


class Quota(Protocol):
    def take(self, context: Context, cost: int, /) -> Coroutine[Any, Any, None]:
        """Raises RequestError 429 when the caller has used up what its rate class allows."""
        ...


@dataclass(frozen=True, slots=True)
class GateRules:
    """`introspection` True: for everybody; False: for callers with the scope `schema:read`."""

    cost: int = 5_000
    introspection: bool = True
    lanes: LaneCosts | None = None


class Gate:
    """Given to an engine as its `prepare`."""

    def __init__(self, schema: GraphQLSchema, rules: GateRules, quota: Quota | None = None) -> None:
        self._schema = schema
        self._rules = rules
        self._costs = Costs(schema)
        self._facts = Remembered(_Facts)
        self._quota = quota

    async def __call__(self, context: Context, operation: Operation) -> Mapping[str, object] | None:
        """Raises ForbiddenError, BadInputError, or GraphQLError for an operation too costly."""
        name = operation.node.name.value if operation.node.name else None
        facts = self._facts.of(operation.document, name)
        call = context.call
        if operation.node.directives:
            call = terms(call, self._schema, operation.node, operation.variables)
        self._check_introspection(call.caller, operation, facts)
        cost = self._cost(operation, facts)
        rules = self._rules.lanes
        lane = call.lane if rules is None else lane_of(call.caller, cost, rules)
        context.call = msgspec.structs.replace(call, operation=name, lane=lane)
        if self._quota is not None:
            await self._quota.take(context, cost)
        if cost > self._rules.cost:
            raise GraphQLError(
                f"The operation costs {cost:,}; at most {self._rules.cost:,} is allowed. "
                "Ask for smaller pages or fewer lists in lists.",
                [operation.node],
                extensions={"code": LIMIT_EXCEEDED},
            )
        if facts.has_fresh_fields is None:
            facts.has_fresh_fields = has_fresh_fields(operation.document)
        if facts.has_fresh_fields:
            fields = FreshFields(self._schema, _fragments(operation), operation.variables)
            context.fresh = fields.of(operation.node.selection_set)
        if not _wants_cost(operation):
            return None
        return {"cost": {"requested": cost, "limit": self._rules.cost}}

    def _cost(self, operation: Operation, facts: "_Facts") -> int:
        """Reckoned once for the same sizes of its lists."""
        coerced = operation.variables.coerced
        sizes = tuple(_size(coerced.get(one)) for one in _sizing(operation, facts))
        cost = facts.costs.get(sizes)
        if cost is None:
            cost = self._costs.of(operation.node, _fragments(operation), coerced)
            if len(facts.costs) >= _KEPT_COSTS:
                facts.costs.clear()
            facts.costs[sizes] = cost
        return cost

    def _check_introspection(self, caller: Caller, operation: Operation, facts: "_Facts") -> None:
        if self._rules.introspection or INTROSPECT in caller.scopes:
            return
        if facts.introspects is None:
            facts.introspects = introspects(operation.document.node)
        if facts.introspects:
            raise ForbiddenError(f"Introspection needs the scope {INTROSPECT}.")


@dataclass(slots=True)
class _Facts:
    """Of one operation, worked out when first needed. `sizing`: variables that cost depends on."""

    introspects: bool | None = None
    has_fresh_fields: bool | None = None
    sizing: tuple[str, ...] | None = None
    costs: dict[tuple[object, ...], int] = field(default_factory=dict)


def _fragments(operation: Operation) -> dict[str, FragmentDefinitionNode]:
    return {
        one.name.value: one
        for one in operation.document.node.definitions
        if isinstance(one, FragmentDefinitionNode)
    }


def _sizing(operation: Operation, facts: _Facts) -> tuple[str, ...]:
    """Those that whole numbers or lists may come from; their values decide sizes of lists."""
    if facts.sizing is None:
        defined = operation.node.variable_definitions or ()
        facts.sizing = tuple(one.variable.name.value for one in defined if _may_size(one.type))
    return facts.sizing


def _may_size(kind: TypeNode) -> bool:
    if isinstance(kind, NonNullTypeNode):
        return _may_size(kind.type)
    return isinstance(kind, ListTypeNode) or (
        isinstance(kind, NamedTypeNode) and kind.name.value == "Int"
    )


def _size(value: object) -> object:
    """What of a value the reckoning sees."""
    if isinstance(value, list | tuple):
        return "list", len(value)
    return value if isinstance(value, int) else None


def _wants_cost(operation: Operation) -> bool:
    """A client asks for the cost by `"extensions": {"cost": true}` in its request."""
    return (operation.request.extensions or {}).get("cost") is True
