"""Proof of signed messages, and what they name."""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream.signed_webhooks import SignedWebhooks
from upstream.webhooks import (
    Change,
    Delivery,
    ForgedError,
    Terms,
    UnreadableError,
    any_same,
    is_tag,
    milliseconds,
    tag,
    within,
)

NOW = 1614265330.0
# The published test vector of the Standard Webhooks libraries.
VECTOR = Delivery(
    "POST",
    (),
    {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    b'{"test": 2432232314}',
    NOW,
)
TERMS = Terms(("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",))
STANDARD = SignedWebhooks()
GITHUB = SignedWebhooks("x-hub-signature-256", None, None, "sha256=", "hex")
STAMPED = SignedWebhooks("x-signature", "x-timestamp", None, "", "hex")


def headers(**changes: str) -> Delivery:
    named = {f"webhook-{name}": text for name, text in changes.items()}
    return replace(VECTOR, headers={**VECTOR.headers, **named})


def told(body: object) -> list[Change]:
    return list(STANDARD.changes(replace(VECTOR, body=json.dumps(body).encode())))


def test_the_published_vector_is_accepted() -> None:
    assert STANDARD.verify(VECTOR, TERMS) is not None


def test_the_vector_is_known_again_whichever_signature_comes_with_it() -> None:
    other = headers(signature=f"v1a,x v1,AAAA {VECTOR.headers['webhook-signature']}")

    assert STANDARD.verify(other, TERMS) == STANDARD.verify(VECTOR, TERMS)


def test_the_secret_that_follows_is_accepted() -> None:
    assert STANDARD.verify(VECTOR, Terms(("first-secret", *TERMS.secrets)))


@pytest.mark.parametrize(
    "delivery",
    [
        replace(VECTOR, body=b'{"test": 2432232315}'),
        replace(VECTOR, headers={}),
        headers(signature=""),
        headers(signature="g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        headers(signature="v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        headers(signature="v1,g0hm9sse+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        headers(signature="v1,\xe9\ud800"),
        headers(id="another"),
        headers(id=""),
        headers(timestamp="1614265331"),
        headers(timestamp="soon"),
        headers(timestamp="-1"),
        headers(timestamp="١٦١٤٢٦٥٣٣٠"),
        headers(timestamp="9" * 5000),
        replace(VECTOR, at=NOW + 301),
        replace(VECTOR, at=NOW - 301),
    ],
)
def test_what_is_changed_late_or_early_is_refused(delivery: Delivery) -> None:
    with pytest.raises(ForgedError):
        STANDARD.verify(delivery, TERMS)


def test_another_secret_is_refused() -> None:
    with pytest.raises(ForgedError):
        STANDARD.verify(VECTOR, Terms(("whsec_AAAA",)))


@pytest.mark.parametrize("off", [-300, 0, 300])
def test_the_window_holds_its_edges(off: int) -> None:
    assert STANDARD.verify(replace(VECTOR, at=NOW + off), TERMS)


def test_the_window_is_as_configured() -> None:
    late = replace(VECTOR, at=NOW + 3000)

    assert STANDARD.verify(late, replace(TERMS, window_seconds=3600))
    with pytest.raises(ForgedError):
        STANDARD.verify(late, replace(TERMS, window_seconds=2999))


def test_hex_over_the_body_alone() -> None:
    body = b'{"tags": []}'
    signature = hmac.new(b"a secret", body, hashlib.sha256).hexdigest()
    sent = Delivery("POST", (), {"x-hub-signature-256": f"sha256={signature.upper()}"}, body, NOW)

    assert GITHUB.verify(sent, Terms(("a secret",))) is None
    with pytest.raises(ForgedError):
        GITHUB.verify(replace(sent, body=b"{}"), Terms(("a secret",)))


def test_hex_over_moment_and_body() -> None:
    signature = hmac.new(b"a secret", b"1614265330.{}", hashlib.sha256).hexdigest()
    signed = {"x-signature": signature, "x-timestamp": "1614265330"}
    sent = Delivery("POST", (), signed, b"{}", NOW)

    assert STAMPED.verify(sent, Terms(("a secret",))) == signature


def test_a_secret_that_is_no_base64_is_used_as_it_is() -> None:
    sent = replace(VECTOR, headers={"x-hub-signature-256": ""})
    signature = hmac.new(b"whsec_*", sent.body, hashlib.sha256).hexdigest()
    signed = replace(sent, headers={"x-hub-signature-256": f"sha256={signature}"})

    assert GITHUB.verify(signed, Terms(("whsec_*",))) is None


def test_an_event_names_its_tags_id_and_time() -> None:
    at = "2026-11-24T10:00:00Z"
    moment = datetime(2026, 11, 24, 10, tzinfo=UTC)

    assert told({"id": 7, "time": at, "tags": ["product:A", "product:A"]}) == [
        Change(("product:A",), moment, "7", "tags")
    ]
    assert told({"type": "x.y", "timestamp": at, "data": {"tags": ["order:1"]}}) == [
        Change(("order:1",), moment, VECTOR.headers["webhook-id"], "x.y")
    ]


def test_several_events_in_a_list() -> None:
    assert told([{"tags": ["a:b"], "time": "2026-11-24T10:00:00"}, {}]) == [
        Change(("a:b",), datetime(2026, 11, 24, 10, tzinfo=UTC), None, "tags"),
        Change((), None, None, "tags"),
    ]


@pytest.mark.parametrize("body", [1, "x", {"tags": "a:b"}, {"tags": ["nothing"]}, {"time": "now"}])
def test_what_is_no_event_is_not_understood(body: object) -> None:
    with pytest.raises(UnreadableError):
        told(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_either_read_or_not_understood(body: bytes) -> None:
    try:
        found = STANDARD.changes(replace(VECTOR, body=body))
    except UnreadableError:
        return
    assert all(isinstance(one, Change) for one in found)


@pytest.mark.parametrize("text", ["product:SKU 1/ä", "role:stock", "a:b"])
def test_a_tag(text: str) -> None:
    assert is_tag(text)


@pytest.mark.parametrize(
    "text", ["", "product:", ":a", "product: a", "P:a", "a:b\n", "a:" + "b" * 200]
)
def test_no_tag(text: str) -> None:
    assert not is_tag(text)


def test_a_key_that_no_record_has_makes_no_tag() -> None:
    assert tag("product", "A") == ("product:A",)
    assert tag("product", "") == tag("product", "\0") == ()


def test_moments_beyond_a_calendar() -> None:
    assert milliseconds(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert milliseconds(10**30) is None
    within("1000", 1000, 1, 1.5)
    with pytest.raises(ForgedError):
        within("1000", 1, 1, 1.5)


@given(st.text(max_size=10), st.lists(st.text(max_size=10)))
def test_comparing_stands_any_text(expected: str, sent: list[str]) -> None:
    assert any_same([expected], sent) == (expected in sent)
