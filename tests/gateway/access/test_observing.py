"""What is refused before it runs is charged too, and strangers are watched by where they come from."""

from typing import Any

import pytest
from starlette.datastructures import Headers

from gateway.access.observing import MOST_COST, ObservedEngine
from gateway.access.watch import Event, Observed, Watch, watched_as
from gateway.access.wiring import Access
from gateway.execution.answer import Answer
from gateway.operations.request import GraphQLRequest, Method, RequestError
from gateway.settings import read
from ports.caller import Call, Caller, CallerKind
from resolvers.context import Context, Ports

STRANGER = Caller("anonymous", CallerKind.ANONYMOUS)
REFUSED = Answer(None, [{"message": "no"}], request_error=True)
TAKEN = (b"ratelimit", b"")


class Engine:
    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def execute(self, request: GraphQLRequest, *, context: object, method: Method) -> Answer:
        return self.answer


def context_of(address: str = "192.0.2.1") -> Context:
    return Context(Call(STRANGER, "en", 0.0), Ports(), str, list, address=address)


async def charged(answer: Answer, query: str | None, *headers: tuple[bytes, bytes]) -> list[int]:
    costs: list[int] = []

    async def charge(_: Context, cost: int) -> None:
        costs.append(cost)

    context = context_of()
    context.headers.extend(headers)
    engine = ObservedEngine(Engine(answer), Watch({}), charge)
    request = GraphQLRequest(query)
    assert await engine.execute(request, context=context, method="POST") is answer
    return costs


async def test_a_refusal_is_charged_by_its_length() -> None:
    assert await charged(REFUSED, "{ nope }") == [1]
    assert await charged(REFUSED, None) == [1]
    assert await charged(REFUSED, "x" * 1_000) == [11]
    assert await charged(REFUSED, "x" * 1_000_000) == [MOST_COST]


async def test_what_was_charged_or_ran_is_not_charged_again() -> None:
    assert await charged(REFUSED, "{ nope }", TAKEN) == []
    assert await charged(Answer({"a": None}, []), "{ a }") == []


def access(**rates: Any) -> Access:
    return Access(read({"access": {"anonymous": True}, "rates": {"anonymous": rates}}))


async def test_who_sends_nothing_but_mistakes_is_not_listened_to_for_a_while() -> None:
    """Before a document is looked at; others go on."""
    doors = access(burst=10, cost_per_second=0.01, requests_per_second=100)
    context, scope = context_of(), {"client": ("192.0.2.1", 1)}
    await doors.take_refused(context, 9)
    await doors.admit(Headers(), scope)

    with pytest.raises(RequestError):
        await doors.take_refused(context, 9)

    with pytest.raises(RequestError) as refused:
        await doors.admit(Headers(), scope)
    assert refused.value.status == 429
    assert b"retry-after" in dict(refused.value.headers)
    other = await doors.admit(Headers(), {"client": ("192.0.2.2", 1)})
    assert other.caller.kind is CallerKind.ANONYMOUS


def test_one_stranger_is_not_throttled_for_another() -> None:
    rule = read({"watch": {"price_scraping": {"threshold": 2, "throttle_seconds": 60}}}).watch
    watch = Watch({Event.PRICE_SCRAPING: rule.price_scraping})
    first, second = (watched_as(STRANGER, f"192.0.2.{n}") for n in (1, 2))

    watch.observe(first, Observed(skus=("a", "b")))

    assert watch.throttled(first)
    assert not watch.throttled(second)
    assert watched_as(STRANGER, "2001:db8::1") == watched_as(STRANGER, "2001:db8::2")
    assert watched_as(Caller("jo", CallerKind.USER), "192.0.2.1") == "jo"
