"""Requests like earlier ones, over real connections: the same answers without the application."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import orjson
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.execution.answer import Answer, Encoded
from gateway.http.app import http_app
from gateway.http.compression import CompressionRules
from gateway.http.cross_origin import CrossOrigin
from gateway.http.endpoint import Endpoint
from gateway.http.express import EXPRESS, SHARED, Express, Work
from gateway.http.security_headers import SecurityHeaders
from gateway.http.server import ConnectionRules, protocol
from gateway.http.shedding import DOOR, Shedding, SheddingRules
from gateway.operations.request import GraphQLRequest, Method
from gateway.settings.cross_origin import CorsSettings

OWN = re.compile(rb"(?<=\r\nx-request-id: )\w+|(?<=\r\ndate: )[^\r]+")


class Engine:
    """Tells the query as data; `fails` with an error, `waits` until it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = asyncio.Event()
        self.let = asyncio.Event()
        self.is_cancelled = False

    async def execute(self, request: GraphQLRequest, *, context: object, method: Method) -> Answer:
        _ = context, method
        self.asked += 1
        query = request.query or ""
        if query == "fails":
            return Answer({}, [{"message": "It fails."}])
        if query == "waits":
            self.begun.set()
            try:
                await self.let.wait()
            except asyncio.CancelledError:
                self.is_cancelled = True
                raise
        return Answer(Encoded(orjson.dumps({"said": query})), [])


class Asked:
    """The application, and how often it was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.times = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.times += scope["type"] == "http"
        await self._app(scope, receive, send)


class Doors:
    def language(self, sent: bytes | None) -> str:
        return (sent or b"en").decode()


class Gateway:
    """All layers around an engine, on a port of its own."""

    def __init__(self, most: int = 100) -> None:
        self.engine = Engine()
        self.counted: list[int] = []
        rules = CompressionRules(min_bytes=100)
        operations = Endpoint(self.engine, self._context, compression=rules)
        shedding = Shedding(operations, SheddingRules(most=most))
        doors: Any = Doors()
        express = Express(
            doors,
            None,
            Work(operations, shedding),
            lambda *_: None,
            lambda status, _: self.counted.append(status),
        )
        state = {DOOR: shedding, EXPRESS: express}
        inner = http_app(shedding, not_ready=self._nothing, state=state)
        self.app = Asked(SecurityHeaders(CrossOrigin(inner, CorsSettings())))
        self.port = 0
        self.clients: list[Client] = []

    async def _context(self, *_: object) -> object:
        return object()

    async def _nothing(self) -> tuple[str, ...]:
        return ()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Gateway"]:
        config = uvicorn.Config(
            self.app,
            http=protocol(ConnectionRules()),
            loop="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(config)
            running = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started:
                await asyncio.sleep(0.005)
            self.port = listener.getsockname()[1]
            try:
                yield self
            finally:
                for one in self.clients:
                    one.writer.close()
                server.should_exit = True
                await running


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway().serving() as made:
        yield made


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.request_id: str | None = None

    @classmethod
    async def of(cls, gateway: Gateway) -> "Client":
        made = cls(*await asyncio.open_connection("127.0.0.1", gateway.port))
        gateway.clients.append(made)
        return made

    async def ask(self, *parts: bytes) -> bytes:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            if len(parts) > 1:
                await asyncio.sleep(0.02)
        return await self.answer()

    async def answer(self) -> bytes:
        """The whole of one, its headers sorted, but for what belongs to it alone."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        told = re.search(rb"content-length: (\d+)", head)
        found = re.search(rb"x-request-id: (\w+)", head)
        self.request_id = found and found[1].decode()
        assert told is not None
        first, *lines = OWN.sub(b"", head).split(b"\r\n")
        body = await self._reader.readexactly(int(told[1]))
        return b"\r\n".join([first, *sorted(lines), body])


def request(query: str = "hello", more: str = "") -> bytes:
    body = orjson.dumps({"query": query})
    head = f"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{more}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("more", ["", "accept: application/graphql-response+json\r\n"])
async def test_the_third_is_answered_like_the_first(gateway: Gateway, more: str) -> None:
    """The second is parsed, the third not even that."""
    client = await Client.of(gateway)

    answers = [await client.ask(request(more=more)) for _ in range(4)]

    assert b'{"said":"hello"}' in answers[0]
    assert len(set(answers)) == 1
    assert gateway.app.times == 1
    assert gateway.engine.asked == 4
    assert gateway.counted == [200] * 3


async def test_other_bodies_of_the_same_length_are_read(gateway: Gateway) -> None:
    client = await Client.of(gateway)
    for _ in range(3):
        await client.ask(request("hello"))

    assert b'"world"' in await client.ask(request("world"))
    assert b'"longer one"' in await client.ask(request("longer one"))
    assert gateway.app.times == 1


async def test_other_headers_are_another_request(gateway: Gateway) -> None:
    client = await Client.of(gateway)
    for _ in range(3):
        await client.ask(request())

    refused = await client.ask(request(more="origin: https://evil.example\r\n"))

    assert b" 403 " in refused
    assert gateway.app.times == 2


async def test_a_request_in_pieces_is_one_all_the_same(gateway: Gateway) -> None:
    client, whole = await Client.of(gateway), request()
    for _ in range(3):
        await client.ask(whole)

    assert await client.ask(whole[:50], whole[50:]) == await client.ask(whole)
    at = whole.index(b"\r\n\r\n") + 4
    assert await client.ask(whole[:at], whole[at:]) == await client.ask(whole)


async def test_requests_that_come_together_are_answered_in_their_order(gateway: Gateway) -> None:
    client = await Client.of(gateway)
    for query in ("one", "two", "one", "two"):
        await client.ask(request(query))

    client.writer.write(request("one") + request("two") + request("one"))

    answers = [await client.answer() for _ in range(3)]
    assert [b'"one"' in one for one in answers] == [True, False, True]


async def test_one_that_comes_while_another_is_answered_waits(gateway: Gateway) -> None:
    client = await Client.of(gateway)
    for _ in range(3):
        await client.ask(request("hello"))
    client.writer.write(request("waits"))
    await gateway.engine.begun.wait()

    client.writer.write(request("hello"))
    await asyncio.sleep(0.02)
    asked = gateway.engine.asked
    gateway.engine.let.set()

    assert b'"waits"' in await client.answer()
    assert b'"hello"' in await client.answer()
    assert asked == 4


async def test_an_answer_with_errors_is_told_by_the_application(gateway: Gateway) -> None:
    """Once in full, and worked out once."""
    client = await Client.of(gateway)
    for _ in range(3):
        await client.ask(request("fails"))
    first = await client.ask(request("fails"))
    for _ in range(3):
        await client.ask(request("hello"))

    second = await client.ask(request("fails"))

    assert first == second
    assert b"It fails." in second
    assert gateway.engine.asked == 8


async def test_what_is_compressed_is_so_for_all_alike(gateway: Gateway) -> None:
    """Whichever of a form comes first, a short answer or a long one."""
    client, more = await Client.of(gateway), "accept-encoding: gzip\r\n"
    long = "x" * 200
    for _ in range(3):
        await client.ask(request("hello", more))

    answers = [await client.ask(request(long, more)) for _ in range(4)]

    assert all(b"content-encoding: gzip" in one for one in answers)
    assert len(set(answers)) == 1
    assert gateway.app.times == 2
    plain = await client.ask(request("hello", more))
    assert b'"hello"' in plain
    assert b"content-encoding" not in plain


async def test_ids_and_traces_are_those_of_each_request(gateway: Gateway) -> None:
    client = await Client.of(gateway)
    trace = "0af7651916cd43dd8448eb211c80319c"

    for name in ("one", "two", "three"):
        await client.ask(request(more=f"x-request-id: {name}\r\n"))
        assert client.request_id == name
    await client.ask(request(more=f"traceparent: 00-{trace}-b7ad6b7169203331-01\r\n"))
    assert client.request_id == trace
    ids = set()
    for _ in range(4):
        await client.ask(request())
        ids.add(client.request_id)

    assert len(ids) == 4
    assert not ids & {"one", "two", "three", trace}
    assert gateway.app.times == 1


async def test_the_work_for_a_client_that_went_is_ended(gateway: Gateway) -> None:
    client = await Client.of(gateway)
    for _ in range(3):
        await client.ask(request("hello"))
    client.writer.write(request("waits"))
    await gateway.engine.begun.wait()

    client.writer.close()

    async with asyncio.timeout(5):
        while not gateway.engine.is_cancelled:
            await asyncio.sleep(0.005)


async def test_headers_that_never_come_again_are_hardly_learned() -> None:
    """And when they do come again, they are learned as before."""
    doors: Any = Doors()
    work: Any = Work(cast("Any", None), cast("Any", None))
    express = Express(doors, None, work, lambda *_: None, lambda *_: None)

    def learned(name: bytes) -> bool:
        headers = [(b"host", b"x"), (b"x-own", name)]
        scope: Any = dict.fromkeys(SHARED)
        scope["headers"] = headers
        key = express.key(b"/", None, headers)
        express.learn(key, {**scope, "state": {"plain": True}}, [], b"")
        return express.form(key) is not None

    first = [learned(b"%d" % number) for number in range(10)]
    for number in range(1_000, 3_000):
        express.learn(
            express.key(b"/%d" % number, None, []),
            {"state": {"plain": True}, "headers": [], **dict.fromkeys(SHARED)},
            [],
            b"",
        )
    later = [learned(b"n%d" % number) for number in range(200)]

    assert all(first)
    assert sum(later) < 100


async def test_a_chunked_body_is_parsed_each_time(gateway: Gateway) -> None:
    client, body = await Client.of(gateway), orjson.dumps({"query": "hello"})
    head = b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    chunked = b"%stransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (head, len(body), body)

    answers = [await client.ask(chunked) for _ in range(4)]

    assert all(b'"hello"' in one for one in answers)


async def test_too_many_are_refused_as_ever() -> None:
    async with Gateway(most=1).serving() as gateway:
        first, second = await Client.of(gateway), await Client.of(gateway)
        for _ in range(3):
            await first.ask(request("hello"))
        first.writer.write(request("waits"))
        await gateway.engine.begun.wait()

        refused = await second.ask(request("hello"))
        gateway.engine.let.set()

        assert b" 503 " in refused
        assert b"retry-after" in refused
        assert b'"waits"' in await first.answer()
        assert b'"hello"' in await second.ask(request("hello"))
