"""What passes the wire, made for tests."""

import json
from typing import Any

from gateway.telemetry.journal.record import Entry, Good, Passed
from ports.caller import Call, Caller, CallerKind
from ports.errors import UnavailableError, UpstreamError
from upstream.exchanges import Exchange
from upstream.messages import Request

AT = 1_800_000_000.0
SHOP = Caller("key:k1", CallerKind.APPLICATION, customer="C10001", name="shop")


def call(asked: tuple[str, tuple[Any, ...]] | None = None, **terms: Any) -> Call:
    told = {"caller": SHOP, "language": "fr", "deadline": 1.0, "request_id": "r1", **terms}
    return Call(operation="Product", asked=asked, **told)


def down(detail: str = "HTTP 503: out of order", operation: str = "products") -> UpstreamError:
    return UnavailableError(system="ERP", upstream="erp", operation=operation, detail=detail)


def passed(
    *keys: str,
    asked: str = "catalog.products",
    at: float = AT,
    failure: UpstreamError | None = None,
    **told: Any,
) -> Passed:
    status = 503 if failure else 200
    exchange = Exchange("products", 0.012, status, failure.code if failure else None, "r1")
    values: dict[str, Any] = {
        "upstream": "erp",
        "system": "ERP",
        "exchange": exchange,
        "call": call((asked, (keys,))),
        "request": Request("products", "/api/products?token=x", "POST", json={"skus": list(keys)}),
        "received": 42,
        "body": b'{"error": "out of order"}' if failure else None,
        "failure": failure,
        **told,
    }
    return Passed(at=at, **values)


def entry(number: int = 0, **told: Any) -> Entry:
    values = {"upstream": "erp", "system": "ERP", "call": "products", **told}
    return Entry(**{"at": AT + number, "arguments": json.dumps([[f"S{number}"]]), **values})


def good(one: Entry) -> Good | None:
    """The entry as one of many in a block; None of one that is kept as a row."""
    if one.error or one.response or not one.tried:
        return None
    told = {name: getattr(one, name, None) for name in Good.__struct_fields__}
    told["arguments"] = None if one.arguments is None else one.arguments.encode()
    told["seconds"] = one.milliseconds / 1000
    return Good(**told)
