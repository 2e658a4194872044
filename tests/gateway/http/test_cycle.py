"""Whole answers over real connections, and applications that give none."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.http.answering import Answering
from gateway.http.cycle import Bell, Lines
from gateway.http.responses import Header, send_whole
from gateway.http.server import ConnectionRules, protocol

Serve = Callable[[str, Send], object]


class App:
    """Answers by the path; a header `x-told` has what the query tells."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = Answering(send)
        headers: list[Header] = [(b"x-told", scope["query_string"])]
        match scope["path"]:
            case "/close":
                headers.append((b"connection", b"close"))
            case "/none":
                return
            case "/half":
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                return
            case "/fails":
                raise ValueError
            case "/value":
                headers.append((b"x-told", b"a\r\nset-cookie: b"))
            case "/name":
                headers.append((b"x told", b""))
        size = 1_000_000 if scope["path"] == "/large" else 2
        await send_whole(answer, 200, b"x" * size, headers, head=scope["method"] == "HEAD")
        assert (await receive())["type"] == "http.disconnect"


class Served(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Served, int]]:
    config = uvicorn.Config(
        App(),
        http=protocol(ConnectionRules()),
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Served(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        await server.is_up.wait()
        try:
            yield server, listener.getsockname()[1]
        finally:
            server.should_exit = True
            await running


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving() as (_, port):
        yield port


def request(path: str, method: str = "GET", version: str = "1.1", more: str = "") -> bytes:
    return f"{method} {path} HTTP/{version}\r\nhost: x\r\n{more}\r\n".encode()


async def said(port: int, *requests: bytes) -> bytes:
    """All that is answered, to the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(requests))
    found = await reader.read()
    writer.close()
    return found


async def test_a_whole_answer_is_one_of_http(port: int) -> None:
    last = request("/b%20c?q", more="connection: close\r\n")

    first, second = (await said(port, request("/?one"), last)).split(b"xxHTTP")

    head, lines = first.split(b"\r\n\r\n")[0].splitlines()[0], first.splitlines()
    assert head == b"HTTP/1.1 200 OK"
    assert lines[1].startswith(b"date: ")
    assert lines[2:4] == [b"x-told: one", b"content-length: 2"]
    assert b"connection: close" not in first
    assert b"\r\nx-told: q\r\n" in second
    assert second.endswith(b"\r\nconnection: close\r\n\r\nxx")


async def test_an_answer_may_end_the_connection(port: int) -> None:
    answer = await said(port, request("/close"))
    assert answer.count(b"connection: close") == 1


async def test_the_oldest_protocol_keeps_no_connection(port: int) -> None:
    answer = await said(port, request("/", version="1.0"))
    assert b"\r\nconnection: close\r\n" in answer


async def test_a_head_has_no_body(port: int) -> None:
    answer = await said(port, request("/", "HEAD"), request("/close", "HEAD"))
    assert answer.count(b"content-length: 2") == 2
    assert answer.endswith(b"\r\n\r\n")


async def test_a_long_body_comes_whole(port: int) -> None:
    answer = await said(port, request("/large", more="connection: close\r\n"))
    assert answer.partition(b"\r\n\r\n")[2] == b"x" * 1_000_000


@pytest.mark.parametrize("path", ["/none", "/fails", "/value", "/name"])
async def test_what_cannot_be_sent_is_answered_with_an_error(port: int, path: str) -> None:
    answer = await said(port, request(path))
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"set-cookie" not in answer


async def test_half_an_answer_ends_the_connection(port: int) -> None:
    answer = await said(port, request("/half"))
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_nothing_is_left_of_requests_that_were_answered() -> None:
    async with serving() as (server, port):
        await said(port, *[request("/")] * 20, request("/close"))
        await said(port, request("/fails"))

        assert server.server_state.tasks == set()


def test_lines_are_checked_once_a_name_and_always_by_value() -> None:
    lines = Lines()
    for _ in range(2):
        assert lines.of([(b"a", b"1\t2"), (b"b", b"\xe9")]) == b"a: 1\t2\r\nb: \xe9\r\n"
    for name, value in ((b"a", b"\n"), (b"a", b"\0"), (b"a b", b""), (b"a:", b""), (b"", b"")):
        with pytest.raises(RuntimeError):
            lines.of([(name, value)])
    for number in range(2_000):
        lines.of([(b"x%d" % number, b"")])
    assert len(lines._names) <= 1_000


async def test_a_bell_wakes_who_waits_and_is_rung_again() -> None:
    bell = Bell()
    bell.set()
    await bell.wait()
    bell.clear()
    waiting = asyncio.create_task(bell.wait())
    await asyncio.sleep(0)
    assert not waiting.done()

    bell.set()

    await waiting
    bell.clear()
    assert not asyncio.create_task(bell.wait()).done()
