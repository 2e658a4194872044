"""What an ERP that misbehaves on the wire costs a whole gateway: its own fields, and no more.

It stands on a real socket; an answer that came at all did not wait for one without end.
"""

import asyncio
import gzip
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Open, Shop, tables_of
from tests.end_to_end.test_resilience_faults import ALL, codes, variables
from tests.peers.certificates import self_signed
from tests.upstream.loopback import Answer, Writing, serving

SOON = {"x_request_timeout_ms": "1500"}


class Endless:
    """A hundred megabytes, or what is taken of them."""

    def __init__(self, *, told: bool) -> None:
        """`told`: how long it is stands before it."""
        self._told = told
        self.sent = 0

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        size = 100 * 1024 * 1024
        length = f"content-length: {size}" if self._told else "connection: close"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
        writer.write(head.encode())
        while self.sent < size:
            writer.write(b" " * 65_536)
            await writer.drain()
            self.sent += 65_536


async def beside(opened: Open, folder: Path, address: str, **more: object) -> Shop:
    """A gateway whose ERP is at this address, all others being well."""
    upstreams = tables_of(folder)["upstreams"]
    erp = {**upstreams["erp"], "base_url": address, **more}
    return await opened(real=["erp"], upstreams={**upstreams, "erp": erp}, cache={"enabled": False})


async def asked(shop: Shop, **headers: str) -> set[str]:
    """The codes of the ERP's fields; those of the others are there."""
    answer = await shop.ask(ALL, variables(shop), **headers)
    assert answer["data"]["product"]["name"]
    assert answer["data"]["customer"]["name"]
    assert answer["data"]["product"]["availability"] is None
    return codes(answer)


async def asked_beside(opened: Open, folder: Path, address: str, **headers: str) -> set[str]:
    return await asked(await beside(opened, folder, address), **headers)


@pytest.mark.parametrize("told", [True, False])
async def test_of_a_hundred_megabytes_the_limit_is_read_at_most(
    opened: Open, tmp_path: Path, told: bool
) -> None:
    endless = Endless(told=told)
    async with serving(endless) as peer:
        assert await asked_beside(opened, tmp_path, peer.url) == {"UPSTREAM_MALFORMED"}
        # The limit of 10 MB, and what lies in buffers between.
        assert len(peer.received) == 1
        assert 0 < endless.sent <= 20 * 1024 * 1024


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
# The beginning of an answer as the ERP gives it.
BEGUN = b'{"length": 1, "records": [{"id"'


def whole(body: bytes, *lines: bytes, head: bytes = HEAD) -> bytes:
    told = b"".join(b"%s\r\n" % line for line in lines)
    return b"%s%scontent-length: %d\r\n\r\n%s" % (head, told, len(body), body)


def then_closed(answer: bytes) -> Writing:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return write


def moved_to(place: bytes) -> bytes:
    return whole(b"", b"location: " + place, head=b"HTTP/1.1 302 Found\r\n")


BOMB = gzip.compress(gzip.compress(b" " * 50_000_000))
FAULTS: dict[str, Answer] = {
    "half an answer": then_closed(HEAD + b"content-length: 1000\r\n\r\n" + BEGUN),
    "half a chunk": then_closed(CHUNKED + b"3e8\r\n" + BEGUN),
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
    "chunks of no size": CHUNKED + b"zz\r\n" + BEGUN + b"\r\n0\r\n\r\n",
    "a chunk of less than nothing": CHUNKED + b"-1\r\n" + BEGUN + b"\r\n0\r\n\r\n",
    "a chunk of all there is": then_closed(CHUNKED + b"ffffffffffffffff\r\n" + BEGUN),
    "nothing": b"HTTP/1.1 204 No Content\r\n\r\n",
    "interim answers without end": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5_000,
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
    "a way to itself": moved_to(b"/json/2/product.product/search_read"),
    "a way to elsewhere": moved_to(b"http://127.0.0.1:1/"),
    "a page": whole(b"<!doctype html><title>Log in</title>", head=b"HTTP/1.1 200 OK\r\n"),
    "no UTF-8": whole(b'[{"id": 1, "default_code": "\xff\xfe"}]'),
    "half a letter": whole(b'[{"id": 1, "default_code": "\xc3"}]'),
    "depth without end": whole(b"[" * 1_000_000),
    "a bomb": whole(BOMB, b"content-encoding: gzip, gzip"),
    "packed by nobody's wish": whole(b"abc", b"content-encoding: br"),
    "two lengths": whole(b"[]", b"content-length: 100"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_no_answer(opened: Open, tmp_path: Path, fault: str) -> None:
    async with serving(FAULTS[fault]) as peer:
        assert await asked_beside(opened, tmp_path, peer.url) == {"UPSTREAM_MALFORMED"}


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte now and then: each is life, and the whole never comes."""
    writer.write(HEAD + b"content-length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_head(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while True:
        writer.write(b"x: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("slow", [drip, drip_head])
async def test_bytes_that_come_one_by_one_end_at_the_deadline(
    opened: Open, tmp_path: Path, slow: Answer
) -> None:
    """They would go on for ever: an answer that comes at all did not wait for their end."""
    async with serving(slow) as peer:
        codes = await asked_beside(opened, tmp_path, peer.url, x_request_timeout_ms="1000")

    assert codes == {"UPSTREAM_TIMEOUT"}


async def test_a_name_that_nobody_knows(opened: Open, tmp_path: Path) -> None:
    address = "http://erp.invalid"

    assert await asked_beside(opened, tmp_path, address) == {"UPSTREAM_UNAVAILABLE"}


async def test_nobody_listens(opened: Open, tmp_path: Path) -> None:
    address = "http://127.0.0.1:1"

    assert await asked_beside(opened, tmp_path, address) == {"UPSTREAM_UNAVAILABLE"}


CERTIFICATES: dict[str, dict[str, Any]] = {
    "of nobody known": {},
    "of another name": {"of": "127.0.0.2"},
    "that has ended": {"days": -1},
}


@pytest.mark.parametrize("wrong", CERTIFICATES)
async def test_a_certificate(opened: Open, tmp_path: Path, wrong: str) -> None:
    made = self_signed(tmp_path, **CERTIFICATES[wrong])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made)
    known = {"ca_file": str(made)} if CERTIFICATES[wrong] else {}
    async with serving(tls=context) as peer:
        shop = await beside(opened, tmp_path, peer.url, **known)

        assert await asked(shop) == {"UPSTREAM_UNAVAILABLE"}
        assert peer.received == []


@pytest.mark.parametrize("wish", [b"30", b"86400", b"9" * 400, b"Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_one_who_wants_to_be_left_alone_is(opened: Open, tmp_path: Path, wish: bytes) -> None:
    """Nobody tries again within the query, and with the circuit open nobody asks at all."""
    head = b"HTTP/1.1 429 Too Many Requests\r\n"
    async with serving(whole(b"", b"retry-after: " + wish, head=head)) as peer:
        shop = await beside(opened, tmp_path, peer.url)
        told = [await shop.ask(ALL, variables(shop), **SOON) for _ in range(30)]

    errors = [one["extensions"] for answer in told for one in answer["errors"]]
    assert errors[0]["code"] == "UPSTREAM_THROTTLED"
    assert 0 < errors[0]["retryAfter"] <= 86_400
    assert {one["code"] for one in errors} <= {"UPSTREAM_THROTTLED", "UPSTREAM_UNAVAILABLE"}
    assert len(peer.received) <= 0.5 * len(told)
