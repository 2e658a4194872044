"""Connections over real sockets: clients that are slow, send too much, or something that is no HTTP."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.http.server import ConnectionRules, protocol

SHORT = 0.05
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


class App:
    """Tells the names of a request's headers; at `/slow` when it is let."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.set()
        if scope["path"] == "/slow":
            await self.let.wait()
        if scope["path"] == "/body":
            while (await receive()).get("more_body"):
                pass
        body = json.dumps([name.decode() for name, _ in scope["headers"]]).encode()
        if scope["path"] == "/large":
            body = b"x" * 50_000_000
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        while (await receive())["type"] != "http.disconnect":
            pass
        self.ended.set()


class Told(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, state: dict[str, Any]) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()
        self.told = state

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.lifespan.state.update(self.told)
        await super().startup(sockets)
        self.is_up.set()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, text: bytes) -> None:
        self.writer.write(text)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], Any]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, json.loads(body)

    async def rest(self) -> bytes:
        """What still comes until the server closes."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


class Server:
    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self.port = port
        self.clients: list[Client] = []

    async def client(self) -> Client:
        made = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(made)
        return made

    async def sent(self, text: bytes) -> Client:
        client = await self.client()
        await client.send(text)
        return client


@asynccontextmanager
async def serving(
    rules: ConnectionRules, keep_alive: int = 75, **state: Any
) -> AsyncIterator[Server]:
    app = App()
    config = uvicorn.Config(
        app,
        http=protocol(rules),
        loop="none",
        lifespan="off",
        log_config=None,
        server_header=False,
        timeout_keep_alive=keep_alive,
        timeout_graceful_shutdown=1,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        served = Server(app, listener.getsockname()[1])
        server = Told(config, state)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await server.is_up.wait()
        try:
            yield served
        finally:
            app.let.set()
            for client in served.clients:
                client.writer.close()
            server.should_exit = True
            await running


async def test_a_good_client_is_served_again_and_again() -> None:
    async with serving(ConnectionRules()) as server:
        client = await server.sent(GET + GET)
        assert [await client.answer(), await client.answer()]

        await client.send(b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhe")
        await client.send(b"llo")

        assert (await client.answer())[2] == ["host", "content-length"]


@pytest.mark.parametrize(
    "begun",
    [
        b"GET / HT",
        b"GET / HTTP/1.1\r\nhost: x\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-a: " + b"a" * 100,
        GET + b"GET / HTTP/1.1\r\nhos",
    ],
    ids=["a line", "no end of headers", "a value without end", "a second request"],
)
async def test_a_head_that_does_not_come_is_ended(begun: bytes) -> None:
    async with serving(ConnectionRules(head_seconds=SHORT)) as server:
        client = await server.sent(begun)
        if begun.startswith(GET):
            assert (await client.answer())[0] == 200

        status, headers, problem = await client.answer()

        assert (status, problem["title"]) == (408, "Request Timeout")
        assert headers["connection"] == "close"
        assert headers["content-type"] == "application/problem+json"
        assert headers["x-request-id"] == problem["requestId"]
        assert await client.rest() == b""


@pytest.mark.parametrize("begun", [b"", b"\r\n\r\n"], ids=["nothing", "empty lines"])
async def test_silence_is_ended_silently(begun: bytes) -> None:
    async with serving(ConnectionRules(head_seconds=SHORT)) as server:
        client = await server.sent(begun)

        assert await client.rest() == b""


async def test_empty_lines_do_not_keep_an_idle_connection() -> None:
    async with serving(ConnectionRules(head_seconds=SHORT)) as server:
        client = await server.sent(GET)
        await client.answer()

        await client.send(b"\r\n")

        assert await client.rest() == b""


async def test_an_idle_connection_outlives_the_time_for_a_head() -> None:
    """Keep-alive is longer; it is the server's own connection that tells when the time is over."""
    async with serving(ConnectionRules(head_seconds=SHORT)) as server:
        kept = await server.sent(GET)
        await kept.answer()
        silent = await server.client()
        assert await silent.rest() == b""

        await kept.send(GET)

        assert (await kept.answer())[0] == 200


async def test_a_body_that_does_not_come_is_ended() -> None:
    rules = ConnectionRules(body_seconds=SHORT - 1)
    async with serving(rules) as server:
        client = await server.sent(
            b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\nhe"
        )

        assert (await client.answer())[0] == 408
        assert await client.rest() == b""


async def test_a_slow_answer_is_not_the_clients_fault() -> None:
    rules = ConnectionRules(head_seconds=SHORT, body_seconds=SHORT - 1)
    async with serving(rules) as server:
        client = await server.sent(GET.replace(b"/ ", b"/slow "))
        await server.app.begun.wait()
        silent = await server.client()
        assert await silent.rest() == b""

        server.app.let.set()

        assert (await client.answer())[0] == 200


async def test_half_a_request_behind_one_that_is_answered_does_not_disturb_the_answer() -> None:
    async with serving(ConnectionRules(head_seconds=SHORT)) as server:
        client = await server.sent(GET.replace(b"/ ", b"/slow ") + b"GET / HTT")
        silent = await server.client()
        assert await silent.rest() == b""

        server.app.let.set()

        assert (await client.answer())[0] == 200
        assert await client.rest() == b""


HOST = b"GET / HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (HOST + b"".join(b"x-%d: a\r\n" % n for n in range(11)) + b"\r\n", 431),
        (HOST + b"x-a: " + b"a" * 1_100 + b"\r\n\r\n", 431),
        (HOST + b"x-a: " + b"a" * 5_000, 431),
        (HOST + b"a" * 5_000, 431),
        (b"GET /" + b"a" * 2_100 + b" HTTP/1.1\r\nhost: x\r\n\r\n", 414),
        (b"GET /" + b"a" * 2_100, 414),
        (b"G" * 10_000, 400),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (HOST + b"host: y\r\n\r\n", 400),
        (HOST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400),
        (HOST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HOST + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        (HOST + b"content-length: +3\r\n\r\nabc", 400),
        (HOST + b"x-a : b\r\n\r\n", 400),
        (HOST + b"x-a: b\r\n c\r\n\r\n", 400),
        (HOST + b"x-a: b\0c\r\n\r\n", 400),
        (HOST + b"x-a: b\nx-b: c\r\n\r\n", 400),
    ],
    ids=[
        "too many headers",
        "a long header",
        "a header without end",
        "a name without end",
        "a long target",
        "a target without end",
        "a method without end",
        "no HTTP",
        "no host",
        "two hosts",
        "two lengths",
        "a length and chunks",
        "chunks that are none",
        "a length with a sign",
        "a space before the colon",
        "a folded header",
        "a NUL",
        "a bare line feed",
    ],
)
async def test_what_is_too_much_or_disputable_is_refused(text: bytes, status: int) -> None:
    rules = ConnectionRules(headers=10, header_bytes=1_000, target_bytes=2_000)
    async with serving(rules) as server:
        client = await server.sent(text)

        assert (await client.answer())[0] == status
        assert await client.rest() == b""
        assert not server.app.begun.is_set()


async def test_headers_after_a_body_are_no_headers() -> None:
    async with serving(ConnectionRules()) as server:
        client = await server.sent(
            b"POST /body HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
            b"2\r\nhi\r\n0\r\nx-api-key: stolen\r\n\r\n"
        )

        assert (await client.answer())[2] == ["host", "transfer-encoding"]


async def pour(client: Client) -> None:
    while True:
        await client.send(b"x" * 65_536)


async def test_a_body_that_goes_on_after_the_answer_is_ended() -> None:
    """A megabyte is let through, so that the client comes to read the answer."""
    async with serving(ConnectionRules()) as server:
        client = await server.sent(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n"
        )
        assert (await client.answer())[0] == 200

        with pytest.raises(ConnectionError):
            await pour(client)


async def test_a_body_that_ends_after_the_answer_leaves_the_connection_open() -> None:
    async with serving(ConnectionRules()) as server:
        client = await server.sent(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nhe")
        assert (await client.answer())[0] == 200

        await client.send(b"ll" + GET)

        assert (await client.answer())[0] == 200


async def test_a_client_that_takes_nothing_in_is_ended() -> None:
    async with serving(ConnectionRules(write_seconds=SHORT)) as server:
        client = await server.sent(GET.replace(b"/ ", b"/large "))

        await server.app.ended.wait()

        assert len(await client.rest()) < 50_000_000


async def test_the_connection_that_waited_longest_makes_room() -> None:
    async with serving(ConnectionRules(connections=2)) as server:
        busy = await server.sent(GET.replace(b"/ ", b"/slow "))
        await server.app.begun.wait()
        dribbling = await server.sent(b"GET / HT")
        third = await server.sent(GET)

        assert await dribbling.rest() == b""
        assert (await third.answer())[0] == 200
        server.app.let.set()
        assert (await busy.answer())[0] == 200


async def test_without_any_that_waits_a_new_connection_is_refused() -> None:
    async with serving(ConnectionRules(connections=1)) as server:
        busy = await server.sent(GET.replace(b"/ ", b"/slow "))
        await server.app.begun.wait()
        second = await server.client()

        assert (await second.answer())[0] == 503
        assert await second.rest() == b""
        server.app.let.set()
        assert (await busy.answer())[0] == 200


async def test_the_oldest_protocol_needs_no_host() -> None:
    async with serving(ConnectionRules()) as server:
        client = await server.sent(b"GET / HTTP/1.0\r\n\r\n")

        assert (await client.answer())[0] == 200


class ClosedDoor:
    """Refuses what is asked of `/shut`."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def refusal(self, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
        assert dict(headers)[b"host"] == b"x"
        self.asked.append(target)
        if target != b"/shut":
            return None
        return b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}"


SHUT = b"POST /shut HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n"


async def test_who_is_refused_at_the_door_may_ask_again() -> None:
    async with serving(ConnectionRules(), door=ClosedDoor()) as server:
        client = await server.sent(SHUT + b"hello" + GET)
        assert (await client.answer())[0] == 503
        assert (await client.answer())[0] == 200

        await client.send(SHUT + b"he")
        status, headers, _ = await client.answer()
        assert (status, "date" in headers) == (503, True)
        await client.send(b"llo" + SHUT + b"hello" + GET)
        assert [(await client.answer())[0] for _ in range(2)] == [503, 200]


async def test_a_refused_body_without_end_is_ended() -> None:
    async with serving(ConnectionRules(), door=ClosedDoor()) as server:
        client = await server.sent(SHUT.replace(b": 5", b": 50000000"))
        assert (await client.answer())[0] == 503
        with suppress(ConnectionError):
            for _ in range(100):
                await client.send(b"x" * 100_000)
        assert await client.rest() == b""
        assert not server.app.begun.is_set()


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /shut HTTP/1.0\r\nhost: x\r\n\r\n",
        b"GET /shut HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"OPTIONS /shut HTTP/1.1\r\nhost: x\r\n\r\n",
        SHUT.replace(b"\r\n\r\n", b"\r\nexpect: 100-continue\r\n\r\n") + b"hello",
    ],
    ids=["HTTP/1.0", "the last one", "a question of a browser", "one that asks first"],
)
async def test_the_door_is_asked_of_simple_requests_alone(request_: bytes) -> None:
    door = ClosedDoor()
    async with serving(ConnectionRules(), door=door) as server:
        client = await server.sent(request_)
        assert (await client.answer())[0] == 200
    assert door.asked == []


async def test_the_door_is_not_asked_while_another_request_is_answered() -> None:
    door = ClosedDoor()
    async with serving(ConnectionRules(), door=door) as server:
        client = await server.sent(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n" + SHUT + b"hello")
        await server.app.begun.wait()
        server.app.let.set()
        assert [(await client.answer())[0] for _ in range(2)] == [200, 200]
    assert door.asked == [b"/slow"]
