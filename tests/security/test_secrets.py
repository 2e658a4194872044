"""Nothing of systems, code or credentials leaves, in answers or in the log, whatever breaks."""

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway.telemetry import logs
from sandbox import credentials
from tests.security.attacking import PEPPER, Fortress, codes

SECRETS = (
    PEPPER,
    credentials.AKENEO_CLIENT_SECRET,
    credentials.AKENEO_PASSWORD,
    credentials.ODOO_API_KEY,
    credentials.HUBSPOT_TOKEN,
    credentials.DHL_API_KEY,
    credentials.UPS_CLIENT_SECRET,
    *credentials.OAUTH_SECRETS.values(),
)
# What a vendor, Python or a database would say.
REVEALING = re.compile(
    r"Traceback|\.py\b|File \"|odoo\.|psycopg|SELECT |werkzeug|Exception|Error:|/usr/|/home/|"
    r"site-packages|127\.0\.0\.1|localhost|<html|<!DOCTYPE|Back soon|Maintenance|0x[0-9a-f]{6}|"
    r"httpx|msgspec|NoneType|KeyError|ssl\.|Bearer ",
    re.IGNORECASE,
)
FAULTS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "502": {"status": 502},
    "503": {"status": 503},
    "429": {"status": 429, "retry_after": 1},
    "401": {"status": 401},
    "403": {"status": 403},
    "404": {"status": 404},
    "400": {"status": 400},
    "302": {"status": 302},
    "broken JSON": {"malformed": "json"},
    "HTML": {"malformed": "html"},
}
SYSTEMS = ("akeneo", "odoo", "hubspot", "dhl", "ups")
QUERY = """query($sku: String!, $number: String!, $tracking: String!) {
  product(sku: $sku) { name price { quantity } availability { status } }
  customer { name contacts { name } account { priceList } orders(first: 1) { nodes { number } } }
  order(number: $number) { number invoices { number } shipments { number } }
  shipment(trackingNumber: $tracking) { tracking { status } }
  basket(lines: [{sku: $sku, quantity: "1"}]) { orderable }
}"""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that is logged, in the format of production, from INFO."""
    stream = io.StringIO()
    before, handlers = structlog.get_config(), list(logging.getLogger().handlers)
    logs.configure("json", stream)
    structlog.configure(cache_logger_on_first_use=False)
    yield stream
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


def variables(fortress: Fortress) -> dict[str, str]:
    examples = fortress.world.examples
    return {
        "sku": examples.sku,
        "number": examples.order,
        "tracking": examples.tracking_number,
    }


@pytest.mark.parametrize("fault", FAULTS)
async def test_no_error_tells_what_a_system_said(
    fortress: Fortress, log: io.StringIO, fault: str
) -> None:
    for system in SYSTEMS:
        await fortress.fault(system, **FAULTS[fault])

    answer = await fortress.post(QUERY, variables(fortress), headers=fortress.bearer())

    assert codes(answer.json())
    assert set(codes(answer.json())) <= {
        "UPSTREAM_UNAVAILABLE",
        "UPSTREAM_THROTTLED",
        "UPSTREAM_MALFORMED",
        "UPSTREAM_REFUSED",
        "UPSTREAM_TIMEOUT",
    }
    assert not REVEALING.search(answer.text), answer.text
    assert_kept(fortress, answer.text)
    assert_kept(fortress, log.getvalue())


async def test_systems_tell_their_state_and_nothing_more(fortress: Fortress) -> None:
    await fortress.fault("odoo", status=500)
    query = "{ systems { upstream status lastError { code message } affects } viewer { subject } }"
    await fortress.post(QUERY, variables(fortress), headers=fortress.bearer())

    developer = await fortress.post(query, headers=fortress.key("developer"))
    storefront = await fortress.ask(query, headers=fortress.key())

    assert not REVEALING.search(developer.text), developer.text
    assert_kept(fortress, developer.text)
    assert codes(storefront) == ["FORBIDDEN"]


PAYLOADS = [
    "' OR '1'='1",
    "'; DROP TABLE sale_order; --",
    '"}]]; [["id", ">", 0',
    "%",
    "_%",
    "*",
    "${jndi:ldap://127.0.0.1/x}",
    "{{7*7}}",
    "../../../../etc/passwd",
    "http://127.0.0.1:8100/_control/calls",
    "\r\nx-injected: 1",
    "\u202e\u2066",
    "\U0010ffff",
    "a" * 5_000,
]


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_what_is_injected_is_a_text_and_nothing_else(
    fortress: Fortress, log: io.StringIO, payload: str
) -> None:
    query = """query($t: String!) {
      product(sku: $t) { sku } category(code: $t) { code } order(number: $t) { number }
      invoice(number: $t) { number } shipment(trackingNumber: $t) { number }
      customer(number: $t) { number } products(search: $t, first: 2) { nodes { sku } }
      orders(filter: {purchaseOrderNumber: $t}, first: 2) { nodes { number } }
    }"""
    answer = await fortress.post(query, {"t": payload}, headers=fortress.bearer())

    data = answer.json()["data"]
    assert "INTERNAL" not in codes(answer.json())
    for single in ("product", "category", "order", "invoice", "shipment", "customer"):
        assert data[single] is None
    assert not (data["orders"] or {}).get("nodes")
    assert not REVEALING.search(str(answer.json().get("errors", ""))), answer.text
    assert all(line.startswith("{") for line in log.getvalue().splitlines())


async def test_the_log_holds_no_credentials(fortress: Fortress, log: io.StringIO) -> None:
    headers = [
        fortress.bearer(),
        fortress.bearer("storefront-opaque"),
        fortress.key(),
        {"authorization": f"Bearer {fortress.tokens['storefront'][:-6]}AAAAAA"},
        {"authorization": f"Basic {fortress.tokens['storefront-opaque']}"},
        {"x-api-key": fortress.keys["storefront"][:-1] + "!"},
        {**fortress.bearer(), **fortress.key()},
        {"cookie": f"session={fortress.tokens['partner']}"},
    ]
    for one in headers:
        await fortress.post(QUERY, variables(fortress), headers=one)
        await fortress.client.get(
            "/graphql",
            params={"query": "{ viewer { kind } }", "token": fortress.tokens["storefront"]},
            headers={"apollo-require-preflight": "1", **one},
        )

    written = log.getvalue()
    assert "token refused" in written
    assert_kept(fortress, written)
    assert "{ viewer" not in written


async def test_what_nobody_foresaw_is_masked(fortress: Fortress, log: io.StringIO) -> None:
    """In process an answer that is cut off trips an assertion below the HTTP client."""
    for system in SYSTEMS:
        await fortress.fault(system, truncate=True)

    answer = await fortress.post(QUERY, variables(fortress), headers=fortress.bearer())

    assert set(codes(answer.json())) == {"INTERNAL"}
    assert {one["message"] for one in answer.json()["errors"]} == {"Internal error."}
    assert not REVEALING.search(answer.text)
    assert "AssertionError" in log.getvalue()
    assert answer.headers["x-request-id"] in log.getvalue()
    assert_kept(fortress, log.getvalue())


def assert_kept(fortress: Fortress, told: str) -> None:
    """No credential of anybody, whole or its telling part."""
    for secret in (*SECRETS, *fortress.keys.values(), *fortress.tokens.values()):
        assert secret not in told
        assert secret[-24:] not in told
