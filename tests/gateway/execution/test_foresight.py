"""What needs nothing of a record but its key is asked while the record itself is being asked for."""

import asyncio
import time
from typing import Any

import pytest

from gateway.execution.engine import StockEngine
from gateway.execution.plans import Plans
from gateway.operations.request import GraphQLRequest
from ports.caller import Call, Caller, CallerKind
from resolvers.context import Context
from resolvers.ids import encode
from resolvers.scopes import ALL_SCOPES
from tests.resolvers.shop import CORE, OURS, SYSTEM, Shop

PAGE = '{ product(sku: "BOLT") { name price { quantity } availability { status } } }'


class Gate:
    """A port whose calls are noted, and wait until `let`."""

    def __init__(self, port: Any, begun: list[str], let: asyncio.Event) -> None:
        self._port, self._begun, self._let = port, begun, let

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def waiting(*arguments: Any, call: Call) -> Any:
            self._begun.append(name)
            await self._let.wait()
            return await method(*arguments, call=call)

        return waiting


class Asked:
    """A context whose ports wait, and what was begun of them."""

    def __init__(self, caller: Caller = OURS) -> None:
        self.begun: list[str] = []
        self.let = asyncio.Event()
        ports = Shop().ports()
        gated = {
            role: Gate(getattr(ports, role), self.begun, self.let)
            for role in ("catalog", "pricing", "stock", "customers", "orders", "accounts")
        }
        call = Call(caller, "en", time.monotonic() + 5)
        self.context = Context(
            call,
            type(ports)(**gated),
            lambda code: code,
            lambda: [SYSTEM],  # type: ignore[arg-type]
        )

    async def answer(self, query: str) -> Any:
        """After all that can be begun without any answer has begun."""
        engine = StockEngine(CORE, plans=Plans(CORE))
        request = GraphQLRequest(query)
        asking = asyncio.create_task(engine.execute(request, context=self.context, method="POST"))
        for _ in range(20):
            await asyncio.sleep(0)
        self.first = sorted(self.begun)
        self.let.set()
        try:
            return await asking
        finally:
            await self.context.aclose()


@pytest.mark.parametrize("by", ['sku: "BOLT"', f'id: "{encode("Product", "BOLT")}"'])
async def test_price_and_stock_are_asked_with_their_product(by: str) -> None:
    asked = Asked()

    answer = await asked.answer(PAGE.replace('sku: "BOLT"', by))

    assert asked.first == ["availability", "prices", "products"]
    assert sorted(asked.begun) == asked.first  # each once
    assert not answer.errors
    assert answer.data["product"]["price"]


async def test_the_orders_of_a_company_are_asked_with_the_company() -> None:
    asked = Asked()

    answer = await asked.answer(
        "{ customer { name orders { nodes { number } } account { blocked } } }"
    )

    assert asked.first == ["accounts", "customers", "search"]
    assert sorted(asked.begun) == asked.first
    assert not answer.errors


async def test_a_company_that_may_not_be_seen_is_asked_about_by_nobody() -> None:
    asked = Asked(Caller("ann", CallerKind.USER, "C1", frozenset({"C1"}), ALL_SCOPES))

    answer = await asked.answer('{ customer(number: "C2") { orders { nodes { number } } } }')

    assert asked.begun == []
    assert answer.data == {"customer": None}


async def test_where_there_is_no_such_product_nothing_is_told_of_it() -> None:
    asked = Asked()

    answer = await asked.answer('{ product(sku: "NONE") { name price { quantity } } }')

    assert answer.data == {"product": None}
    assert not answer.errors


async def test_without_the_scope_nothing_is_asked_early() -> None:
    """That it is missing is told where the field is."""
    scopes = ALL_SCOPES - {"prices:read"}
    asked = Asked(Caller("ann", CallerKind.USER, "C1", frozenset({"C1"}), scopes))

    answer = await asked.answer(PAGE)

    assert asked.first == ["availability", "products"]
    (error,) = answer.errors
    assert error["path"] == ["product", "price"]
    assert error["extensions"]["code"] == "FORBIDDEN"


async def test_bad_keys_are_told_as_ever() -> None:
    asked = Asked()

    answer = await asked.answer('{ product(id: "nonsense") { price { quantity } } }')

    assert asked.begun == []
    assert [one["path"] for one in answer.errors] == [["product"]]
