"""When keys were last used: noted in memory, written behind the requests' backs."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

import structlog

from gateway.access.key_store import KeyStoreError
from gateway.access.remembered import Clock

# So that a busy key costs its store one write a minute and replica.
PRECISION_SECONDS = 60

log = structlog.get_logger(__name__)


class UseStore(Protocol):
    async def note_use(self, times: Mapping[str, datetime]) -> None: ...


class LastUses:
    """Holds a time and at most one waiting write for each key; never more keys than exist."""

    def __init__(self, store: UseStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[str, float] = {}
        self._waiting: dict[str, datetime] = {}
        self._writer: asyncio.Task[None] | None = None

    def note(self, key_id: str) -> None:
        """Costs a look-up, nearly always."""
        now = self._clock.steady()
        if now - self._noted.get(key_id, -PRECISION_SECONDS) < PRECISION_SECONDS:
            return
        self._noted[key_id] = now
        self._waiting[key_id] = datetime.fromtimestamp(self._clock.wall(), UTC)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def aclose(self) -> None:
        """After what waits is written."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        # What is noted during a write goes together in the next one.
        while self._waiting:
            times, self._waiting = self._waiting, {}
            try:
                await self._store.note_use(times)
            except KeyStoreError as error:
                log.warning("last uses of API keys not written", keys=len(times), reason=str(error))
                return
