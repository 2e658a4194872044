"""Alerts sent to a real receiver: bodies, signatures, patience, bounds."""

import json
from typing import Any

import httpx2
import pytest

from gateway.telemetry.alerts_sending import QUEUE, Post, Posts, Target, encoded, signature
from tests.gateway.telemetry.alerts.receiver import alert, receiving
from upstream.signed_webhooks import SignedWebhooks
from upstream.webhooks import Delivery, Terms

SECRET = "0123456789abcdef"
AT_ONCE = (0.0, 0.0)


async def test_an_alert_arrives_as_json() -> None:
    async with receiving() as receiver, Post(Target("ops", receiver.address)) as post:
        post.put(alert(details={"customers": 3}))
        (told,) = await receiver.until(1)

    assert told["event"] == "system"
    assert (told["state"], told["details"]) == ("firing", {"customers": 3})
    assert "webhook-signature" not in receiver.headers[0]


async def test_a_signature_is_what_receivers_of_signed_webhooks_accept() -> None:
    async with (
        receiving() as receiver,
        Post(Target("ops", receiver.address, secret=SECRET)) as post,
    ):
        post.put(alert())
        await receiver.until(1)

    headers = receiver.headers[0]
    delivery = Delivery(
        method="POST",
        urls=(receiver.address,),
        headers=headers,
        body=receiver.bodies[0],
        at=float(headers["webhook-timestamp"]),
    )
    assert SignedWebhooks().verify(delivery, Terms((SECRET,)))


def test_an_encoded_secret_signs_as_its_bytes() -> None:
    plain = signature("sixteen bytes!!!", "m", b"{}", 1.0)
    assert signature("whsec_c2l4dGVlbiBieXRlcyEhIQ==", "m", b"{}", 1.0) == plain


@pytest.mark.parametrize("status", [500, 503, 429, 408])
async def test_a_receiver_in_trouble_is_asked_again_with_the_same_message(status: int) -> None:
    async with (
        receiving(status) as receiver,
        Post(Target("ops", receiver.address, secret=SECRET), waits=AT_ONCE) as post,
    ):
        post.put(alert())
        await post.settle()

    assert (post.sent, post.dropped) == (1, 0)
    assert receiver.bodies[0] == receiver.bodies[1]
    assert receiver.headers[0]["webhook-id"] == receiver.headers[1]["webhook-id"]


@pytest.mark.parametrize("status", [400, 404, 302])
async def test_a_receiver_that_does_not_want_it_is_left_alone(status: int) -> None:
    async with (
        receiving(status) as receiver,
        Post(Target("ops", receiver.address), waits=AT_ONCE) as post,
    ):
        post.put(alert())
        await post.settle()

    assert (post.sent, post.dropped, len(receiver.bodies)) == (0, 1, 1)


async def test_a_receiver_that_is_gone_costs_its_alert_alone() -> None:
    async with receiving() as receiver:
        gone = Target("gone", "http://127.0.0.1:9/hook")
        posts = Posts((gone, Target("ops", receiver.address)))
        async with posts:
            posts.put(alert())
            await receiver.until(1)

    assert [one.sent for one in posts.posts] == [0, 1]


async def test_tries_end() -> None:
    async with Post(Target("gone", "http://127.0.0.1:9/hook"), waits=AT_ONCE) as post:
        post.put(alert())
        await post.settle()

    assert post.dropped == 1


async def test_a_target_hears_of_its_events_alone() -> None:
    async with receiving() as receiver:
        target = Target("ops", receiver.address, events=frozenset({"drift"}))
        async with Post(target) as post:
            post.put(alert())
            post.put(alert("d", event="drift"))
            (told,) = await receiver.until(1)

    assert told["event"] == "drift"


async def test_the_queue_is_bounded_and_keeps_the_latest() -> None:
    seen: list[str] = []

    async def take(request: httpx2.Request) -> httpx2.Response:
        seen.append(json.loads(request.content)["key"])
        return httpx2.Response(204)

    post = Post(Target("ops", "http://hook/"), transport=httpx2.MockTransport(take))
    for number in range(QUEUE + 5):
        post.put(alert(str(number)))
    async with post:
        await post.settle()

    assert post.dropped == 5
    assert seen == [str(number) for number in range(5, QUEUE + 5)]


@pytest.mark.parametrize(
    ("told", "mark"),
    [
        ({}, ":red_circle:"),
        ({"severity": "warning"}, ":large_orange_circle:"),
        ({"state": "resolved"}, ":white_check_mark:"),
    ],
    ids=["critical", "warning", "resolved"],
)
def test_a_message_for_slack(told: dict[str, Any], mark: str) -> None:
    made = alert(
        text="<!channel> a & b", details={"clients": ["shop", "app"], "fields": []}, **told
    )
    text = json.loads(encoded(made, "slack"))["text"]

    assert text.splitlines() == [
        f"{mark} *erp is down*",
        "&lt;!channel&gt; a &amp; b",
        "• clients: shop, app",
    ]
