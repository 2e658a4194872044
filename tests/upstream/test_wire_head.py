"""The bytes of a request: its headers prepared, and none that would be two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ports.errors import RefusedError
from upstream.failures import WireError
from upstream.messages import Request
from upstream.wire_head import Heads

OWN = {"host": "erp.example", "accept": "application/json"}


def written(request: Request, signed: dict[str, str] | None = None, traced: str = "") -> bytes:
    return Heads(OWN).message(request, "/a?b=c", signed or {}, traced)


def test_a_request_is_its_line_its_headers_and_its_body() -> None:
    assert written(Request("o", "/a"), {"authorization": "Bearer x"}) == (
        b"GET /a?b=c HTTP/1.1\r\nhost: erp.example\r\naccept: application/json\r\n"
        b"authorization: Bearer x\r\nconnection: keep-alive\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("request_", "end"),
    [
        (
            Request("o", "/a", "POST"),
            b"connection: keep-alive\r\ncontent-length: 0\r\n\r\n",
        ),
        (
            Request("o", "/a", "POST", body=b"\x00raw"),
            b"connection: keep-alive\r\ncontent-length: 4\r\n\r\n\x00raw",
        ),
        (
            Request("o", "/a", "POST", json={"a": 1}),
            b'connection: keep-alive\r\ncontent-length: 7\r\n\r\n{"a":1}',
        ),
    ],
)
def test_a_body_has_its_length(request_: Request, end: bytes) -> None:
    message = written(request_)

    assert message.endswith(end)
    assert (b"content-type: application/json\r\n" in message) is (request_.json is not None)


def test_a_requests_header_stands_for_the_own_one_and_credentials_for_both() -> None:
    request = Request("o", "/a", headers={"Accept": "text/csv", "X-Key": "wrong"})
    lines = written(request, {"x-key": "right"}).split(b"\r\n")

    assert [line for line in lines if line.startswith((b"accept", b"x-key"))] == [
        b"accept: text/csv",
        b"x-key: right",
    ]


def test_what_is_prepared_is_the_same_and_does_not_grow() -> None:
    heads = Heads(OWN)
    for number in range(1_000):
        signed = {"authorization": f"Bearer {number}"}
        once = heads.message(Request("o", "/a"), "/a", signed)
        assert heads.message(Request("o", "/a"), "/a", signed) == once
        assert once.count(b"Bearer %d\r\n" % number) == 1

    assert len(heads._kept) <= 256


@pytest.mark.parametrize(
    "headers",
    [
        {"x": "1\r\ny: 2"},
        {"x": "1\n"},
        {"x": "\0"},
        {"x": "é"},
        {"x y": "1"},
        {"x:": "1"},
        {"": "1"},
        {"x\r\ny": "1"},
        {"Content-Length": "1"},
        {"transfer-encoding": "chunked"},
        {"Connection": "upgrade"},
    ],
)
def test_a_header_that_cannot_be_sent_is_refused_without_its_value(headers: dict[str, str]) -> None:
    for told, signed in ((headers, {}), ({}, headers)):
        with pytest.raises(WireError) as caught:
            written(Request("o", "/a", headers=told), signed)
        assert caught.value.kind is RefusedError
        assert not any(value in str(caught.value) for value in headers.values() if len(value) > 1)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3), st.text(max_size=9))
def test_nothing_makes_a_second_head(headers: dict[str, str], traced: str) -> None:
    try:
        message = written(Request("o", "/a", headers=headers), traced=traced)
    except WireError:
        return
    head, _, body = message.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")[1:]

    assert body == b""
    assert all(line.partition(b":")[0].strip() for line in lines)
    assert len(lines) == len({*OWN, *(name.lower() for name in headers), "connection"})


def test_a_trace_goes_along_and_a_garbled_one_is_left_out() -> None:
    trace = "traceparent: 00-1-2-01\r\ntracestate: a=b\r\n"

    assert trace.encode() in written(Request("o", "/a"), traced=trace)
    for garbled in ("tracestate: é\r\n", "tracestate: a\r\n\r\nGET", "tracestate: a"):
        assert written(Request("o", "/a"), traced=garbled) == written(Request("o", "/a"))
