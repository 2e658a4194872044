"""Heads of answers met before: whatever follows them, an answer is what the parser would make of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ports.errors import UnavailableError
from tests.upstream.test_wire_framing import WHOLE
from tests.upstream.wired import Wired
from upstream.failures import WireError
from upstream.messages import Headers, Response
from upstream.wire_known import Known, KnownHeads

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n"


async def answered(wired: Wired, *pieces: bytes) -> Response:
    asking = await wired.ask()
    wired.send(*pieces)
    return await asking


def told(response: Response) -> tuple[int, dict[str, str], bytes]:
    return response.status, dict(response.headers), response.body


@pytest.mark.parametrize("name", [name for name, one in WHOLE.items() if one[2]])
async def test_an_answer_is_the_same_however_often_it_comes(name: str) -> None:
    sent, body, _ = WHOLE[name]
    wired = Wired()

    answers = [told(await answered(wired, sent)) for _ in range(4)]

    assert answers == [answers[0]] * 4
    assert answers[0][2] == body
    assert len(wired.freed) == 4
    assert not wired.socket.ended


async def test_another_body_of_the_same_length_is_its_own() -> None:
    wired = Wired()

    bodies = [(await answered(wired, HEAD + body)).body for body in (b"abc", b"def", b"ghi")]

    assert bodies == [b"abc", b"def", b"ghi"]


@given(cut=st.integers(1, len(HEAD) + 2))
@settings(max_examples=60)
async def test_one_in_pieces_is_read_as_ever(cut: int) -> None:
    wired, sent = Wired(), HEAD + b"abc"
    first = told(await answered(wired, sent))

    assert told(await answered(wired, sent[:cut], sent[cut:])) == first
    assert told(await answered(wired, sent)) == first


async def test_more_than_was_told_ends_the_connection() -> None:
    """The answer itself is whole; what follows was asked for by nobody."""
    wired = Wired()
    await answered(wired, HEAD + b"abc")

    assert (await answered(wired, HEAD + b"abcX")).body == b"abc"
    assert wired.socket.ended


async def test_less_than_was_told_is_no_answer() -> None:
    wired = Wired()
    await answered(wired, HEAD + b"abc")
    asking = await wired.ask()

    wired.send(HEAD + b"ab")
    wired.end()

    with pytest.raises(WireError):
        await asking


async def test_an_answer_that_nobody_waits_for_ends_the_connection() -> None:
    wired = Wired()
    await answered(wired, HEAD + b"abc")

    wired.send(HEAD + b"abc")

    assert wired.socket.ended


async def test_one_that_comes_before_the_request_went_out_is_the_last() -> None:
    wired = Wired()
    await answered(wired, HEAD + b"abc")
    asking = await wired.ask()
    wired.socket.unsent = 1

    wired.send(HEAD + b"abc")

    assert (await asking).body == b"abc"
    assert wired.socket.ended


async def test_a_longer_answer_than_is_allowed_is_none() -> None:
    wired = Wired(limit=2)
    asking = await wired.ask()

    wired.send(HEAD + b"abc")

    with pytest.raises(WireError) as refused:
        await asking
    assert refused.value.kind is not UnavailableError


def test_heads_are_bounded_in_number_and_length() -> None:
    heads, one = KnownHeads(), Known(200, Headers([]), 1)
    heads.meet(b"x" * 5_000, one)
    assert heads.find(b"x" * 5_000) is None
    for number in range(2_000):
        heads.meet(b"%d" % number, one)

    kept = [number for number in range(2_000) if heads.find(b"%d" % number)]

    assert 1_999 in kept
    assert len(kept) <= 512
