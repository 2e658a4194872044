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
from gateway.telemetry.alerts_claims import Claims
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
# Alerts that wait to be claimed, and how long they are waited for at the end.
UNCLAIMED = 1_000
LEAVE_SECONDS = 3.0

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


@dataclass(frozen=True, slots=True)
class Shared:
    """What processes share: whose turn it is, and what was told."""

    turns: Turns
    claims: Claims


class Office:
    """As a context it looks and sends; of several processes the first that claims an alert tells it.

    Systems are asked when credentials end by the one whose turn it is.
    """

    def __init__(
        self,
        settings: AlertingSettings,
        targets: tuple[Target, ...],
        journal: Path | None,
        shared: Shared,
        asks: Mapping[str, AskEnd] | None = None,
    ) -> None:
        """`asks`, by upstream, tell when credentials end."""
        self.posts = Posts(targets)
        self.desk = Desk(self._send, repeat_seconds=settings.repeat_seconds)
        self._sources = Sources.of_settings(settings, self.desk, journal, asks or {})
        self._turns, self._claims = shared.turns, shared.claims
        self._repeat = settings.repeat_seconds
        self._unclaimed: asyncio.Queue[Alert] = asyncio.Queue(UNCLAIMED)
        self._is_mine = False
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    def told(self, systems: Sequence[System]) -> None:
        self._sources.systems.told(systems)

    def drifted(self, event: DriftEvent) -> None:
        self.desk.fire(drift_alert(event))

    async def settled(self) -> None:
        """When it is known of each alert so far whether it is ours to tell."""
        await self._unclaimed.join()

    def _send(self, alert: Alert) -> None:
        if self._unclaimed.full():
            log.warning("alert dropped", key=alert.key)
        else:
            self._unclaimed.put_nowait(alert)

    async def _claim(self) -> None:
        while True:
            alert = await self._unclaimed.get()
            try:
                # Where nobody can tell, an alert told twice is better than none.
                if await self._is_ours(alert) is not False:
                    self.posts.put(alert)
            finally:
                self._unclaimed.task_done()

    async def _is_ours(self, alert: Alert) -> bool | None:
        if alert.state == "resolved":
            return await self._claims.end(alert.key)
        return await self._claims.begin(alert.key, self._repeat)

    async def _run(self) -> None:
        number = 0
        while True:
            try:
                await self._turn()
                await self._claims.hold([one.key for one in self.desk.firing])
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
        self._is_mine = await self._turns.take() is not False

    async def __aenter__(self) -> Self:
        await self._turn()
        await self._stack.enter_async_context(self.posts)
        self._tasks = [
            asyncio.create_task(self._run(), name="alerts"),
            asyncio.create_task(self._claim(), name="alerts claimed"),
            asyncio.create_task(self._ask(), name="alerts of credentials"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.settled(), LEAVE_SECONDS)
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self._stack.__aexit__(kind, raised, trace)
        await self._turns.leave()
