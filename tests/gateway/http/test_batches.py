"""Arrays of operations: each answered as if it had come alone, and only where it is configured."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from starlette.types import Message, Receive, Scope, Send

from gateway.app import build
from gateway.http.batches import Batches
from gateway.http.incoming import header
from gateway.settings import read

JSON = {"content-type": "application/json"}


class Echo:
    """Answers with what it was sent, and with a status and headers of the test's choice."""

    def __init__(self) -> None:
        self.seen: list[Scope] = []
        self.statuses: list[int] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.disconnects = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        body = (await receive()).get("body", b"")
        if body == b'"wait"':
            assert (await receive())["type"] == "http.disconnect"
            self.disconnects += 1
        status = self.statuses.pop(0) if self.statuses else 200
        headers = [(b"x-own", b"1"), *self.headers]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"sent":' + body + b"}"})


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def client(echo: Echo) -> AsyncIterator[httpx2.AsyncClient]:
    app = Batches(echo, 3, max_body_bytes=1_000, body_seconds=5)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as made:
        yield made


async def test_each_is_answered_in_its_place(client: httpx2.AsyncClient, echo: Echo) -> None:
    answer = await client.post("/", json=[1, {"a": 2}, None])

    assert answer.status_code == 200
    assert answer.json() == [{"sent": 1}, {"sent": {"a": 2}}, {"sent": None}]
    assert answer.headers["content-type"].startswith("application/json")
    assert "x-own" not in answer.headers
    assert [header(one, b"content-length") for one in echo.seen] == [b"1", b"7", b"4"]


async def test_what_is_one_operation_passes_as_it_is(
    client: httpx2.AsyncClient, echo: Echo
) -> None:
    for body in (b'{"query": "{ a }" }', b'"x"'):
        answer = await client.post("/", content=body, headers=JSON)
        assert answer.content == b'{"sent":' + body + b"}"
        assert answer.headers["x-own"] == "1"
    await client.get("/")
    await client.post("/", content=b"[1", headers=JSON)
    await client.post("/", content=b"[1]", headers={"content-type": "text/plain"})
    await client.post("/", content=b"[1]", headers={**JSON, "content-encoding": "gzip"})
    assert len(echo.seen) == 6


@pytest.mark.parametrize(
    ("body", "status"), [(b"[]", 400), (b"[1,1,1,1]", 400), (b"[" + b" " * 1_000 + b"]", 413)]
)
async def test_too_many_or_none_are_refused(
    client: httpx2.AsyncClient, echo: Echo, body: bytes, status: int
) -> None:
    answer = await client.post("/", content=body, headers=JSON)

    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"]
    assert echo.seen == []


async def test_a_status_that_all_share_is_that_of_the_answer(
    client: httpx2.AsyncClient, echo: Echo
) -> None:
    echo.headers = [(b"www-authenticate", b"Bearer"), (b"set-cookie", b"no")]
    echo.statuses = [401, 401, 401, 200]

    refused = await client.post("/", json=[1, 2])
    mixed = await client.post("/", json=[1, 2])

    assert (refused.status_code, mixed.status_code) == (401, 200)
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in refused.headers


async def test_single_answers_are_neither_packed_nor_left_out(
    client: httpx2.AsyncClient, echo: Echo
) -> None:
    headers = {"accept-encoding": "gzip", "if-none-match": '"x"', "accept": "text/html", "x-a": "b"}

    await client.post("/", json=[1], headers=headers)

    names = {name for name, _ in echo.seen[0]["headers"]}
    assert b"x-a" in names
    assert not names & {b"accept-encoding", b"if-none-match", b"accept"}


async def test_a_client_that_hangs_up_ends_all(echo: Echo) -> None:
    messages: list[Message] = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b'["wait","wait"]', "more_body": False},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    async with asyncio.timeout(30):
        await Batches(echo, 3, max_body_bytes=99, body_seconds=5)(scope, receive, send)

    assert echo.disconnects == 2
    assert sent == []


async def gateway(size: int, body: Any) -> httpx2.Response:
    tables = {"access": {"anonymous": True}, "graphql": {"batch_size": size}}
    transport = httpx2.ASGITransport(app=build(read(tables)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.post("/graphql", content=json.dumps(body), headers=JSON)


async def test_the_gateway_takes_arrays_where_it_is_told_to() -> None:
    body = [{"query": "{ viewer { kind } }"}, {"query": "{ nope }"}, {"query": ""}]

    on, off = await gateway(3, body), await gateway(0, body)

    assert on.status_code == 200
    first, second, third = on.json()
    assert first["data"] == {"viewer": {"kind": "ANONYMOUS"}}
    assert second["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert third["errors"]
    assert "ratelimit" in on.headers
    assert off.status_code == 400
    assert off.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
