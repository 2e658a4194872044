"""Looks at the systems every few seconds: notices changes, works out their impact, tells both."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import structlog

from gateway.telemetry.impact import BAD, impacts, with_impact
from gateway.telemetry.systems import Watched, systems
from ports.systems import Impact, System, SystemStatus

SECONDS = 2.0
# Reading the journal costs more than looking at the systems.
IMPACT_SECONDS = 4.0

log = structlog.get_logger(__name__)

Told = Callable[[Sequence[System]], object]
"""Told of all systems each time they were looked at; quick, on the event loop."""


class ImpactWatch:
    """As a context it looks again and again. `journal` is the file, None where there is none."""

    def __init__(
        self, watched: Sequence[Watched], journal: Path | None, *, seconds: float = SECONDS
    ) -> None:
        self.seen: tuple[System, ...] = ()
        self._watched = watched
        self._journal = journal
        self._seconds = seconds
        self._impacts: Mapping[str, Impact] = {}
        self._impacts_at = 0.0
        self._told: list[Told] = []
        self._known: dict[str, tuple[SystemStatus, datetime]] = {}
        self._task: asyncio.Task[None] | None = None

    def tell(self, told: Told) -> None:
        self._told.append(told)

    def now(self) -> list[System]:
        """As they are this moment, with the impact as it was last worked out."""
        found = [self._dated(one) for one in systems(self._watched)]
        return with_impact(found, dict(self._impacts))

    async def look(self) -> None:
        """One round. Raises nothing that a listener raises."""
        found: list[System] = []
        for one in self._watched:
            found += map(self._dated, systems([one]))
            # Each has thousands of calls to sum up: others get their turn between two.
            await asyncio.sleep(0)
        await self._work_out(found)
        self.seen = tuple(with_impact(found, dict(self._impacts)))
        for system in self.seen:
            self._log(system)
        for told in self._told:
            try:
                told(self.seen)
            except Exception:
                log.exception("watch listener failed")

    def _dated(self, system: System) -> System:
        """Since its status is what it is, not since a call last ended otherwise than the one before."""
        status, since = self._known.get(system.upstream, (None, system.since))
        return msgspec.structs.replace(system, since=since) if status is system.status else system

    async def _work_out(self, found: Sequence[System]) -> None:
        bad = {one.upstream for one in found if one.status in BAD}
        if not bad:
            self._impacts = {}
        elif bad != self._impacts.keys() or time.monotonic() > self._impacts_at:
            self._impacts = await asyncio.to_thread(impacts, found, self._journal)
            self._impacts_at = time.monotonic() + IMPACT_SECONDS

    def _log(self, system: System) -> None:
        """One line when it is another than before; that it is first heard of well is no news."""
        before, _ = self._known.get(system.upstream, (SystemStatus.UNKNOWN, None))
        self._known[system.upstream] = (system.status, system.since)
        if system.status is before:
            return
        impact = system.impact
        if impact is None:
            if before in BAD:
                told = {"upstream": system.upstream, "system": system.name.value}
                log.info("system changed", **told, before=before.value, after=system.status.value)
            return
        log.warning(
            "system changed",
            upstream=system.upstream,
            system=system.name.value,
            before=before.value,
            after=system.status.value,
            fields=len(impact.fields),
            operations=list(impact.operations),
            clients=list(impact.clients),
            customers=impact.customers,
            failed=impact.failed,
            stood_in=sum(one.keys for one in impact.stand_ins),
        )

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("watch failed")
            await asyncio.sleep(self._seconds)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="impact watch")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
