"""Events of UPS Track Alert, those of the published specification among them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ups.webhooks import WEBHOOKS, changes
from upstream.webhooks import Delivery, ForgedError, Terms, UnreadableError

FILE = Path(__file__).parents[3] / "../shared/vendor-apis/ups/UPSTrackAlert.json"
TERMS = Terms(("the agreed credential", "the one that follows"))
EVENT = {
    "trackingNumber": "1Z999AA10123456784",
    "activityStatus": {"type": "D", "code": "FS"},
    "gmtActivityDate": "20261124",
    "gmtActivityTime": "100000",
}
MOMENT = datetime(2026, 11, 24, 10, tzinfo=UTC)
BODY = json.dumps(EVENT).encode()


def sent(**headers: str) -> Delivery:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Delivery("POST", (), named, BODY, MOMENT.timestamp())


@pytest.mark.parametrize(
    "delivery",
    [
        sent(credential="the agreed credential"),
        sent(credential="the one that follows"),
        sent(authorization="Bearer the agreed credential"),
        sent(authorization="the agreed credential"),
    ],
)
def test_the_credential_proves_it(delivery: Delivery) -> None:
    assert WEBHOOKS.verify(delivery, TERMS) is None


@pytest.mark.parametrize(
    "delivery",
    [
        sent(),
        sent(credential=""),
        sent(credential="the agreed credentia"),
        sent(authorization="Bearer"),
        sent(user_agent="UPSPubSubTrackingService", x_api_key="the agreed credential"),
    ],
)
def test_anything_else_does_not(delivery: Delivery) -> None:
    with pytest.raises(ForgedError):
        WEBHOOKS.verify(delivery, TERMS)


def test_an_installation_may_ask_for_a_window() -> None:
    delivery = sent(credential=TERMS.secrets[0])
    window = replace(TERMS, window_seconds=60)

    assert WEBHOOKS.verify(delivery, window) is None
    for wrong in (
        replace(delivery, at=delivery.at + 61),
        replace(delivery, body=b"{}"),
        replace(delivery, body=b'{"trackingNumber": "1Z", "activityStatus": {}}'),
    ):
        with pytest.raises(ForgedError):
            WEBHOOKS.verify(wrong, window)


def test_the_parcel_is_what_is_stale() -> None:
    (change,) = changes(BODY)

    assert change.tags == ("shipment:1Z999AA10123456784",)
    assert change.at == MOMENT
    assert change.kind == "tracking.D"
    assert changes(BODY)[0].id == change.id != changes(BODY + b" ")[0].id


def test_the_places_own_time_is_no_moment() -> None:
    body = json.dumps({**EVENT, "gmtActivityTime": None, "localActivityTime": "100000"}).encode()

    assert changes(body)[0].at is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"trackingNumber": "1Z"}'])
def test_what_is_no_event_is_not_understood(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        changes(body)


@given(st.binary(max_size=300), st.text(max_size=20))
def test_any_bytes_are_refused(body: bytes, credential: str) -> None:
    with pytest.raises(ForgedError):
        WEBHOOKS.verify(Delivery("POST", (), {"credential": credential}, body, 0), TERMS)


@pytest.mark.skipif(not FILE.exists(), reason="the vendor's specification is not here")
def test_the_vendors_examples() -> None:
    told = json.loads(FILE.read_text(encoding="utf-8"))["webhooks"]["TrackingEvent"]["post"]
    examples = told["requestBody"]["content"]["application/json"]["examples"]

    found = [changes(json.dumps(one["value"]).encode())[0] for one in examples.values()]

    assert found
    assert {one.tags for one in found} == {("shipment:1Z204W4R0308071865",)}
    assert [one.at for one in found] == [
        datetime(2024, 4, 23, 13, 15, 19, tzinfo=UTC),
        datetime(2024, 4, 23, 13, 50, 4, tzinfo=UTC),
    ]
