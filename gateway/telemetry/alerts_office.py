"""All of the alerts together: what raises them, what tells them apart, what sends them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import structlog

from gateway.doctor.watching import DriftEvent
from gateway.settings.alerts import AlertingSettings
from gateway.telemetry.alerts import Alert, Desk, SystemAlerts
from gateway.telemetry.alerts_sending import Posts, Target
from gateway.telemetry.alerts_sources import (
    DRIFT_SECONDS,
    AskEnd,
    ErrorSpikes,
    Expiries,
    drift_alert,
)
from ports.systems import System
from upstream.turns import Turns

TURN_SECONDS = 10.0
# Errors and the calendar are looked at every so many turns.
_ROUNDS = 6
ASK_SECONDS = 6 * 3600.0

log = structlog.get_logger(__name__)


class Sends(Protocol):
    def put(self, alert: Alert, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """What a desk hears from. `spikes` None: there is no journal."""

    systems: SystemAlerts
    expiries: Expiries
    spikes: ErrorSpikes | None

    @classmethod
    def of_settings(
        cls,
        settings: AlertingSettings,
        desk: Desk,
        journal: Path | None,
        asks: Mapping[str, AskEnd],
    ) -> Self:
        ends: dict[str, date] = dict(settings.expiries)
        systems = SystemAlerts(desk, settings.down_seconds, settings.recovery_seconds)
        spikes = None
        if journal is not None:
            spikes = ErrorSpikes(desk, journal, settings.spike_count, settings.spike_factor)
        expiries = Expiries(desk, ends, settings.expiry_days, asks=asks)
        return cls(systems, expiries, spikes)

    async def look(self) -> None:
        self.expiries.look()
        if self.spikes is not None:
            self.spikes.told(*await asyncio.to_thread(self.spikes.read))


class Office:
    """As a context it looks and sends; of several processes only the one whose turn it is sends.

    The others know as much, so that any can go on where the one that had the turn ended.
    """

    def __init__(
        self,
        settings: AlertingSettings,
        targets: tuple[Target, ...],
        journal: Path | None,
        turns: Turns,
        asks: Mapping[str, AskEnd] | None = None,
    ) -> None:
        """`asks`, by upstream, tell when credentials end: asked by the one whose turn it is."""
        self.posts = Posts(targets)
        self.desk = Desk(self._send, repeat_seconds=settings.repeat_seconds)
        self._sources = Sources.of_settings(settings, self.desk, journal, asks or {})
        self._turns = turns
        self._is_mine = False
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    def told(self, systems: Sequence[System]) -> None:
        self._sources.systems.told(systems)

    def drifted(self, event: DriftEvent) -> None:
        self.desk.fire(drift_alert(event))

    def _send(self, alert: Alert) -> None:
        if self._is_mine:
            self.posts.put(alert)

    async def _run(self) -> None:
        number = 0
        while True:
            try:
                await self._turn()
                if number % _ROUNDS == 0:
                    await self._sources.look()
                    self.desk.expire("drift", DRIFT_SECONDS)
            except Exception:
                log.exception("alerts failed")
            number += 1
            await asyncio.sleep(TURN_SECONDS)

    async def _ask(self) -> None:
        """Apart from the turns, which no slow system may hold up."""
        while True:
            if self._is_mine:
                try:
                    await self._sources.expiries.ask()
                    self._sources.expiries.look()
                except Exception:
                    log.exception("credentials not asked")
            await asyncio.sleep(ASK_SECONDS if self._is_mine else TURN_SECONDS)

    async def _turn(self) -> None:
        # Where nobody can tell, an alert told twice is better than none.
        self._is_mine = await self._turns.take() is not False

    async def __aenter__(self) -> Self:
        await self._turn()
        await self._stack.enter_async_context(self.posts)
        self._tasks = [
            asyncio.create_task(self._run(), name="alerts"),
            asyncio.create_task(self._ask(), name="alerts of credentials"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self._stack.__aexit__(kind, raised, trace)
        await self._turns.leave()
