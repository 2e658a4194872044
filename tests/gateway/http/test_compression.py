"""Which clients are given gzip, and that it is what was compressed."""

import gzip

import pytest

from gateway.http.compression import gzipped, is_guessable, takes_gzip


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ([], False),
        ([""], False),
        (["gzip"], True),
        (["GZIP"], True),
        (["x-gzip"], True),
        (["gzip, deflate, br, zstd"], True),
        (["br"], False),
        (["br, gzip;q=0.1"], True),
        (["br", "gzip"], True),
        (["gzip;q=0"], False),
        (["gzip; q=0.000"], False),
        (["*"], True),
        (["*;q=0"], False),
        (["gzip;q=0, *"], False),
        (["identity"], False),
        (["identity, gzip"], True),
        (["identity;q=1, gzip;q=0.5"], False),
        (["identity;q=0, gzip;q=0.5"], True),
        (["gzip;q=high"], False),
        (["gzip;q=2"], False),
        (["gzip;q=nan"], False),
        (["gzip;level=9"], True),
        ([",,;q=1"], False),
        (["a," * 50 + "gzip"], False),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_who_is_given_gzip(accepted: list[str], expected: bool) -> None:
    headers = [(b"accept-encoding", one.encode()) for one in accepted]

    assert takes_gzip({"headers": headers}) is expected


@pytest.mark.parametrize("size", [10, 1_024, 100_000])
@pytest.mark.parametrize("often", [True, False], ids=["kept", "live"])
async def test_it_is_what_was_compressed(size: int, *, often: bool) -> None:
    body = (b'{"data":{"products":[]}}' * size)[:size]
    packed = await gzipped(body, often=often)

    assert gzip.decompress(packed) == body
    assert packed == await gzipped(body, often=often)


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
