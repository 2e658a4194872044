"""The last look at an operation before it runs: its own terms, what it introspects, its cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from graphql import FragmentDefinitionNode, GraphQLError, GraphQLSchema

from gateway.execution.engine import Operation
from gateway.execution.lanes import LaneCosts, lane_of
from gateway.execution.terms import terms
from gateway.operations.cost import Costs
from gateway.operations.introspection import introspects
from gateway.operations.limits import LIMIT_EXCEEDED
from ports.caller import Caller
from ports.errors import ForbiddenError
from resolvers.context import Context
from resolvers.scopes import INTROSPECT


class Quota(Protocol):
    async def take(self, context: Context, cost: int, /) -> None:
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
        self._quota = quota

    async def __call__(self, context: Context, operation: Operation) -> Mapping[str, object] | None:
        """Raises ForbiddenError, BadInputError, or GraphQLError for an operation too costly."""
        context.call = terms(context.call, self._schema, operation.node, operation.variables)
        self._check_introspection(context.caller, operation)
        cost = self._cost(operation)
        if self._quota is not None:
            await self._quota.take(context, cost)
        if cost > self._rules.cost:
            raise GraphQLError(
                f"The operation costs {cost:,}; at most {self._rules.cost:,} is allowed. "
                "Ask for smaller pages or fewer lists in lists.",
                [operation.node],
                extensions={"code": LIMIT_EXCEEDED},
            )
        if self._rules.lanes is not None:
            lane = lane_of(context.caller, cost, self._rules.lanes)
            context.call = msgspec.structs.replace(context.call, lane=lane)
        if not _wants_cost(operation):
            return None
        return {"cost": {"requested": cost, "limit": self._rules.cost}}

    def _cost(self, operation: Operation) -> int:
        fragments = {
            one.name.value: one
            for one in operation.document.node.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        return self._costs.of(operation.node, fragments, operation.variables.coerced)

    def _check_introspection(self, caller: Caller, operation: Operation) -> None:
        if self._rules.introspection or INTROSPECT in caller.scopes:
            return
        if introspects(operation.document.node):
            raise ForbiddenError(f"Introspection needs the scope {INTROSPECT}.")


def _wants_cost(operation: Operation) -> bool:
    """A client asks for the cost by `"extensions": {"cost": true}` in its request."""
    return (operation.request.extensions or {}).get("cost") is True
