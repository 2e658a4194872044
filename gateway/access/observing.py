"""Tells the watch what each operation asked for, after it was answered."""

from collections.abc import Mapping
from typing import Any, cast

from gateway.access.watch import Observed, Watch
from gateway.execution.answer import Answer, Engine
from gateway.operations.request import GraphQLRequest, Method
from resolvers.context import Context

_NUMBERED = (("orders", "orders"), ("shipments", "tracked"), ("invoices", "invoices"))


class ObservedEngine:
    """An engine whose operations are watched. It changes no answer."""

    def __init__(self, engine: Engine, watch: Watch) -> None:
        self._engine = engine
        self._watch = watch

    async def execute(self, request: GraphQLRequest, *, context: object, method: Method) -> Answer:
        answer = await self._engine.execute(request, context=context, method=method)
        known = cast("Context", context)
        observed = observed_of(known, answer)
        if observed is not None:
            self._watch.observe(known.caller.subject, observed)
        return answer


def observed_of(context: Context, answer: Answer) -> Observed | None:
    """What the operation's loaders were asked; None where nothing of it is worth counting.

    A number counts as unknown when it was not found or belongs to somebody else.
    """
    may_see = context.caller.may_see
    unknown = [
        str(key)
        for role, operation in _NUMBERED
        for key, value in context.asked(role, operation).items()
        if value is None or not may_see(getattr(value, "customer", None))
    ]
    customers = [str(key) for key in context.asked("customers", "customers")]
    skus = [key.sku for key in context.asked("pricing", "prices")]
    refused = sum(1 for entry in answer.errors if _is_refusal(entry))
    if not (unknown or customers or skus or refused):
        return None
    return Observed(unknown, customers, skus, refused)


def _is_refusal(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("extensions", {}).get("code") == "FORBIDDEN")
