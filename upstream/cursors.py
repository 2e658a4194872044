"""How far the changes of a system were read, kept over restarts: by topic, the last moment seen."""

import asyncio
import os
from collections.abc import Awaitable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from upstream.webhooks import aware

log = structlog.get_logger(__name__)

_DECODER = msgspec.json.Decoder(dict[str, datetime])


class Cursors(Protocol):
    """Neither method raises for a place that cannot be read or written: that costs a re-read."""

    async def load(self) -> Mapping[str, datetime]: ...

    async def save(self, moments: Mapping[str, datetime]) -> None: ...


class Texts(Protocol):
    """What `RedisCursors` uses of a Redis client."""

    def get(self, name: str, /) -> Awaitable[bytes | str | None]: ...

    def set(self, name: str, value: bytes, /) -> Awaitable[object]: ...


class FileCursors:
    """One small JSON file, replaced whole, so that a crash leaves the old one or the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def load(self) -> Mapping[str, datetime]:
        try:
            text = await asyncio.to_thread(self._path.read_bytes)
        except FileNotFoundError:
            return {}
        except OSError as problem:
            log.warning("cursor not read", path=str(self._path), reason=str(problem))
            return {}
        return _decoded(text, str(self._path))

    async def save(self, moments: Mapping[str, datetime]) -> None:
        try:
            await asyncio.to_thread(_replace, self._path, msgspec.json.encode(dict(moments)))
        except OSError as problem:
            log.warning("cursor not written", path=str(self._path), reason=str(problem))


class RedisCursors:
    """One key of a Redis or Valkey, so that any replica goes on where another one ended."""

    def __init__(self, redis: Texts, key: str) -> None:
        self._redis = redis
        self._key = key

    async def load(self) -> Mapping[str, datetime]:
        try:
            text = await self._redis.get(self._key)
        except Exception as problem:  # noqa: BLE001 - the client's own and the network's errors
            log.warning("cursor not read", key=self._key, reason=type(problem).__name__)
            return {}
        if text is None:
            return {}
        return _decoded(text.encode() if isinstance(text, str) else text, self._key)

    async def save(self, moments: Mapping[str, datetime]) -> None:
        try:
            await self._redis.set(self._key, msgspec.json.encode(dict(moments)))
        except Exception as problem:  # noqa: BLE001 - as above
            log.warning("cursor not written", key=self._key, reason=type(problem).__name__)


def _decoded(text: bytes, place: str) -> Mapping[str, datetime]:
    try:
        found = _DECODER.decode(text)
    except (msgspec.DecodeError, ValueError) as problem:
        log.warning("cursor not understood", place=place, reason=str(problem))
        return {}
    return {topic: moment for topic, one in found.items() if (moment := aware(one)) is not None}


def _replace(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A name of its own, as two processes may share the folder.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with beside.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
