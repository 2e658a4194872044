"""Compressed answers, as the client's `Accept-Encoding` allows (RFC 9110, 12.5.3): zstd, br, gzip.

Compressed lightly what is sent once, thoroughly what is kept: the figures are in docs/performance.md.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from starlette.types import Scope

from gateway.http.head import head_of
from gateway.http.incoming import header
from gateway.http.responses import Header

VARY_ENCODING = b"Accept-Encoding"

_GZIP_FORMAT = 31
_MOST_CODINGS = 20
# Longer ones are no client's, and are not remembered.
_LONGEST_REMEMBERED = 200
_SAME_SITE = (None, b"same-origin", b"none")


def _gzip(body: bytes, level: int) -> bytes:
    return zlib.compress(body, level, wbits=_GZIP_FORMAT)


def _brotli(body: bytes, quality: int) -> bytes:
    import brotli

    packed: bytes = brotli.compress(body, quality=quality)
    return packed


def _zstd(body: bytes, level: int) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    packed: bytes = zstd.compress(body, level)
    return packed


class Coding(NamedTuple):
    """`live` and `kept` are levels. Up to `aside` bytes a thread would cost more than it spares."""

    name: bytes
    compress: Callable[[bytes, int], bytes]
    live: int
    kept: int
    aside: int

    @property
    def header(self) -> Header:
        return b"content-encoding", self.name


# In the order of our preference among those that a client likes equally.
CODINGS = (
    Coding(b"zstd", _zstd, 1, 9, 128 * 1024),
    Coding(b"br", _brotli, 3, 5, 32 * 1024),
    Coding(b"gzip", _gzip, 1, 6, 32 * 1024),
)
_KEPT_ASIDE = 32 * 1024


@dataclass(frozen=True, slots=True)
class CompressionRules:
    """Answers shorter than `min_bytes` go out as they are."""

    enabled: bool = True
    min_bytes: int = 1024


def coding_of(scope: Scope) -> Coding | None:
    """What the client would rather have than the answer as it is."""
    values = head_of(scope).all(b"accept-encoding")
    if not values:
        return None
    accepted = values[0] if len(values) == 1 else b",".join(values)
    return _preferred(accepted) if len(accepted) > _LONGEST_REMEMBERED else _remembered(accepted)


def is_guessable(scope: Scope) -> bool:
    """Whether a page of another site may have made a browser ask with its user's cookies.

    Lengths of compressed answers would tell such a page what they hold beside its own words.
    """
    if header(scope, b"sec-fetch-site") in _SAME_SITE:
        return False
    return header(scope, b"cookie") is not None


async def compressed(body: bytes, coding: Coding) -> bytes:
    """Of an answer that is sent once; what is long is compressed beside the event loop."""
    if len(body) <= coding.aside:
        return coding.compress(body, coding.live)
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, coding.compress, body, coding.live)


class OnceEach:
    """Compresses kept answers, those that are long once for all that wait for the same."""

    def __init__(self) -> None:
        self._under_way: dict[tuple[int, bytes], asyncio.Future[bytes]] = {}

    async def compressed(self, body: bytes, coding: Coding) -> bytes:
        if len(body) <= _KEPT_ASIDE:
            return coding.compress(body, coding.kept)
        # Whoever waits holds the body, so that its identity stays its own.
        key = (id(body), coding.name)
        made = self._under_way.get(key)
        if made is None:
            loop = asyncio.get_running_loop()
            made = loop.run_in_executor(None, coding.compress, body, coding.kept)
            self._under_way[key] = made
            made.add_done_callback(lambda _: self._under_way.pop(key))
        return await asyncio.shield(made)


def _preferred(accepted: bytes) -> Coding | None:
    weights = _weights(accepted.decode("latin-1"))
    anything = weights.get("*", 0.0)
    found, most = None, 0.0
    for coding in CODINGS:
        weight = weights.get(coding.name.decode(), anything)
        if weight > most:
            found, most = coding, weight
    return found if most >= weights.get("identity", 0.0) else None


_remembered = lru_cache(256)(_preferred)


def _weights(accepted: str) -> Mapping[str, float]:
    weights: dict[str, float] = {}
    for item in accepted.split(",")[:_MOST_CODINGS]:
        coding, *parameters = item.split(";")
        name = coding.strip().lower()
        weights["gzip" if name == "x-gzip" else name] = _weight(parameters)
    return weights


def _weight(parameters: list[str]) -> float:
    """0 for what is no number from 0 to 1."""
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name.strip().lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
