"""Compressed bodies: unpacked whatever the pieces they come in, and never beyond the limit."""

import gzip
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ports.errors import MalformedError
from upstream.failures import WireError
from upstream.wire_encoding import Unpacking, unpacking_of


def bare(body: bytes) -> bytes:
    """Deflate without zlib's frame."""
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(body) + packing.flush()


PACKED = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"x-gzip", gzip.compress),
    "deflate": (b"deflate", zlib.compress),
    "bare deflate": (b"deflate", bare),
    "two members": (b"gzip", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
    "padded": (b"gzip", lambda body: gzip.compress(body) + b"\0\0\0"),
}


def unpacked(encoding: bytes, packed: bytes, cuts: list[int], limit: int = 10_000) -> bytes:
    one = unpacking_of(encoding, limit)
    assert one is not None
    places = [0, *sorted(cut % (len(packed) + 1) for cut in cuts), len(packed)]
    body = b"".join([one.feed(packed[start:end]) for start, end in pairwise(places)])
    one.end()
    return body


@pytest.mark.parametrize("way", PACKED)
@given(body=st.binary(max_size=2_000), cuts=st.lists(st.integers(0, 5_000), max_size=8))
def test_a_body_is_the_same_in_any_pieces(way: str, body: bytes, cuts: list[int]) -> None:
    encoding, pack = PACKED[way]

    assert unpacked(encoding, pack(body), cuts) == body


@pytest.mark.parametrize("way", PACKED)
def test_a_body_as_long_as_the_limit_is_read_and_a_longer_one_refused(way: str) -> None:
    encoding, pack = PACKED[way]
    assert unpacked(encoding, pack(b"x" * 9), [], limit=9) == b"x" * 9
    with pytest.raises(WireError, match="longer") as caught:
        unpacked(encoding, pack(b"x" * 10), [], limit=9)

    assert caught.value.kind is MalformedError


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate"])
def test_a_bomb_is_stopped_at_the_limit(encoding: bytes) -> None:
    bomb = gzip.compress(b" " * 50_000_000) if encoding == b"gzip" else bare(b" " * 50_000_000)
    with pytest.raises(WireError, match="longer"):
        Unpacking(encoding, 1_000).feed(bomb)


@pytest.mark.parametrize("way", PACKED)
def test_what_is_cut_short_or_spoilt_is_refused(way: str) -> None:
    encoding, pack = PACKED[way]
    packed = pack(b"a body of some length, not all the same")
    for spoilt in (packed[:-5], packed[:1], b"\xff" * 20 + packed):
        with pytest.raises(WireError):
            unpacked(encoding, spoilt, [])


def test_no_more_members_than_anybody_sends() -> None:
    with pytest.raises(WireError, match="too many"):
        unpacked(b"gzip", gzip.compress(b"") * 65, [])


def test_no_bytes_at_all_are_an_empty_body() -> None:
    assert unpacked(b"gzip", b"", []) == b""


@pytest.mark.parametrize("name", [b"", b"identity", b" Identity "])
def test_what_is_not_packed_stays_as_it_is(name: bytes) -> None:
    assert unpacking_of(name, 10) is None


@pytest.mark.parametrize("name", [b"br", b"zstd", b"gzip, gzip", b"compress", b"identity, gzip"])
def test_encodings_that_nobody_asked_for_are_refused(name: bytes) -> None:
    with pytest.raises(WireError):
        unpacking_of(name, 10)
