"""Where an answer begins and ends, byte for byte; whatever is doubtful ends the connection."""

import asyncio
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ports.errors import MalformedError, UnavailableError
from tests.upstream.wired import Wired
from upstream.failures import StaleError, WireError
from upstream.messages import Response

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# Each is one whole answer: bytes, body, and whether the connection may be used again.
WHOLE: dict[str, tuple[bytes, bytes, bool]] = {
    "length": (OK + b"Content-Length: 3\r\n\r\nabc", b"abc", True),
    "no body": (OK + b"content-length: 0\r\n\r\n", b"", True),
    "chunks": (CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"abc", True),
    "no chunk": (CHUNKED + b"0\r\n\r\n", b"", True),
    "chunk extensions": (CHUNKED + b'3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n', b"abc", True),
    "trailers": (CHUNKED + b"3\r\nabc\r\n0\r\nX-Sum: 9\r\nx: y\r\n\r\n", b"abc", True),
    "padded chunk size": (CHUNKED + b"3  \r\nabc\r\n0\r\n\r\n", b"abc", True),
    "upper-case chunked": (
        OK + b"TRANSFER-ENCODING: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"abc",
        True,
    ),
    "interim": (
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 3\r\n\r\nabc",
        b"abc",
        True,
    ),
    "closing": (OK + b"Connection: close\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
    "old but keeping": (
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc",
        b"abc",
        True,
    ),
    "nothing at all": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "not modified": (b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', b"", True),
    "not modified, telling a length": (
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
        b"",
        False,
    ),
    "no reason": (b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc", b"abc", True),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", b"abc", True),
    "packed": (
        OK
        + b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(zlib.compress(b"abc"))
        + zlib.compress(b"abc"),
        b"abc",
        True,
    ),
}

# None of these is an answer.
REFUSED: dict[str, bytes] = {
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length twice": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "a signed length": OK + b"Content-Length: +3\r\n\r\nabc",
    "a negative length": OK + b"Content-Length: -3\r\n\r\nabc",
    "no length": OK + b"Content-Length: x\r\n\r\nabc",
    "a length beyond numbers": OK + b"Content-Length: 99999999999999999999\r\n\r\nabc",
    "a length beyond the limit": OK + b"Content-Length: 1001\r\n\r\n",
    "length and chunks": OK
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunks and length": OK
    + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "another transfer encoding": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "one within chunks": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "chunks twice": OK
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "nearly chunks": OK + b"Transfer-Encoding: xchunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "no chunk size": CHUNKED + b"g\r\nabc\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "a chunk beyond numbers": CHUNKED + b"fffffffffffffffff\r\nabc",
    "a chunk longer than told": CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
    "chunks beyond the limit": CHUNKED + b"3e9\r\n" + b"x" * 1001,
    "many bytes beyond the limit": OK + b"\r\n" + b"x" * 1001,
    "two encodings": OK + b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\n",
    "an encoding nobody asked for": OK + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc",
    "another protocol": b"SSH-2.0-OpenSSH_9\r\n",
    "a request": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "no status": b"HTTP/1.1 abc OK\r\n\r\n",
    "a status below all": b"HTTP/1.1 099 Low\r\nContent-Length: 3\r\n\r\nabc",
    "a long status": b"HTTP/1.1 2000 OK\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
    "switching to nothing": b"HTTP/1.1 101 Switching\r\n\r\n" + OK + b"content-length: 0\r\n\r\n",
    "a folded header": OK + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": OK + b"Content-Length : 0\r\n\r\n",
    "a zero byte in a header": OK + b"A: b\0c\r\nContent-Length: 0\r\n\r\n",
    "no colon": OK + b"Content-Length\r\n\r\n",
    "a length in a trailer": CHUNKED + b"3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n",
    "too many headers": OK + b"a: b\r\n" * 300 + b"Content-Length: 0\r\n\r\n",
    "a header without end": OK + b"a: " + b"x" * 70_000,
    "trailers without end": CHUNKED + b"3\r\nabc\r\n0\r\n" + b"a: b\r\n" * 20_000,
    "an extension without end": CHUNKED + b"3;" + b"x" * 70_000,
    "interim answers without end": b"HTTP/1.1 103 Early\r\n\r\n" * 5_000,
}  # fmt: skip

LONG_PIECES = 16_384


def pieces(answer: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(answer) + 1) for cut in cuts), len(answer)]
    return [answer[start:end] for start, end in pairwise(places) if start < end]


@pytest.mark.parametrize("name", WHOLE)
@settings(deadline=None, max_examples=40)
@given(cuts=st.lists(st.integers(0, 1_000), max_size=6))
def test_a_whole_answer_is_read_in_any_pieces(name: str, cuts: list[int]) -> None:
    answer, body, again = WHOLE[name]

    async def read() -> None:
        wired = Wired()
        for _ in range(3 if again else 1):
            asking = await wired.ask()
            wired.send(*pieces(answer, cuts))
            response = await asking
            assert response.body == body
            assert wired.connection.reusable is again
        assert wired.socket.ended is not again

    asyncio.run(read())


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_answer_is_malformed_and_ends_the_connection(name: str) -> None:
    wired = Wired(limit=1_000)
    asking = await wired.ask()
    answer = REFUSED[name]
    wired.send(*pieces(answer, list(range(0, len(answer), LONG_PIECES))))
    with pytest.raises(WireError) as caught:
        await asyncio.wait_for(asking, 1)

    assert caught.value.kind is MalformedError
    assert wired.socket.ended
    assert not wired.connection.reusable


@pytest.mark.parametrize("name", WHOLE)
async def test_an_answer_cut_short_is_never_one(name: str) -> None:
    answer, _, _ = WHOLE[name]
    for length in range(len(answer)):
        wired = Wired()
        asking = await wired.ask()
        wired.send(answer[:length])
        wired.end()
        with pytest.raises(WireError) as caught:
            await asking
        headed = b"HTTP/1.1 200" in answer[:length] and (
            b"\r\n\r\n" in answer[:length].rpartition(b"HTTP/1")[2]
        )
        if length == 0 or headed:
            assert caught.value.kind is (MalformedError if headed else UnavailableError)
        assert not wired.connection.reusable


async def test_a_body_without_length_ends_with_its_connection() -> None:
    for head in (OK, b"HTTP/1.0 200 OK\r\n"):
        wired = Wired()
        asking = await wired.ask()
        wired.send(head + b"X: y\r\n\r\nab", b"c")
        assert not asking.done()
        wired.end()
        assert (await asking).body == b"abc"
        assert not wired.connection.reusable


async def test_a_body_without_length_that_breaks_off_is_malformed() -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.send(OK + b"\r\nab")
    wired.end(ConnectionResetError("x"))
    with pytest.raises(WireError) as caught:
        await asking

    assert caught.value.kind is MalformedError


@pytest.mark.parametrize("left", [b"x", b"HTTP/1.1 200 OK\r\n", WHOLE["length"][0], b"\0"])
@pytest.mark.parametrize("name", [name for name, (_, _, again) in WHOLE.items() if again])
async def test_what_is_left_over_reaches_nobody(name: str, left: bytes) -> None:
    answer, body, _ = WHOLE[name]
    for parts in ([answer + left], [answer, left]):
        wired = Wired()
        asking = await wired.ask()
        wired.send(*parts)
        assert (await asking).body == body
        assert wired.socket.ended
        assert not wired.connection.reusable
        with pytest.raises(StaleError):
            await wired.connection.ask(b"", 0.0)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 204 No Content\r\nContent-Length: 60\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 60\r\n\r\n",
        b"HTTP/1.1 103 Early\r\nContent-Length: 60\r\n\r\n" + WHOLE["length"][0],
    ],
)
async def test_a_body_where_none_may_be_is_nobodys_answer(head: bytes) -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.send(head)
    await asking

    assert wired.socket.ended
    assert not wired.connection.reusable


async def test_a_call_given_up_takes_its_connection_along() -> None:
    wired = Wired()
    asking = await wired.ask()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert asking.cancelled()
    assert wired.socket.ended
    assert not wired.connection.reusable


async def test_an_answer_to_nobody_ends_the_connection() -> None:
    wired = Wired()
    asking = await wired.ask()
    asking.cancel()
    wired.send(WHOLE["length"][0])
    await asyncio.gather(asking, return_exceptions=True)

    assert asking.cancelled()
    assert wired.socket.ended
    assert not wired.connection.reusable
    assert not wired.freed


async def test_a_call_given_up_when_its_answer_has_come_leaves_the_connection_to_others() -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.send(WHOLE["length"][0])
    other = await wired.ask()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    wired.send(WHOLE["length"][0])

    assert (await other).status == 200
    assert not wired.socket.ended


async def test_an_answer_before_the_whole_request_ends_the_connection() -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.socket.unsent = 10
    wired.send(WHOLE["length"][0])

    assert (await asking).status == 200
    assert not wired.connection.reusable


async def test_a_connection_used_before_that_ended_is_stale_and_a_new_one_is_not() -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.send(WHOLE["length"][0])
    await asking
    asking = await wired.ask()
    wired.end(ConnectionResetError("x"))
    with pytest.raises(StaleError):
        await asking

    wired = Wired()
    asking = await wired.ask()
    wired.end()
    with pytest.raises(WireError) as caught:
        await asking
    assert not isinstance(caught.value, StaleError)
    assert caught.value.kind is UnavailableError
    assert wired.gone == [wired.connection]


async def test_a_connection_used_before_that_said_something_is_not_stale() -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.send(WHOLE["length"][0])
    await asking
    asking = await wired.ask()
    wired.send(b"HTTP/1.1 2")
    wired.end()
    with pytest.raises(WireError) as caught:
        await asking

    assert not isinstance(caught.value, StaleError)


async def test_headers_are_found_in_any_case_and_joined() -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.send(OK + b"X-A: 1\r\nx-a: 2\r\nEmpty:\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")
    response = await asking

    assert dict(response.headers) == {
        "x-a": "1, 2",
        "empty": "",
        "retry-after": "7",
        "content-length": "0",
    }
    assert response.headers["X-A"] == "1, 2"
    assert "nothing" not in response.headers
    assert response.retry_after == 7.0


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([answer for answer, _, _ in WHOLE.values()] + list(REFUSED.values())),
    st.lists(st.tuples(st.integers(0, 200), st.binary(max_size=4)), max_size=4),
    st.lists(st.integers(0, 300), max_size=4),
)
def test_no_bytes_do_anything_but_answer_or_fail(
    answer: bytes, changes: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    for place, change in changes:
        answer = answer[:place] + change + answer[place + len(change) :]

    async def read() -> None:
        wired = Wired(limit=1_000)
        asking = await wired.ask()
        wired.send(*pieces(answer[:2_000], cuts))
        await asyncio.sleep(0)
        assert asking.done() or not wired.connection.reusable
        wired.end()
        (told,) = await asyncio.gather(asking, return_exceptions=True)
        assert isinstance(told, Response | WireError)
        assert not isinstance(told, Response) or len(told.body) <= 1_000

    asyncio.run(read())


async def test_a_later_call_that_has_less_time_ends_at_its_own() -> None:
    wired = Wired()
    asking = await wired.ask()
    wired.send(WHOLE["length"][0])
    await asking

    hurried = await wired.ask(seconds=0.02)
    with pytest.raises(TimeoutError):
        await hurried
    assert wired.socket.ended


async def test_a_later_call_has_the_time_that_an_earlier_one_had_not() -> None:
    wired = Wired()
    asking = await wired.ask(seconds=0.02)
    wired.send(WHOLE["length"][0])
    await asking

    patient = await wired.ask()
    await asyncio.sleep(0.05)
    wired.send(WHOLE["length"][0])
    assert (await patient).status == 200

    late = await wired.ask(seconds=0.02)
    with pytest.raises(TimeoutError):
        await late
