"""Tells all who look at operations of each, after it was answered, and charges refusals.

The watch hears what was asked for, the others how it went.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from gateway.access.watch import Observed, Watch, watched_as
from gateway.execution.answer import Answer, Engine, Over
from gateway.operations.request import GraphQLRequest, Method, RequestError
from resolvers.context import Context

_NUMBERED = (("orders", "orders"), ("shipments", "tracked"), ("invoices", "invoices"))


# A document that is refused was work too: for each so many characters, and so much at most.
CHARACTERS_A_COST = 100
MOST_COST = 100

Charge = Callable[[Context, int], Awaitable[None]]


class ObservedEngine:
    """An engine whose operations are watched. It changes no answer.

    `charge` is for operations that were refused before they were charged; it may raise
    RequestError, which then is the answer. `listeners` hear of each in their order.
    """

    def __init__(
        self,
        engine: Engine,
        watch: Watch,
        charge: Charge | None = None,
        listeners: Sequence[Over] = (),
    ) -> None:
        self._engine = engine
        self._watch = watch
        self._charge = charge
        self._listeners = tuple(listeners)

    async def execute(self, request: GraphQLRequest, *, context: object, method: Method) -> Answer:
        began, known = time.monotonic(), cast("Context", context)
        try:
            answer = await self._engine.execute(request, context=context, method=method)
            known.observed = observed = observed_of(known, answer)
            if observed is not None:
                self._watch.observe(watched_as(known.call.caller, known.address), observed)
            if self._charge is not None and answer.request_error and not _is_charged(known):
                await self._charge(known, _cost_of(request))
        except RequestError as error:
            self._over(known, began, None, error)
            raise
        self._over(known, began, answer, None)
        return answer

    def _over(
        self, context: Context, began: float, answer: Answer | None, refusal: RequestError | None
    ) -> None:
        """The context as it is afterwards: only then it knows the operation's name."""
        seconds = time.monotonic() - began
        for told in self._listeners:
            told(context, seconds, answer, refusal)


def _is_charged(context: Context) -> bool:
    return any(name == b"ratelimit" for name, _ in context.headers)


def _cost_of(request: GraphQLRequest) -> int:
    return min(MOST_COST, 1 + len(request.query or "") // CHARACTERS_A_COST)


def observed_of(context: Context, answer: Answer) -> Observed | None:
    """What the operation's loaders were asked; None where nothing of it is worth counting.

    A number counts as unknown when it was not found or belongs to somebody else.
    """
    may_see = context.call.caller.may_see
    unknown = [
        str(key)
        for role, operation in _NUMBERED
        for key, value in context.asked(role, operation).items()
        if value is None or not may_see(getattr(value, "customer", None))
    ]
    customers = [str(key) for key in context.asked_for("customers", "customers")]
    skus = [key.sku for key in context.asked_for("pricing", "prices")]
    refused = sum(map(_is_refusal, answer.errors)) if answer.errors else 0
    if not (unknown or customers or skus or refused):
        return None
    return Observed(unknown, customers, skus, refused)


def _is_refusal(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get("extensions", {}).get("code") == "FORBIDDEN")
