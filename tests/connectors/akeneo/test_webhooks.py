"""Events of the Akeneo Event Platform, the vendor's own examples among them."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.akeneo.webhooks import WEBHOOKS, changes
from upstream.webhooks import Change, Delivery, ForgedError, Terms, UnreadableError

EXAMPLES = Path(__file__).parents[3] / "../shared/vendor-apis/akeneo/examples"
FILE = EXAMPLES / "event-platform-payloads.json"
UUID = "3444ec1b-058e-4208-9b6c-284f47a7aa17"
PRIMARY, SECONDARY = "the primary secret", "the secondary secret"
TERMS = Terms((PRIMARY, SECONDARY))
AT = "2026-11-24T10:00:00Z"
MOMENT = datetime(2026, 11, 24, 10, tzinfo=UTC)


def event(kind: str, data: Mapping[str, Any]) -> bytes:
    told = {"specversion": "1.0", "id": "e-1", "source": "pim", "time": AT, "data": data}
    return json.dumps({**told, "type": f"com.akeneo.pim.v1.{kind}"}).encode()


def signed(body: bytes, **secrets: str) -> Delivery:
    headers = {
        f"x-akeneo-signature-{name}": hmac.new(one.encode(), body, hashlib.sha256).hexdigest()
        for name, one in secrets.items()
    }
    headers["x-akeneo-signature-algorithm"] = "HmacSHA256"
    return Delivery("POST", (), headers, body, MOMENT.timestamp())


BODY = event("product.updated", {"product": {"uuid": UUID}})


@pytest.mark.parametrize(
    "secrets",
    [
        {"primary": PRIMARY},
        {"primary": PRIMARY, "secondary": SECONDARY},
        {"primary": "a new one", "secondary": SECONDARY},
        {"primary": SECONDARY},
    ],
)
def test_either_secret_proves_it(secrets: dict[str, str]) -> None:
    assert WEBHOOKS.verify(signed(BODY, **secrets), TERMS) is None


@pytest.mark.parametrize(
    "delivery",
    [
        signed(BODY),
        signed(BODY, primary="another", secondary="another"),
        replace(signed(BODY, primary=PRIMARY), body=BODY + b" "),
        replace(
            signed(BODY, primary=PRIMARY),
            headers={
                **signed(BODY, primary=PRIMARY).headers,
                "x-akeneo-signature-algorithm": "none",
            },
        ),
        replace(signed(BODY), headers={"x-akeneo-signature-primary": "\ud800"}),
    ],
)
def test_anything_else_does_not(delivery: Delivery) -> None:
    with pytest.raises(ForgedError):
        WEBHOOKS.verify(delivery, TERMS)


def test_an_installation_may_ask_for_a_window() -> None:
    sent = signed(BODY, primary=PRIMARY)
    window = replace(TERMS, window_seconds=3600)

    assert WEBHOOKS.verify(replace(sent, at=sent.at + 3600), window) is None
    for late in (3601, -3601):
        with pytest.raises(ForgedError):
            WEBHOOKS.verify(replace(sent, at=sent.at + late), window)
    for body in (b"[]", b'{"id": "1", "type": "x"}'):
        with pytest.raises(ForgedError):
            WEBHOOKS.verify(signed(body, primary=PRIMARY), window)


def test_a_product_is_known_by_its_uuid_and_by_its_sku_where_it_is_sent() -> None:
    named = event("product.deleted", {"product": {"uuid": UUID, "identifier": "SKU-1"}})

    assert changes(BODY) == [
        Change((f"reference:{UUID}",), MOMENT, "e-1", "com.akeneo.pim.v1.product.updated")
    ]
    assert changes(named)[0].tags == ("product:SKU-1", f"reference:{UUID}")


@pytest.mark.parametrize(
    ("kind", "tags"),
    [
        ("product-model.updated", ("type:ProductModel", "type:Product")),
        ("category.updated", ("type:Category",)),
        ("attribute-option.created", ("type:Product",)),
        ("family.updated", ("type:Product",)),
        ("asset.updated", ("type:Product",)),
        ("app.deleted", ()),
        ("connection.deleted", ()),
        ("product.updated", ()),
        ("productive.updated", ()),
    ],
)
def test_what_other_events_make_stale(kind: str, tags: tuple[str, ...]) -> None:
    assert changes(event(kind, {}))[0].tags == tags


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"id": 1, "type": "x"}'])
def test_what_is_no_event_is_not_understood(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        changes(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_for_want_of_a_signature(body: bytes) -> None:
    with pytest.raises(ForgedError):
        WEBHOOKS.verify(Delivery("POST", (), {}, body, 0), replace(TERMS, window_seconds=5))


@pytest.mark.skipif(not FILE.exists(), reason="the vendor's examples are not here")
def test_the_vendors_examples() -> None:
    payloads = [one["payload"] for one in json.loads(FILE.read_text(encoding="utf-8"))]
    events = [one for one in payloads if "specversion" in one]

    found = [changes(json.dumps(one).encode())[0] for one in events]

    assert [one.tags for one in found] == [
        ("product:my-product-identifier", f"reference:{UUID}"),
        (f"reference:{UUID}",),
    ]
    assert {one.at for one in found} == {datetime(2024, 3, 7, 15, 16, 37, tzinfo=UTC)}
    for other in payloads:
        if "specversion" not in other:
            with pytest.raises(UnreadableError):
                changes(json.dumps(other).encode())
