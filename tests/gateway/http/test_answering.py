"""What layers add to an answer, whether it goes out in pieces or as a whole; what a head tells."""

from typing import Any

import pytest
from starlette.types import Message

from gateway.http.answering import Answering, Lacking, answering
from gateway.http.head import Head, head_of
from gateway.http.responses import Header, send_whole

LACKING = Lacking(((b"a", b"1"),), ((b"a", b"1"), (b"p", b"2")), lambda kind: kind == b"page")


class Pieces:
    def __init__(self) -> None:
        self.sent: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.sent.append(message)


class Wire(Pieces):
    """A server that takes whole answers while it is not `full`."""

    full = False

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[int, list[Header], bytes, bytes]] = []

    def takes_whole(self) -> bool:
        return not self.full

    def write(self, status: int, headers: list[Header], lines: bytes, body: bytes) -> None:
        self.written.append((status, headers, lines, body))


def layered(send: Any) -> Answering:
    outer = Answering(send, LACKING)
    outer.add(((b"outer", b"o"),))
    inner = answering(outer)
    assert inner is outer
    inner.add(((b"inner", b"i"),))
    return inner


async def test_what_layers_add_follows_what_was_said_from_within() -> None:
    pieces = Pieces()

    await send_whole(layered(pieces), 200, b"hi", [(b"own", b"0")])

    start, body = pieces.sent
    names = [name for name, _ in start["headers"]]
    assert names == [b"own", b"content-length", b"inner", b"outer", b"a"]
    assert body["body"] == b"hi"


async def test_a_server_that_takes_whole_answers_is_given_them() -> None:
    wire = Wire()

    await send_whole(layered(wire), 200, b"hi", [(b"content-type", b"page")])

    ((status, headers, lines, body),) = wire.written
    assert (status, lines, body, wire.sent) == (200, b"a: 1\r\np: 2\r\n", b"hi", [])
    assert [name for name, _ in headers] == [b"content-type", b"content-length", b"inner", b"outer"]


async def test_a_server_without_room_is_sent_pieces() -> None:
    wire = Wire()
    wire.full = True

    await send_whole(layered(wire), 200, b"hi", [])

    assert (wire.written, len(wire.sent)) == ([], 2)


@pytest.mark.parametrize("whole", [False, True])
async def test_a_layer_is_told_when_the_answer_begins(whole: bool) -> None:
    answer, told = Answering(Wire() if whole else Pieces()), list[int]()
    answer.when_begun(told.append)
    assert not answer.started

    await send_whole(answer, 418, b"", ())

    assert (told, answer.started) == ([418], True)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ([(b"A", b"mine")], [b"A"]),
        ([(b"server", b"x"), (b"b", b"")], [b"b", b"a"]),
        ([(b"Server", b"x")], [b"a"]),
        ([(b"Content-Type", b"page")], [b"Content-Type", b"a", b"p"]),
        ([(b"content-type", b"page"), (b"content-type", b"no")], [b"content-type"] * 2 + [b"a"]),
    ],
)
async def test_an_answer_gets_what_it_lacks(own: list[Header], expected: list[bytes]) -> None:
    pieces = Pieces()
    for _ in range(2):  # found, then known
        await Answering(pieces, LACKING)(
            {"type": "http.response.start", "status": 200, "headers": own}
        )

    assert [[name for name, _ in one["headers"]] for one in pieces.sent] == [expected] * 2


def test_shapes_of_answers_are_bounded() -> None:
    lacking = Lacking(((b"a", b"1"),), (), lambda _: False)
    for number in range(1_000):
        assert lacking.of([(b"%d" % number, b"")]).lines == b"a: 1\r\n"
    assert len(lacking._shapes) < 1_000


def test_a_head_tells_the_first_of_each_name_and_all() -> None:
    head = Head([(b"a", b"1"), (b"b", b"2"), (b"a", b"33")])

    assert head.first == {b"a": b"1", b"b": b"2"}
    assert (head.all(b"a"), head.all(b"b"), head.all(b"c")) == ([b"1", b"33"], [b"2"], [])
    assert head.size == len(b"a: 1\r\nb: 2\r\na: 33\r\n")


def test_a_head_is_that_of_the_headers_the_scope_has_now() -> None:
    scope: dict[str, Any] = {"headers": [(b"a", b"1")]}
    first = head_of(scope)
    assert head_of(scope) is first

    changed = {**scope, "headers": [(b"a", b"2")]}

    assert head_of(changed).first == {b"a": b"2"}
    assert head_of(scope) is first
