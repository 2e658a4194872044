"""Connections of the lean way: kept, used again, and given up, before a peer on a real socket."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from ports.errors import MalformedError, RefusedError, UnavailableError, UpstreamError
from tests.upstream.loopback import (
    IDENTITY,
    Loopback,
    Reply,
    Writing,
    call,
    config,
    gone,
    good,
    serving,
)
from tests.upstream.wired import Wired
from upstream.http import HttpClient, Request
from upstream.wire import Wire
from upstream.wire_connection import Connection
from upstream.wire_dial import Dialer

ASKED = Request("catalog.products", "/products")
Connect = Callable[..., HttpClient]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    made: list[HttpClient] = []

    def make(peer: Loopback | str, **settings: Any) -> HttpClient:
        url = peer if isinstance(peer, str) else peer.url
        made.append(HttpClient(IDENTITY, config(url, **settings)))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


def writing(*parts: bytes) -> Writing:
    """Sends each part by itself, then closes."""

    async def write(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()

    return write


async def test_one_connection_serves_calls_one_after_the_other(connect: Connect) -> None:
    async with serving(good()) as peer:
        client = connect(peer)
        for _ in range(5):
            await client.send(ASKED, call=call())

    assert (len(peer.received), peer.connections) == (5, 1)


async def test_calls_at_once_have_a_connection_each_and_share_them_later(connect: Connect) -> None:
    async with serving(good()) as peer:
        client = connect(peer)
        for _ in range(3):
            await asyncio.gather(*(client.send(ASKED, call=call()) for _ in range(8)))

    assert (len(peer.received), peer.connections) == (24, 8)


async def test_a_connection_that_its_peer_closes_is_not_used_again(connect: Connect) -> None:
    async with serving(good(connection="close")) as peer:
        client = connect(peer)
        for _ in range(3):
            await client.send(ASKED, call=call())

    assert (len(peer.received), peer.connections) == (3, 3)


async def test_a_kept_connection_that_ends_on_its_next_request_costs_no_try(
    connect: Connect,
) -> None:
    async with serving(good(), gone, good()) as peer:
        client = connect(peer)
        await client.send(ASKED, call=call())
        await client.send(ASKED, call=call())

    assert (len(peer.received), peer.connections) == (3, 2)
    assert client.exchanges.summary()[:2] == (2, 0)


async def test_a_new_connection_that_ends_is_a_failure(connect: Connect) -> None:
    async with serving(good(), gone) as peer:
        client = connect(peer)
        await client.send(ASKED, call=call())
        with pytest.raises(UnavailableError):
            await client.send(ASKED, call=call())

    assert len(peer.received) == 3
    assert client.exchanges.summary()[:2] == (2, 1)


async def test_what_changes_something_goes_by_a_new_connection(connect: Connect) -> None:
    order = Request("orders.place", "/orders", "POST", json={}, idempotent=False)
    async with serving(good(), gone) as peer:
        client = connect(peer)
        await client.send(ASKED, call=call())
        with pytest.raises(UnavailableError):
            await client.send(order, call=call())

    assert (len(peer.received), peer.connections) == (2, 2)


async def test_the_answer_to_a_cancelled_call_reaches_nobody(connect: Connect) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go_on.wait()
        writer.write(good(b'{"n": "of another"}'))
        await writer.drain()

    async with serving(late, good(b'{"n": 2}')) as peer:
        client = connect(peer)
        first = asyncio.create_task(client.send(ASKED, call=call()))
        await asked.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        go_on.set()
        told = [await client.send(ASKED, call=call()) for _ in range(3)]

    assert [one.body for one in told] == [b'{"n": 2}'] * 3


async def test_the_answer_to_a_call_that_was_too_late_reaches_nobody(connect: Connect) -> None:
    go_on = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        writer.write(good(b'{"n": "of another"}'))
        await writer.drain()

    async with serving(late, good(b'{"n": 2}')) as peer:
        client = connect(peer)
        with pytest.raises(UpstreamError):
            await client.send(ASKED, call=call(0.05))
        go_on.set()
        told = [await client.send(ASKED, call=call()) for _ in range(3)]

    assert [one.body for one in told] == [b'{"n": 2}'] * 3


async def test_an_answer_nobody_asked_for_is_nobodys(connect: Connect) -> None:
    async with serving(good(b'{"n": 1}') + good(b'{"n": "of another"}')) as peer:
        client = connect(peer)
        told = [await client.send(ASKED, call=call()) for _ in range(3)]

    assert [one.body for one in told] == [b'{"n": 1}'] * 3
    assert peer.connections == 3


async def test_every_caller_gets_the_own_answer(connect: Connect) -> None:
    """Many at once, some of whom give up at every possible moment."""

    async def own(number: int) -> bool:
        asking = asyncio.create_task(
            client.send(Request("o", "/echo", params={"n": str(number)}), call=call())
        )
        for _ in range(number % 7):
            await asyncio.sleep(0)
        if number % 3 == 0:
            asking.cancel()
        (told,) = await asyncio.gather(asking, return_exceptions=True)
        if isinstance(told, asyncio.CancelledError):
            return True
        assert not isinstance(told, BaseException)
        return told.body == b"n=%d" % number

    echo = Reply(lambda asked: good(asked.target.partition("?")[2].encode()))
    async with serving(echo) as peer:
        client = connect(peer)
        for start in range(0, 300, 30):
            answers = await asyncio.gather(*(own(start + number) for number in range(30)))
            assert all(answers)


@pytest.mark.parametrize(
    ("parts", "body"),
    [
        ([b"HTTP/1.0 200 OK\r\n", b"\r\n{}"], b"{}"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b"\r\n{\r", b"\n1\r\n}\r\n0\r\n", b"\r\n"], b"{}"),
        ([b"HTTP/1.1 100 Continue\r\n", b"\r\n", good(b"{}")], b"{}"),
    ],
)  # fmt: skip
async def test_answers_in_pieces_are_whole(
    connect: Connect, parts: list[bytes], body: bytes
) -> None:
    async with serving(writing(*parts)) as peer:
        assert (await connect(peer).send(ASKED, call=call())).body == body


async def test_a_long_body_and_a_long_answer_pass(connect: Connect) -> None:
    sent, got = b"s" * 3_000_000, b"g" * 3_000_000
    async with serving(good(got)) as peer:
        told = await connect(peer).send(Request("o", "/a", "POST", body=sent), call=call())

    assert peer.received[0].body == sent
    assert told.body == got


@pytest.mark.parametrize(
    "headers", [{"x-a": "1\r\nx-b: 2"}, {"x-a": "\0"}, {"x a": "1"}, {"Content-Length": "5"}]
)
async def test_a_header_that_would_be_two_is_not_sent(
    connect: Connect, headers: dict[str, str]
) -> None:
    async with serving(good()) as peer:
        with pytest.raises(RefusedError):
            await connect(peer).send(Request("o", "/a", headers=headers), call=call())

    assert peer.received == []


async def test_a_name_with_several_addresses_is_tried_at_each(connect: Connect) -> None:
    async with serving(good()) as peer:
        url = peer.url.replace("127.0.0.1", "localhost")
        assert (await connect(url).send(ASKED, call=call())).status == 200
        assert peer.received[0].headers["host"] == url.removeprefix("http://")


async def test_an_address_that_refuses_is_not_the_last() -> None:
    async with serving(good()) as peer:
        told = config(peer.url)
        dialer = Dialer(httpx2.URL(peer.url), told)
        dialer._found = (float("inf"), ("127.0.0.2", "127.0.0.1"))
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        connection = await dialer.dial(
            lambda: Connection(loop, 1_000, lambda _: gone.set(), id), loop.time() + 10
        )
        assert connection.reusable
        connection.abort()
        await gone.wait()


async def test_a_name_that_nobody_has_is_unavailable(connect: Connect) -> None:
    with pytest.raises(UnavailableError):
        await connect("http://nobody.invalid").send(ASKED, call=call())


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_an_address_of_six_is_called(connect: Connect) -> None:
    try:
        async with serving(good(), host="::1") as peer:
            assert (await connect(peer).send(ASKED, call=call())).status == 200
            assert peer.received[0].headers["host"].startswith("[::1]:")
    except OSError:
        pytest.skip("this machine has no address ::1")


async def test_a_connection_that_lay_too_long_is_not_used_again() -> None:
    async with serving(good()) as peer:
        wire = Wire(config(peer.url), {}, idle_seconds=0.0)
        for _ in range(3):
            await wire.ask(ASKED, {}, asyncio.get_running_loop().time() + 10)
        await wire.aclose()

    assert (len(peer.received), peer.connections) == (3, 3)


async def test_connections_that_nobody_needs_are_closed() -> None:
    closed = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(good())
        assert await reader.read() == b""
        writer.close()
        closed.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        wire = Wire(config(url), {}, idle_seconds=0.01)
        await wire.ask(ASKED, {}, asyncio.get_running_loop().time() + 10)
        await closed.wait()
        await wire.aclose()


async def test_closing_ends_calls_under_way(connect: Connect) -> None:
    asked = asyncio.Event()

    async def silent(_writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with serving(silent) as peer:
        client = connect(peer)
        asking = asyncio.create_task(client.send(ASKED, call=call()))
        await asked.wait()
        await client.aclose()
        with pytest.raises(UnavailableError):
            await asking
        with pytest.raises(UnavailableError):
            await client.send(ASKED, call=call())


async def test_a_garbled_answer_ends_only_its_own_call(connect: Connect) -> None:
    async with serving(b"SSH-2.0\r\n\r\n", good()) as peer:
        client = connect(peer)
        with pytest.raises(MalformedError):
            await client.send(ASKED, call=call())
        assert (await client.send(ASKED, call=call())).status == 200


async def test_without_its_parser_calls_go_the_other_way(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("upstream.wire", "upstream.wire_connection"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "httptools", None)
    async with serving(good(b'{"n": 3}')) as peer:
        assert (await connect(peer).send(ASKED, call=call())).body == b'{"n": 3}'
        assert "upstream.wire" not in sys.modules


async def test_an_idle_connection_holds_on_to_no_answer() -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.send(good(b"x" * 100_000))
    await asking

    assert not any(len(part) for part in wired.connection._parts)
