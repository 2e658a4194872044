"""Compressed answers, as the client's `Accept-Encoding` allows (RFC 9110, 12.5.3): gzip.

Compressed lightly what is sent once, thoroughly what is kept.
"""

import asyncio
import zlib
from dataclasses import dataclass

from starlette.types import Scope

from gateway.http.head import head_of
from gateway.http.incoming import header
from gateway.http.responses import Header

GZIP: Header = (b"content-encoding", b"gzip")
VARY_ENCODING = b"Accept-Encoding"

_LIVE_LEVEL = 1
_KEPT_LEVEL = 6
_GZIP_FORMAT = 31
# Below it the loop is kept for less time than a thread costs.
_ASIDE_BYTES = 32 * 1024
_MOST_CODINGS = 20
# What browsers and most clients send.
_COMMON = {
    b"": False,
    b"identity": False,
    b"gzip": True,
    b"gzip, deflate": True,
    b"gzip, deflate, br": True,
    b"gzip, deflate, br, zstd": True,
    b"gzip, deflate, zstd": True,
}
_SAME_SITE = (None, b"same-origin", b"none")


@dataclass(frozen=True, slots=True)
class CompressionRules:
    """Answers shorter than `min_bytes` go out as they are."""

    enabled: bool = True
    min_bytes: int = 1024


def takes_gzip(scope: Scope) -> bool:
    """Whether the client would rather have gzip than the answer as it is."""
    values = head_of(scope).all(b"accept-encoding")
    if not values:
        return False
    accepted = values[0] if len(values) == 1 else b",".join(values)
    common = _COMMON.get(accepted)
    return _prefers_gzip(accepted.decode("latin-1")) if common is None else common


def is_guessable(scope: Scope) -> bool:
    """Whether a page of another site may have made a browser ask with its user's cookies.

    Lengths of compressed answers would tell such a page what they hold beside its own words.
    """
    if header(scope, b"sec-fetch-site") in _SAME_SITE:
        return False
    return header(scope, b"cookie") is not None


async def gzipped(body: bytes, *, often: bool) -> bytes:
    """Thoroughly what is sent `often`; what is long is compressed beside the event loop."""
    level = _KEPT_LEVEL if often else _LIVE_LEVEL
    if len(body) <= _ASIDE_BYTES:
        return _compressed(body, level)
    return await asyncio.get_running_loop().run_in_executor(None, _compressed, body, level)


def _compressed(body: bytes, level: int) -> bytes:
    return zlib.compress(body, level, wbits=_GZIP_FORMAT)


def _prefers_gzip(accepted: str) -> bool:
    weights: dict[str, float] = {}
    for item in accepted.split(",")[:_MOST_CODINGS]:
        coding, *parameters = item.split(";")
        weights[coding.strip().lower()] = _weight(parameters)
    gzip = weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0)))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


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
