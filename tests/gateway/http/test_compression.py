"""Which coding clients are given, and that it holds what was compressed."""

import asyncio
import gzip
import sys
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.compression import (
    CODINGS,
    Coding,
    OnceEach,
    coding_of,
    compressed,
    is_guessable,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

UNPACK: dict[bytes, Callable[[bytes], bytes]] = {
    b"zstd": zstd.decompress,
    b"br": brotli.decompress,
    b"gzip": gzip.decompress,
}
each_coding = pytest.mark.parametrize("coding", CODINGS, ids=lambda one: one.name.decode())


def chosen(*accepted: str) -> str | None:
    found = coding_of({"headers": [(b"accept-encoding", one.encode()) for one in accepted]})
    return None if found is None else found.name.decode()


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ([], None),
        ([""], None),
        (["gzip"], "gzip"),
        (["GZIP"], "gzip"),
        (["x-gzip"], "gzip"),
        (["gzip, deflate"], "gzip"),
        (["gzip, deflate, br"], "br"),
        (["gzip, deflate, br, zstd"], "zstd"),
        (["br"], "br"),
        (["deflate"], None),
        (["compress, deflate"], None),
        (["br, gzip;q=0.1"], "br"),
        (["br;q=0.1, gzip;q=0.2"], "gzip"),
        (["br;q=0.2, gzip;q=0.1, zstd;q=0.15"], "br"),
        (["br", "gzip"], "br"),
        (["gzip;q=0"], None),
        (["gzip; q=0.000"], None),
        (["*"], "zstd"),
        (["*;q=0"], None),
        (["zstd;q=0, *"], "br"),
        (["zstd;q=0, br;q=0, gzip;q=0, *"], None),
        (["gzip, *;q=0"], "gzip"),
        (["gzip;q=0.5, *;q=0.8"], "zstd"),
        (["identity"], None),
        (["identity, gzip"], "gzip"),
        (["identity;q=1, gzip;q=0.5"], None),
        (["identity;q=0, gzip;q=0.5"], "gzip"),
        (["identity;q=0"], None),
        (["identity;q=0, *"], "zstd"),
        (["gzip;q=high"], None),
        (["gzip;q=2"], None),
        (["gzip;q=nan"], None),
        (["gzip;level=9"], "gzip"),
        ([",,;q=1"], None),
        (["a," * 50 + "gzip"], None),
        (["gzip" + " " * 300], "gzip"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_a_client_is_given(accepted: list[str], expected: str | None) -> None:
    assert chosen(*accepted) == expected


@given(
    weights=st.dictionaries(
        st.sampled_from(["zstd", "br", "gzip", "identity"]), st.integers(0, 1_000), max_size=4
    )
)
def test_nothing_that_is_refused_and_nothing_less_liked(weights: dict[str, int]) -> None:
    """RFC 9110, 12.5.3: q=0 is "not acceptable", and the most liked is best."""
    found = chosen(", ".join(f"{name};q={weight / 1_000}" for name, weight in weights.items()))

    if found is not None:
        assert weights[found] > 0
        assert weights[found] == max(weights.values())
    else:
        coded = [weight for name, weight in weights.items() if name != "identity"]
        assert not any(coded) or max(coded) < weights.get("identity", 0)


@each_coding
@pytest.mark.parametrize("size", [10, 1_024, 200_000])
async def test_it_is_what_was_compressed(coding: Coding, size: int) -> None:
    body = (b'{"data":{"products":[]}}' * size)[:size]

    for packed in (await compressed(body, coding), await OnceEach().compressed(body, coding)):
        assert UNPACK[coding.name](packed) == body


@each_coding
async def test_what_is_long_is_compressed_once_for_all_that_wait(coding: Coding) -> None:
    once, body, calls = OnceEach(), b"x" * 100_000, []

    def counted(given: bytes, level: int) -> bytes:
        calls.append(level)
        return coding.compress(given, level)

    watched = coding._replace(compress=counted)
    first = asyncio.create_task(once.compressed(body, watched))
    others = [asyncio.create_task(once.compressed(body, watched)) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    found = await asyncio.gather(*others)

    assert calls == [coding.kept]
    assert {UNPACK[coding.name](one) for one in found} == {body}
    assert not once._under_way


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({b"cookie": b"a=b"}, False),
        ({b"cookie": b"a=b", b"sec-fetch-site": b"same-origin"}, False),
        ({b"cookie": b"a=b", b"sec-fetch-site": b"none"}, False),
        ({b"cookie": b"a=b", b"sec-fetch-site": b"same-site"}, True),
        ({b"cookie": b"a=b", b"sec-fetch-site": b"cross-site"}, True),
        ({b"sec-fetch-site": b"cross-site"}, False),
    ],
    ids=str,
)
def test_whose_lengths_could_be_read_by_others(
    headers: dict[bytes, bytes], *, expected: bool
) -> None:
    assert is_guessable({"headers": list(headers.items())}) is expected
