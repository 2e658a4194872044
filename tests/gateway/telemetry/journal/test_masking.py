"""Credentials and personal data do not get into the journal."""

import json
from typing import Any

import pytest

from gateway.telemetry.journal.masking import Masking, text
from gateway.telemetry.journal.record import entry_of
from ports.caller import Caller, CallerKind
from tests.gateway.telemetry.journal.made import call, down, passed

SECRET = "s3cret-v4lue"


@pytest.mark.parametrize(
    "body",
    [
        {"email": SECRET},
        {"records": [{"partner": {"Phone": SECRET, "street2": SECRET}}]},
        {"domain": [["email", "=", SECRET], ["mobile", "in", [SECRET]]]},
        {"filters": [{"propertyName": "email", "operator": "EQ", "value": SECRET}]},
        {"filters": [{"propertyName": "phone", "operator": "IN", "values": [SECRET]}]},
        {"partner_id": [12, SECRET]},
        {"access_token": SECRET, "nested": {"Password": SECRET}},
        {"street": {"fr": SECRET}},
        {"own": SECRET},
    ],
    ids=str,
)
def test_fields_that_are_masked(body: Any) -> None:
    told = Masking(["own"]).body(json.dumps(body).encode(), "orders.orders", 10_000)

    assert told is not None
    assert SECRET not in told
    assert "***" in told


@pytest.mark.parametrize(
    "body",
    [
        b'{"phone": "s3cret-v4lue", "trunc',
        b"<Error><Phone>s3cret-v4lue</Phone></Error>",
        b"grant_type=password&username=s3cret-v4lue&password=s3cret-v4lue",
        b"Authorization: Bearer s3cret-v4lue-and-more",
        b"name: 's3cret-v4lue'",
    ],
    ids=str,
)
def test_what_is_not_json_is_masked_by_its_looks(body: bytes) -> None:
    told = Masking().body(body, "orders.orders", 10_000)

    assert told is not None
    assert SECRET not in told


@pytest.mark.parametrize(
    ("operation", "is_kept"), [("catalog.products", True), ("customers.customers", False)]
)
def test_names_are_of_people_or_of_products(operation: str, *, is_kept: bool) -> None:
    told = Masking().body(b'{"name": "Bolt"}', operation, 100)

    assert ("Bolt" in str(told)) is is_kept


def test_addresses_of_people_are_masked_wherever_they_are() -> None:
    assert text("no contact ada.l@example.org there") == "no contact *** there"
    assert "ada" not in str(Masking().body(b'["ada@example.org"]', "catalog.x", 100))


def test_what_is_kept_is_bounded() -> None:
    body = json.dumps(["x" * 10_000] * 10).encode()

    assert len(Masking().body(body, "", 500) or "") == 500
    assert Masking().body(b"", "", 500) is None


def test_an_entry_names_nobody() -> None:
    caller = Caller("ada@example.org", CallerKind.USER, email="ada@example.org")
    asked = call(("directory.customers_of", (["ada@example.org"],)), caller=caller)
    entry = entry_of(passed(call=asked, failure=down("no ada@example.org")), Masking())

    assert "ada@" not in str(entry)
    assert entry.client == "user"
