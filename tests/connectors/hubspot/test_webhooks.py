"""Events of a HubSpot app; signatures are made by HubSpot's own client library."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hubspot.utils.signature import Signature
from hypothesis import given
from hypothesis import strategies as st

from connectors.hubspot.webhooks import WEBHOOKS, changes
from upstream.webhooks import Delivery, ForgedError, Terms, UnreadableError

SECRET = "the client secret of the app"
TERMS = Terms((SECRET,))
URL = "https://api.example.com/webhooks/crm"
NOW = 1_764_000_000.0
EVENT: dict[str, Any] = {
    "eventId": 100,
    "subscriptionId": 11,
    "portalId": 33,
    "appId": 44,
    "occurredAt": 1_764_000_000_000,
    "subscriptionType": "company.propertyChange",
    "attemptNumber": 0,
    "objectId": 123,
    "propertyName": "phone",
    "propertyValue": "+33 1 éà",
    "changeSource": "CRM_UI",
}


def signed(body: str, *, url: str = URL, secret: str = SECRET, at: str | None = None) -> Delivery:
    moment = at or str(int(NOW * 1000))
    signature = Signature.get_signature(secret, body, "v3", url, "POST", moment)
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": moment}
    return Delivery("POST", (URL,), headers, body.encode(), NOW)


BODY = json.dumps([EVENT], ensure_ascii=False)


def tags(**changed: Any) -> tuple[str, ...]:
    return changes(json.dumps([{**EVENT, **changed}]).encode())[0].tags


def test_what_hubspot_signs_is_proven_and_has_a_name() -> None:
    sent = signed(BODY)

    assert WEBHOOKS.verify(sent, TERMS) == sent.headers["x-hubspot-signature-v3"]
    assert WEBHOOKS.verify(sent, Terms(("the secret before", SECRET)))


def test_escapes_of_an_address_are_written_out_before_it_is_signed() -> None:
    sent = signed(BODY, url="https://api.example.com/webhooks/crm?to=a@b.c&x=%20")
    called = replace(sent, urls=("https://api.example.com/webhooks/crm?to=a%40b.c&x=%20",))

    assert WEBHOOKS.verify(called, TERMS)


@pytest.mark.parametrize(
    "delivery",
    [
        signed(BODY, secret="another secret"),
        signed(BODY, url="https://elsewhere.example.com/webhooks/crm"),
        signed(BODY, at=str(int((NOW - 301) * 1000))),
        signed(BODY, at=str(int((NOW + 301) * 1000))),
        signed(BODY, at=str(int(NOW))),
        signed(BODY, at="soon"),
        replace(signed(BODY), body=b"[]"),
        replace(signed(BODY), method="GET"),
        replace(signed(BODY), headers={}),
        replace(signed(BODY), urls=()),
    ],
)
def test_anything_else_is_refused(delivery: Delivery) -> None:
    with pytest.raises(ForgedError):
        WEBHOOKS.verify(delivery, TERMS)


def test_an_event_is_known_by_more_than_its_id() -> None:
    events = [EVENT, {**EVENT, "propertyName": "name"}, {**EVENT, "attemptNumber": 1}]

    first, second, again = changes(json.dumps(events).encode())

    assert first.at == datetime.fromtimestamp(NOW, UTC)
    assert first.id != second.id
    assert first.id == again.id


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ("reference:123",)),
        ({"objectId": "9"}, ("reference:9",)),
        ({"subscriptionType": "company.deletion"}, ("reference:123",)),
        ({"subscriptionType": "contact.creation"}, ("reference:123",)),
        (
            {"subscriptionType": "object.propertyChange", "objectTypeId": "0-2"},
            ("reference:123",),
        ),
        ({"subscriptionType": "object.propertyChange", "objectTypeId": "0-3"}, ()),
        ({"subscriptionType": "deal.creation"}, ()),
        ({"subscriptionType": "company"}, ()),
        (
            {
                "subscriptionType": "company.merge",
                "primaryObjectId": 123,
                "mergedObjectIds": [4, 5],
                "newObjectId": 6,
            },
            ("reference:123", "reference:6", "reference:4", "reference:5"),
        ),
        (
            {
                "subscriptionType": "contact.associationChange",
                "objectId": None,
                "fromObjectId": 1,
                "toObjectId": 2,
            },
            ("reference:1", "reference:2"),
        ),
    ],
)
def test_what_an_event_makes_stale(changed: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert tags(**changed) == expected


def test_an_event_without_an_id_cannot_be_known_again() -> None:
    (change,) = changes(b'[{"subscriptionType": "company.creation", "occurredAt": 1000}]')

    assert change.id is None


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"[{}]", b'[{"subscriptionType": 1}]'])
def test_what_is_no_list_of_events_is_not_understood(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        changes(body)


@given(st.binary(max_size=300), st.text(max_size=30), st.text(max_size=30))
def test_any_bytes_are_refused(body: bytes, signature: str, moment: str) -> None:
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": moment}

    with pytest.raises(ForgedError):
        WEBHOOKS.verify(Delivery("POST", (URL,), headers, body, NOW), TERMS)
