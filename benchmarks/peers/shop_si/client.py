"""The wire of the mock's systems: GET, JSON, lists of keys with commas between."""

import re
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from ports.caller import Call
from ports.common import PageRequest
from ports.errors import BadInputError, MalformedError
from upstream.config import UpstreamConfig
from upstream.connector import OperationLimits, Upstream
from upstream.http import HttpClient, Request

T = TypeVar("T")

MOST_KEYS = 100
"""A key has seven to nine characters, so that addresses stay below 1 KiB."""
_MOST_DIGITS = 9
_KEY = re.compile(r"[A-Za-z0-9._-]{1,40}")
_KEYS = re.compile(r"[A-Za-z0-9._-]{1,40}(?:,[A-Za-z0-9._-]{1,40})*")


class ShopConfig(UpstreamConfig):
    """One of the four systems: where it is, and what every upstream may be told."""

    @classmethod
    def example(cls) -> dict[str, object]:
        return {"kind": "shop_si:Pim", "base_url": "http://127.0.0.1:21000"}


def limits(*operations: str) -> dict[str, OperationLimits]:
    """Each of these takes as many keys at once as an address holds."""
    return {name: OperationLimits(max_keys=MOST_KEYS) for name in operations}


class ShopClient:
    """Raises the branches of `ports.errors.UpstreamError`."""

    def __init__(self, upstream: Upstream, config: UpstreamConfig) -> None:
        self._http = HttpClient(
            upstream.identity,
            config,
            bulkhead=upstream.bulkhead(config),
            exchanges=upstream.exchanges,
            transport=upstream.transport,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def read(
        self, operation: str, path: str, decoder: msgspec.json.Decoder[T], *, call: Call
    ) -> T:
        response = await self._http.send(Request(operation, path), call=call)
        try:
            return decoder.decode(response.body)
        except (msgspec.DecodeError, ValueError, RecursionError) as problem:
            raise self._http.error(MalformedError, operation, str(problem)) from problem


def listed(keys: Sequence[str]) -> str:
    """Keys as one value of a query, without those that the systems cannot have."""
    text = ",".join(keys)
    if _KEYS.fullmatch(text) and text.count(",") == len(keys) - 1:
        return text
    return ",".join(key for key in keys if known(key))


def known(key: str) -> bool:
    """Whether the systems could have such a key at all."""
    return _KEY.fullmatch(key) is not None


def offset(page: PageRequest) -> int:
    """Cursors are offsets in decimal. Raises BadInputError for another."""
    if page.after is None:
        return 0
    if not (page.after.isascii() and page.after.isdigit() and len(page.after) <= _MOST_DIGITS):
        raise BadInputError("after is not a cursor of this list.")
    return int(page.after)


def cursors(start: int, count: int) -> tuple[str, ...]:
    """Those of `count` items from offset `start` on."""
    return tuple(map(str, range(start + 1, start + count + 1)))
