"""The address that systems send their messages to: proof, replays, bounds, floods."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hubspot.utils.signature import Signature
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from connectors.akeneo.webhooks import WEBHOOKS as AKENEO
from connectors.hubspot.webhooks import WEBHOOKS as HUBSPOT
from connectors.ups.webhooks import WEBHOOKS as UPS
from gateway.access.remembered import Clock
from gateway.http.app import http_app
from gateway.http.webhook_claims import FileClaims
from gateway.http.webhook_inbox import Inbox
from gateway.http.webhooks import AT_ONCE, Sender, webhook_routes
from upstream.signed_webhooks import SignedWebhooks
from upstream.webhooks import Change, Delivery, ForgedError, Terms

SECRET = "a secret of both sides"
TERMS = Terms((SECRET,))
ROOT = "https://shop.example.com"
UUID = "3444ec1b-058e-4208-9b6c-284f47a7aa17"


class Kept:
    def __init__(self) -> None:
        self.purged: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def purge(self, tags: Sequence[str]) -> int:
        await self.gate.wait()
        self.purged += tags
        return len(tags)


class Odd:
    """A connector of somebody else's, with a mistake."""

    def verify(self, delivery: Delivery, terms: Terms, /) -> None:
        if delivery.headers["x-odd"] != terms.secrets[0]:
            raise ForgedError("it is not odd")

    def changes(self, delivery: Delivery, /) -> Sequence[Change]:
        return [Change((json.loads(delivery.body)["tag"],))]


@dataclass
class House:
    """The application, its inbox, its cache and its clock."""

    kept: Kept = field(default_factory=Kept)
    now: float = 1_764_000_000.0
    waiting: int = 10_000
    changed: dict[str, Any] = field(default_factory=dict)
    known: Path | None = None

    def __post_init__(self) -> None:
        clock = Clock(lambda: self.now, lambda: self.now)
        names = ("pim", "crm", "own") if self.known else ()
        claims = {one: FileClaims(self.known or Path(), lambda: self.now) for one in names}
        self.inbox = Inbox(self.kept, waiting=self.waiting, claims=claims, clock=clock)
        verifiers = {
            "pim": AKENEO,
            "crm": HUBSPOT,
            "ups": UPS,
            "own": SignedWebhooks(),
            "odd": Odd(),
        }
        senders = [
            Sender(name, one, TERMS, **{"root": ROOT, **self.changed})
            for name, one in verifiers.items()
        ]
        self.app: ASGIApp = http_app(
            _never, not_ready=_ready, routes=webhook_routes(senders, self.inbox, clock=clock)
        )
        transport = httpx2.ASGITransport(app=self.app)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://internal")

    async def post(
        self, name: str, body: bytes, headers: dict[str, str] | None = None, query: str = ""
    ) -> httpx2.Response:
        path = f"/webhooks/{name}{query}"
        return await self.client.post(path, content=body, headers=headers or {})

    async def purged(self) -> list[str]:
        async with self.inbox:
            pass
        found, self.kept.purged = self.kept.purged, []
        return found


async def _never(*_: object) -> None:
    raise AssertionError


async def _ready() -> Sequence[str]:
    return ()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.client.aclose()


def akeneo(id_: str = "1", at: str = "2025-11-24T15:00:00Z", **data: Any) -> bytes:
    told = {"id": id_, "type": "com.akeneo.pim.v1.product.updated", "time": at}
    return json.dumps({**told, "data": {"product": {"uuid": UUID, **data}}}).encode()


def by_akeneo(body: bytes, secret: str = SECRET) -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-AKENEO-SIGNATURE-PRIMARY": signature}


def by_hubspot(body: bytes, now: float, uri: str = f"{ROOT}/webhooks/crm") -> dict[str, str]:
    at = str(int(now * 1000))
    signature = Signature.get_signature(SECRET, body.decode(), "v3", uri, "POST", at)
    return {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": at}


def by_us(body: bytes, now: float, id_: str = "m-1") -> dict[str, str]:
    at = str(int(now))
    key = hmac.new(SECRET.encode(), f"{id_}.{at}.".encode() + body, hashlib.sha256).digest()
    encoded = base64.b64encode(key).decode()
    return {"webhook-id": id_, "webhook-timestamp": at, "webhook-signature": f"v1,{encoded}"}


async def test_an_event_of_the_pim_is_answered_and_then_purged(house: House) -> None:
    body = akeneo(identifier="SKU-1")

    answer = await house.post("pim", body, by_akeneo(body))

    assert answer.status_code == 200
    assert answer.json() == {"new": 1, "repeated": 0}
    assert answer.headers["cache-control"] == "no-store"
    assert sorted(await house.purged()) == ["product:SKU-1", f"reference:{UUID}"]


async def test_an_event_sent_again_is_answered_and_not_purged(house: House) -> None:
    """Akeneo cannot tell a lost answer from none, and stops sending when too many are refused."""
    body = akeneo()
    await house.post("pim", body, by_akeneo(body))
    await house.purged()

    answer = await house.post("pim", body, by_akeneo(body))

    assert answer.status_code == 200
    assert answer.json() == {"new": 0, "repeated": 1}
    assert await house.purged() == []


async def test_an_older_event_that_comes_late_is_not_purged(house: House) -> None:
    new, old = akeneo("2", "2025-11-24T15:00:00Z"), akeneo("1", "2025-11-24T14:00:00Z")
    await house.post("pim", new, by_akeneo(new))
    await house.purged()

    assert (await house.post("pim", old, by_akeneo(old))).status_code == 200
    assert await house.purged() == []


async def test_events_of_the_crm(house: House) -> None:
    body = b'[{"subscriptionType": "company.propertyChange", "objectId": 7, "eventId": 1}]'

    answer = await house.post("crm", body, by_hubspot(body, house.now))

    assert answer.json() == {"new": 1, "repeated": 0}
    assert await house.purged() == ["reference:7"]


async def test_the_address_that_was_signed_has_its_query(house: House) -> None:
    headers = by_hubspot(b"[]", house.now, f"{ROOT}/webhooks/crm?shop=a@b")

    assert (await house.post("crm", b"[]", headers, "?shop=a%40b")).status_code == 200
    assert (await house.post("crm", b"[]", headers, "?shop=other")).status_code == 401


@pytest.mark.parametrize(
    ("changed", "uri"),
    [
        ({"url": "https://hooks.example.com/crm"}, "https://hooks.example.com/crm"),
        ({"root": None}, "https://internal/webhooks/crm"),
        ({"root": None}, "http://internal/webhooks/crm"),
    ],
)
async def test_the_address_that_the_sender_was_given(changed: dict[str, Any], uri: str) -> None:
    house = House(changed=changed)
    signed, other = by_hubspot(b"[]", house.now, uri), by_hubspot(b"[]", house.now)

    assert (await house.post("crm", b"[]", signed)).status_code == 200
    assert (await house.post("crm", b"[]", other)).status_code == 401


async def test_a_signed_moment_is_good_once(house: House) -> None:
    body = b'[{"subscriptionType": "company.creation", "objectId": 7, "eventId": 1}]'
    first = by_hubspot(body, house.now)
    assert (await house.post("crm", body, first)).status_code == 200
    await house.purged()

    replayed = await house.post("crm", body, first)
    house.now += 1
    sent_again = await house.post("crm", body, by_hubspot(body, house.now))

    assert replayed.status_code == 401
    assert sent_again.json() == {"new": 0, "repeated": 1}
    assert await house.purged() == []


async def test_of_many_replays_at_once_one_is_taken(house: House) -> None:
    body = b'{"tags": ["product:A"]}'
    headers = by_us(body, house.now)

    answers = await asyncio.gather(*(house.post("own", body, headers) for _ in range(20)))

    assert sorted(one.status_code for one in answers) == [200] + [401] * 19


@pytest.mark.parametrize("wrong_first", [True, False])
async def test_a_signature_that_comes_twice_is_none(house: House, wrong_first: bool) -> None:
    """Whoever is in between may have read the other one."""
    body = akeneo()
    (name, right), *_ = by_akeneo(body).items()
    sent = [(name, "0" * 64), (name, right)]

    answer = await house.client.post(
        "/webhooks/pim", content=body, headers=sent if wrong_first else sent[::-1]
    )

    assert answer.status_code == 401
    assert await house.purged() == []


async def test_a_replay_is_one_after_a_restart_and_elsewhere_too(tmp_path: Path) -> None:
    first, again = House(known=tmp_path / "known.db"), House(known=tmp_path / "known.db")
    ours, theirs = b'{"id": "1", "tags": ["product:A"]}', akeneo()
    signed = by_us(ours, first.now)

    taken = [
        await first.post("own", ours, signed),
        await first.post("pim", theirs, by_akeneo(theirs)),
    ]
    await first.purged()
    sent_again = [
        await again.post("own", ours, signed),
        await again.post("pim", theirs, by_akeneo(theirs)),
    ]

    assert [one.status_code for one in taken] == [200, 200]
    assert [one.status_code for one in sent_again] == [401, 200]
    assert sent_again[1].json() == {"new": 0, "repeated": 1}
    assert await again.purged() == []
    for house in (first, again):
        await house.client.aclose()


async def test_what_could_not_wait_is_new_when_it_is_sent_again(tmp_path: Path) -> None:
    full, later = House(known=tmp_path / "known.db", waiting=1), House(known=tmp_path / "known.db")
    body = b'{"id": "1", "tags": ["product:A", "product:B"]}'

    refused = await full.post("own", body, by_us(body, full.now))
    taken = await later.post("own", body, by_us(body, later.now))

    assert (refused.status_code, taken.status_code) == (429, 200)
    assert sorted(await later.purged()) == ["product:A", "product:B"]
    for house in (full, later):
        await house.client.aclose()


@pytest.mark.parametrize("off", [-301, 301])
async def test_a_wrong_time_is_refused(house: House, off: int) -> None:
    assert (await house.post("crm", b"[]", by_hubspot(b"[]", house.now + off))).status_code == 401
    assert (await house.post("own", b"{}", by_us(b"{}", house.now + off))).status_code == 401


async def test_a_parcel_of_ups(house: House) -> None:
    body = b'{"trackingNumber": "1Z999AA10123456784", "activityStatus": {"type": "D"}}'

    assert (await house.post("ups", body, {"credential": SECRET})).status_code == 200
    assert await house.purged() == ["shipment:1Z999AA10123456784"]


async def test_a_forgery_learns_nothing(house: House) -> None:
    body = akeneo()
    wrong: list[dict[str, str]] = [{}, by_akeneo(body, "another secret"), by_akeneo(b"other")]

    for headers in wrong:
        answer = await house.post("pim", body, headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Signature"
        assert set(answer.json()) == {"type", "title", "status", "requestId"}
    assert await house.purged() == []


async def test_an_event_of_an_unknown_kind_purges_nothing(house: House) -> None:
    body = b'{"id": "1", "type": "com.akeneo.pim.v2.galaxy.updated"}'

    assert (await house.post("pim", body, by_akeneo(body))).status_code == 200
    assert await house.purged() == []


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 10_000, b"\xff", b"{}"])
async def test_a_proven_message_that_is_not_understood(house: House, body: bytes) -> None:
    assert (await house.post("pim", body, by_akeneo(body))).status_code == 400
    assert (await house.post("odd", body, {"x-odd": SECRET})).status_code == 400
    assert (await house.post("odd", body)).status_code == 401


async def test_other_names_and_methods(house: House) -> None:
    assert (await house.post("nobody", b"{}")).status_code == 404
    assert (await house.client.get("/webhooks/pim")).status_code == 405


async def test_a_long_body_is_refused_and_one_at_the_limit_is_read(house: House) -> None:
    start = akeneo()
    body = start + b" " * (1024 * 1024 - len(start))

    assert (await house.post("pim", body, by_akeneo(body))).status_code == 200
    assert (await house.post("pim", body + b" ", by_akeneo(body + b" "))).status_code == 413


async def test_a_flood_is_sent_away_and_ends(house: House) -> None:
    answers = await asyncio.gather(*(house.post("pim", b"{}") for _ in range(500)))

    statuses = [one.status_code for one in answers]
    assert statuses.count(401) == 400
    assert statuses.count(429) == 100
    assert {one.headers["retry-after"] for one in answers if one.status_code == 429} == {"1"}
    assert (await house.post("crm", b"{}")).status_code == 401
    assert (await house.client.get("/healthz")).status_code == 200
    house.now += 1
    body = akeneo()
    assert (await house.post("pim", body, by_akeneo(body))).status_code == 200


async def test_what_cannot_wait_is_sent_again_later() -> None:
    house = House(waiting=2)
    first, second = akeneo("1", identifier="A"), akeneo("2", identifier="B")
    assert (await house.post("pim", first, by_akeneo(first))).status_code == 200

    full = await house.post("pim", second, by_akeneo(second))
    await house.purged()

    assert full.status_code == 429
    assert full.headers["retry-after"] == "5"
    assert (await house.post("pim", second, by_akeneo(second))).json() == {"new": 1, "repeated": 0}


async def test_no_answer_waits_for_a_purge(house: House) -> None:
    house.kept.gate.clear()
    async with house.inbox:
        for number in range(10):
            body = akeneo(str(number), identifier=f"SKU-{number}")
            assert (await house.post("pim", body, by_akeneo(body))).status_code == 200
        assert house.kept.purged == []
        house.kept.gate.set()

    assert len(house.kept.purged) >= 11


async def test_bodies_that_never_end_hold_a_bounded_number_of_places(house: House) -> None:
    statuses: list[int] = []
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    def scope() -> dict[str, Any]:
        told = {"type": "http", "method": "POST", "path": "/webhooks/pim", "headers": []}
        return {**told, "query_string": b"", "root_path": ""}

    async with asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE + 3):
            tasks.create_task(_called(house.app, scope(), receive, send))
        while len(statuses) < 3:
            await asyncio.sleep(0)
        gone.set()

    assert statuses == [503] * 3
    body = akeneo()
    assert (await house.post("pim", body, by_akeneo(body))).status_code == 200


async def _called(app: ASGIApp, scope: Any, receive: Any, send: Any) -> None:
    await app(scope, receive, send)


NAMES = st.sampled_from(["pim", "crm", "ups", "own", "odd", "nobody"])
HEADERS = st.dictionaries(
    st.sampled_from(
        [
            "x-akeneo-signature-primary",
            "x-akeneo-signature-algorithm",
            "x-hubspot-signature-v3",
            "x-hubspot-request-timestamp",
            "credential",
            "authorization",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "content-length",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NAMES, st.binary(max_size=500), HEADERS)
def test_no_bytes_are_an_error_of_ours(name: str, body: bytes, headers: dict[str, str]) -> None:
    """Straight to the application, since no client sends some of this."""
    statuses: list[int] = []

    async def run() -> None:
        house = House()
        sent = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
        scope = {
            "type": "http",
            "method": "POST",
            "path": f"/webhooks/{name}",
            "query_string": body[:20],
            "headers": sent,
            "root_path": "",
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await _called(house.app, scope, receive, send)

    asyncio.run(run())
    assert statuses
    assert statuses[0] < 500


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "type",
                        "time",
                        "data",
                        "product",
                        "uuid",
                        "subscriptionType",
                        "objectId",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=15,
    )
)
def test_proven_json_of_any_shape_is_taken_or_not_understood(told: object) -> None:
    async def run() -> None:
        house = House()
        body = json.dumps(told).encode()
        akeneos = await house.post("pim", body, by_akeneo(body))
        hubspots = await house.post("crm", body, by_hubspot(body, house.now))
        assert {akeneos.status_code, hubspots.status_code} <= {200, 400}

    asyncio.run(run())


async def test_over_a_real_connection(serve: Callable[[ASGIApp], Any]) -> None:
    """Bodies refused unread, and long forgeries, leave the server and its connections whole."""
    house = House(changed={"requests_per_second": 5.0, "root": None})
    long = b"x" * (512 * 1024)
    async with serve(house.app) as root, httpx2.AsyncClient(base_url=root) as client:
        flood = [client.post("/webhooks/own", content=long) for _ in range(30)]
        answers = await asyncio.gather(*flood, *(client.get("/healthz") for _ in range(30)))
        signed = by_hubspot(b"[]", house.now, f"{root}/webhooks/crm?to=a%40b")
        proven = await client.post("/webhooks/crm?to=a%40b", content=b"[]", headers=signed)

    statuses = [one.status_code for one in answers]
    assert statuses.count(401) == 10
    assert statuses.count(429) == 20
    assert statuses.count(200) == 30
    assert proven.status_code == 200
