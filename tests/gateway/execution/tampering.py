"""Ports whose answers go wrong in one place, and the smallest documents that look there."""

import gc
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument
from structlog.testing import capture_logs

from ports.caller import Call
from ports.common import Page
from ports.errors import (
    BadInputError,
    ForbiddenError,
    MalformedError,
    NotConfiguredError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
)
from resolvers.ids import encode
from tests.resolvers.shop import CORE

# Arguments under which something is found.
ARGUMENTS = {
    "Query.product": '(sku: "BOLT")',
    "Query.order": '(number: "A1")',
    "Query.shipment": '(trackingNumber: "T1")',
    "Query.invoice": '(number: "IA")',
    "Query.return": '(number: "R")',
    "Query.category": '(code: "bolts")',
    "Query.node": f'(id: "{encode("Order", "A1")}")',
    "Query.nodes": f'(ids: ["{encode("Product", "BOLT")}", "{encode("Order", "A3")}", "{encode("Order", "no")}"])',
    "Query.basket": '(lines: [{sku: "BOLT", quantity: 3}, {sku: "no", quantity: "1"}])',
    "Query._entities": '(representations: [{__typename: "Order", number: "A1"},'
    ' {__typename: "Product", sku: "BOLT"}, {__typename: "Shipment", trackingNumber: "T1"}])',
    "Product.attribute": '(code: "d")',
    "Product.price": '(quantity: "120")',
}

_SYSTEM = {"system": "ERP", "upstream": "erp-fr", "operation": "any"}
FAILURES: Mapping[str, Exception] = {
    "unavailable": UnavailableError(**_SYSTEM),
    "timed out": TimedOutError(**_SYSTEM),
    "throttled": ThrottledError(**_SYSTEM, retry_after=2.5),
    "malformed": MalformedError(**_SYSTEM, detail="secret"),
    "refused": RefusedError(**_SYSTEM),
    "not configured": NotConfiguredError("ERP", "pricing"),
    "bad input": BadInputError("This cannot be meant."),
    "forbidden": ForbiddenError("This needs more."),
    "a bug": ZeroDivisionError("secret"),
}


@contextmanager
def quiet() -> Iterator[None]:
    """To write a thousand tracebacks takes longer than all else.

    What the library leaves of operations that fail midway is collected here, and not where no
    warning can be told: in the constructor of a named tuple, say, which has no builtins.
    """
    gc.disable()
    try:
        with capture_logs():
            yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            gc.collect()
        gc.enable()


class Odd:
    """A value that is of no type of the graph."""

    def __repr__(self) -> str:
        return "Odd"


WRONG: Mapping[str, object] = {"null": None, "odd": Odd(), "nulls": (None, None), "text": "text"}
"""Put where a record has something else."""

# Served by no system here: each is looked at by itself, not beneath others.
UNSERVED = frozenset(
    {"Query.return", "Order.payments", "Order.returns", "Customer.returns", "Invoice.document"}
)

Answered = Callable[[str, Any], Any]
"""Given the name of an operation (`catalog.products`) and its answer; the answer instead."""


class Tampered:
    """Around a whole port."""

    def __init__(self, port: Any, role: str, answered: Answered) -> None:
        self._port = port
        self._role = role
        self._answered = answered

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def asked(*arguments: Any, call: Call) -> Any:
            answer = await method(*arguments, call=call)
            return self._answered(f"{self._role}.{name}", answer)

        return asked


def failing(operation: str, error: Exception) -> Answered:
    """Raises of one operation."""

    def answered(name: str, answer: Any) -> Any:
        if name == operation:
            raise error
        return answer

    return answered


def failing_keys(operation: str, error: Exception) -> Answered:
    """Every key of one operation but the first has failed by itself."""

    def answered(name: str, answer: Any) -> Any:
        if name != operation or not isinstance(answer, Mapping):
            return answer
        return {
            key: value if place == 0 and len(answer) > 1 else error
            for place, (key, value) in enumerate(answer.items())
        }

    return answered


def wrong(record: type, attribute: str, value: object) -> Answered:
    """All records of one type have this value there."""

    def changed(found: Any) -> Any:
        if isinstance(found, Mapping):
            return {key: changed(one) for key, one in found.items()}
        if isinstance(found, tuple | list):
            return tuple(changed(one) for one in found)
        if not isinstance(found, msgspec.Struct):
            return found
        parts = {name: changed(getattr(found, name)) for name in found.__struct_fields__}
        if type(found) is record:
            parts[attribute] = value
        return type(found)(**parts) if isinstance(found, Page) else _replaced(found, parts)

    return lambda _, answer: changed(answer)


def _replaced(record: msgspec.Struct, parts: Mapping[str, Any]) -> msgspec.Struct:
    same = all(getattr(record, name) is value for name, value in parts.items())
    return record if same else msgspec.structs.replace(record, **parts)


def records(found: Any) -> Iterator[type]:
    """The types of all records in an answer of a port."""
    if isinstance(found, Mapping):
        for one in found.values():
            yield from records(one)
    elif isinstance(found, tuple | list):
        for one in found:
            yield from records(one)
    elif isinstance(found, msgspec.Struct):
        yield type(found)
        for name in found.__struct_fields__:
            yield from records(getattr(found, name))


def documents_of(kind: str) -> Iterator[tuple[str, str]]:
    """By coordinate: the shortest way to each field of a type, with what is beneath the field."""
    around = _WAYS.get(kind)
    if around is None:
        return
    for name in _fields(kind):
        text = _field(kind, name, 1)
        if text is not None:
            yield f"{kind}.{name}", around.replace("…", f"{text} __typename")


def _object(kind: str) -> GraphQLObjectType:
    found = CORE.type_map[kind]
    assert isinstance(found, GraphQLObjectType)
    return found


def _fields(kind: str) -> Sequence[str]:
    return [one for one in _object(kind).fields if one == "_entities" or not one.startswith("_")]


def _field(kind: str, name: str, depth: int) -> str | None:
    """None for one that needs arguments, an age, or what would be too deep."""
    field = _object(kind).fields[name]
    arguments = ARGUMENTS.get(f"{kind}.{name}", "")
    if name == "age" or (
        not arguments and any(is_required_argument(one) for one in field.args.values())
    ):
        return None
    inner = get_named_type(field.type)
    if is_leaf_type(inner):
        return f"{name}{arguments}"
    if not depth:
        return None
    return f"{name}{arguments} {{ {_selection(inner, depth - 1)} }}"


def _selection(kind: Any, depth: int) -> str:
    if isinstance(kind, GraphQLObjectType):
        served = [one for one in _fields(kind.name) if f"{kind.name}.{one}" not in UNSERVED]
        texts = [_field(kind.name, name, depth) for name in served]
        return " ".join(["__typename", *(text for text in texts if text)])
    parts = [
        f"... on {one.name} {{ id {_apart(one.name)} }}" for one in CORE.get_possible_types(kind)
    ]
    return " ".join(["__typename", *parts])


def _apart(kind: str) -> str:
    """Leaves under keys of their own, since types have leaves of the same names."""
    leaves = [one for one in _fields(kind) if one != "id" and _field(kind, one, 0) == one]
    return " ".join(f"{kind}_{one}: {one}" for one in leaves)


def _ways() -> dict[str, str]:
    """The shortest document around each type, with a sign in it where fields of it go."""
    found = {"Query": "{ … }"}
    waiting = ["Query"]
    while waiting:
        kind = waiting.pop(0)
        for name in _fields(kind):
            inner = get_named_type(_object(kind).fields[name].type)
            text = _field(kind, name, 1)
            if text is None or not isinstance(inner, GraphQLObjectType) or inner.name in found:
                continue
            around = f"{name}{ARGUMENTS.get(f'{kind}.{name}', '')} {{ … }}"
            found[inner.name] = found[kind].replace("…", around)
            waiting.append(inner.name)
    return found


_WAYS = _ways()
KINDS = sorted(_WAYS)
