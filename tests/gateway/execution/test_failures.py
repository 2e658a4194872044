"""A failure at every field, by plan and by the stock engine: the same data and the same errors."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gateway.execution.answer import Answer
from gateway.http.ide import storefront_query
from ports.accounts import CreditStatus, CustomerAccount
from ports.caller import Caller
from ports.common import Address, SystemName
from resolvers.context import Ports
from schema.fields import TYPES, VIEWS
from tests.contracts.fakes.accounts import FakeAccounts
from tests.gateway.execution.tampering import (
    FAILURES,
    KINDS,
    WRONG,
    Answered,
    Tampered,
    documents_of,
    failing,
    failing_keys,
    quiet,
    records,
    wrong,
)
from tests.resolvers.shop import EVERYTHING, OURS, Shop, eur, fresh

ACCOUNT = CustomerAccount("EUR", False, credit=CreditStatus(eur("1"), fresh(SystemName.ERP)))
_MOMENT = re.compile(rf"{datetime.now(UTC):%Y}-[^\"]*Z")
Variables = dict[str, object] | None
HOME = Address(lines=("Street 1",), postal_code="1", city="X", country="FR")


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet():
        yield


@dataclass
class TamperedShop(Shop):
    """Its ports answer through `answered`; `asked` and `seen` are what came by."""

    answered: Answered = field(default=lambda _, answer: answer)
    asked: dict[str, None] = field(default_factory=dict)
    seen: dict[type, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.accounts = FakeAccounts({"A": ACCOUNT}, {"A": (HOME,)})

    def ports(self) -> Ports:
        ports = super().ports()
        changed = {
            role: Tampered(port, role, self._passed)
            for role in Ports.__dataclass_fields__
            if role != "tracking" and (port := getattr(ports, role)) is not None
        }
        carriers = {
            code: Tampered(port, "tracking", self._passed) for code, port in ports.tracking.items()
        }
        return Ports(**changed, tracking=carriers)

    def _passed(self, operation: str, answer: Any) -> Any:
        self.asked[operation] = None
        self.seen |= dict.fromkeys(records(answer))
        return self.answered(operation, answer)


async def told(query: str, variables: Variables, caller: Caller, **changes: Any) -> Answer:
    answer = await TamperedShop(**changes).ask(query, variables or VARIABLES.get(query), caller)
    data = answer.data and json.loads(json.dumps(dict(answer.data), default=repr))
    return msgspec.structs.replace(answer, data=data)


async def agree(
    query: str, caller: Caller = OURS, variables: Variables = None, **changes: Any
) -> None:
    planned = await told(query, variables, caller, planned=True, **changes)
    stock = await told(query, variables, caller, planned=False, **changes)

    assert planned.request_error == stock.request_error
    assert without_moments(planned.data) == without_moments(stock.data)
    if paths(planned) == paths(stock):
        assert planned.errors == stock.errors
    else:
        compare_many(planned, stock)


def compare_many(planned: Answer, stock: Answer) -> None:
    """Of several errors that reach one nullable field the engine tells those that came before it
    gave that field up (GraphQL 2025-09 §6.4.4): which, is a matter of moments. Both null the same
    places, and tell of each place the same."""
    assert nulled(planned) == nulled(stock)
    told = {json.dumps(one["path"]): one for one in stock.errors}
    for entry in planned.errors:
        if (other := told.get(json.dumps(entry["path"]))) is not None:
            assert entry == other


def paths(answer: Answer) -> list[object]:
    return [one.get("path") for one in answer.errors]


def nulled(answer: Answer) -> set[tuple[Any, ...]]:
    return {_nulled(answer.data, entry["path"]) for entry in answer.errors}  # type: ignore[arg-type]


def _nulled(data: Any, path: list[Any]) -> tuple[Any, ...]:
    for depth, step in enumerate(path):
        if data is None:
            return tuple(path[:depth])
        data = data[step]
    return tuple(path)


def without_moments(data: Any) -> Any:
    """The fakes read prices now, so two runs differ in the moment."""
    if isinstance(data, dict):
        return {key: without_moments(value) for key, value in data.items()}
    if isinstance(data, list):
        return [without_moments(one) for one in data]
    return _MOMENT.sub("now", data) if isinstance(data, str) else data


STOREFRONT: dict[str, dict[str, object]] = {
    "product": {"sku": "BOLT"},
    "listing": {"category": "bolts"},
    "order-history": {"customer": "A"},
    "tracking": {"trackingNumber": "T1"},
    "storefront": {"sku": "BOLT", "customer": "A"},
}
VARIABLES = {storefront_query(name): given for name, given in STOREFRONT.items()}


async def asked_by(query: str, variables: Variables = None) -> TamperedShop:
    """What a document asks where nothing is wrong."""
    shop = TamperedShop()
    await shop.ask(query, variables or VARIABLES.get(query))
    return shop


@pytest.mark.parametrize("kind", KINDS)
async def test_every_field_of_a_type_is_answered_equally(kind: str) -> None:
    for _, query in documents_of(kind):
        await agree(query)


@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_it_asks_fails(kind: str) -> None:
    """Every operation of a port that a field asks, with every class of error, for all and by key."""
    for _, query in documents_of(kind):
        for operation in (await asked_by(query)).asked:
            for error in FAILURES.values():
                await agree(query, answered=failing(operation, error))
            await agree(query, answered=failing_keys(operation, FAILURES["throttled"]))


@pytest.mark.parametrize("name", STOREFRONT)
async def test_whatever_a_page_asks_fails(name: str) -> None:
    query = storefront_query(name)
    for operation in (await asked_by(query)).asked:
        for error in FAILURES.values():
            await agree(query, answered=failing(operation, error))
            await agree(query, answered=failing_keys(operation, error))


@pytest.mark.parametrize("kind", KINDS)
async def test_every_attribute_of_its_records_is_wrong(kind: str) -> None:
    """Null, a value of no type, and a list of nulls, wherever a record has something else."""
    for coordinate, query in documents_of(kind):
        shop = await asked_by(query)
        for record, attributes in attributes_of(coordinate, shop).items():
            for attribute in attributes:
                for value in WRONG.values():
                    await agree(query, answered=wrong(record, attribute, value))


def attributes_of(coordinate: str, shop: TamperedShop) -> dict[type, tuple[str, ...]]:
    """The attribute that a field is; all of its record where it is worked out."""
    kind, _, name = coordinate.partition(".")
    record = VIEWS.get(kind)
    if record is None or record not in shop.seen:
        return {}
    fields = {one.name or one.python_name: one for one in _declared(kind)}
    own = next((one for key, one in fields.items() if _camel(key) == name), None)
    every = record.__struct_fields__  # type: ignore[attr-defined]
    if own is not None and own.python_name in every:
        return {record: (own.python_name,)}
    return {record: every}


def _declared(kind: str) -> Any:
    return TYPES[kind].__strawberry_definition__.fields  # type: ignore[attr-defined]


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(one.title() for one in rest)


@pytest.mark.parametrize("name", STOREFRONT)
async def test_every_attribute_that_a_page_reads_is_wrong(name: str) -> None:
    query = storefront_query(name)
    for record in (await asked_by(query)).seen:
        for attribute in record.__struct_fields__:  # type: ignore[attr-defined]
            for value in (WRONG["null"], WRONG["odd"]):
                await agree(query, answered=wrong(record, attribute, value))


@pytest.mark.parametrize("scope", sorted(EVERYTHING))
async def test_every_field_without_a_scope(scope: str) -> None:
    caller = msgspec.structs.replace(OURS, scopes=EVERYTHING - {scope})
    for kind in KINDS:
        for _, query in documents_of(kind):
            await agree(query, caller)


@pytest.mark.parametrize("role", sorted(set(Ports.__dataclass_fields__)))
async def test_every_field_without_a_system(role: str) -> None:
    for kind in KINDS:
        for _, query in documents_of(kind):
            await agree(query, without=frozenset({role}))


class _Held:
    """Answers only when it is let go."""

    def __init__(self) -> None:
        self.cancelled = 0
        self.reached = asyncio.Event()

    async def products(self, *_: object, **__: object) -> Any:
        self.reached.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


@pytest.mark.parametrize("planned", [True, False])
@pytest.mark.parametrize("seconds", [0.01, None])
async def test_what_hangs_is_cancelled_with_its_operation(
    *, planned: bool, seconds: float | None
) -> None:
    """By the deadline, and by a client that goes away; nothing is left running."""
    before = asyncio.all_tasks()
    held = _Held()
    shop = Shop(planned=planned)
    shop.catalog = held  # type: ignore[assignment]
    query = '{ product(sku: "BOLT") { sku } orders { totalCount } viewer { subject } }'

    asking = asyncio.create_task(shop.ask(query, seconds=5 if seconds is None else seconds))
    await held.reached.wait()
    if seconds is None:
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    else:
        answer = await asking
        assert answer.data is None
        assert [one["extensions"]["code"] for one in answer.errors] == ["DEADLINE_EXCEEDED"]  # type: ignore[index]

    await asyncio.sleep(0)
    assert held.cancelled == 1
    assert asyncio.all_tasks() == before
