"""Files of the PIM as streams: its bearer token stays between the gateway and the PIM."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote

import httpx2

from connectors.akeneo.client import AkeneoClient, is_media_code
from connectors.akeneo.mapping import filename
from ports.caller import Call
from ports.catalog import MediaContent

_UNAUTHORIZED = 401
_NOT_FOUND = 404


async def open_media(client: AkeneoClient, code: str, call: Call) -> MediaContent | None:
    """None for a file that the PIM does not have, and for what can be no code of its files."""
    if not is_media_code(code):
        return None
    stack = AsyncExitStack()
    try:
        response = await stack.enter_async_context(client.download(code, call=call))
        if response.status_code == _UNAUTHORIZED:
            # A stream renews no token; a read of the file's description does.
            await stack.aclose()
            path = f"/media-files/{quote(code, safe='/')}"
            if await client.one(path, dict[str, Any], "catalog.media", call=call) is None:
                return None
            response = await stack.enter_async_context(client.download(code, call=call))
        if response.status_code != _NOT_FOUND:
            return _content(code, response, _Chunks(response, stack))
    except BaseException:
        await stack.aclose()
        raise
    await stack.aclose()
    return None


def _content(code: str, response: httpx2.Response, chunks: AsyncIterator[bytes]) -> MediaContent:
    length = response.headers.get("content-length", "")
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    encoded = "content-encoding" in response.headers
    return MediaContent(
        mime_type=kind if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else "application/octet-stream",
        filename=filename(code),
        size=int(length) if length.isascii() and length.isdigit() and not encoded else None,
        chunks=chunks,
    )


class _Chunks:
    """The bytes of an open answer, which is closed at its end, at a failure or by `aclose`."""

    def __init__(self, response: httpx2.Response, stack: AsyncExitStack) -> None:
        self._parts = response.aiter_bytes()
        self._stack = stack

    def __aiter__(self) -> "_Chunks":
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._parts)
        except StopAsyncIteration:
            await self._stack.aclose()
            raise
        except BaseException as failure:
            # The stream's own context says what the failure means.
            await self._stack.__aexit__(type(failure), failure, failure.__traceback__)
            raise

    async def aclose(self) -> None:
        await self._stack.aclose()
