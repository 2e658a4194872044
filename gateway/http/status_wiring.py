"""What looks at the whole, made together: traffic, the watch on systems, the page, the banner."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from starlette.routing import BaseRoute

from gateway.doctor.watching import DriftEvent, logged
from gateway.http.shedding import Shedding
from gateway.http.status import Authenticate, StatusView, banner_route
from gateway.http.status_events import Listeners
from gateway.http.status_journal import JournalView
from gateway.redis_client import redis_client
from gateway.settings.alerts import AlertingSettings, AlertSettings
from gateway.settings.journal import JournalSettings
from gateway.settings.rates import RedisSettings
from gateway.settings.status import StatusSettings
from gateway.telemetry.alerts_claims import FileClaims, RedisClaims
from gateway.telemetry.alerts_office import TURN_SECONDS, Office, Shared
from gateway.telemetry.alerts_sources import AskEnd
from gateway.telemetry.alerts_turn import FileTurns
from gateway.telemetry.impact_watch import ImpactWatch
from gateway.telemetry.instruments import Instruments
from gateway.telemetry.status_map import Drawing, HitRates
from gateway.telemetry.systems import Watched
from gateway.telemetry.traffic import Traffic
from ports.caller import Caller
from upstream.turns import RedisTurns

if TYPE_CHECKING:
    from redis.asyncio import Redis

STOPPING = "stopping"
"""Names in the server's state what is called as it begins to end: it ends what has no end."""

_NO_JOURNAL = Path("var") / "journal.db"


class _GraphQL(Protocol):
    @property
    def default_language(self) -> str: ...


class Sections(Protocol):
    """The settings that it is made of."""

    @property
    def status(self) -> StatusSettings: ...
    @property
    def journal(self) -> JournalSettings: ...
    @property
    def graphql(self) -> _GraphQL: ...
    @property
    def redis(self) -> RedisSettings: ...
    @property
    def alerts(self) -> tuple[AlertSettings, ...]: ...
    @property
    def alerting(self) -> AlertingSettings: ...


class Overview:
    """As a context it looks at the systems; until then it only counts."""

    def __init__(
        self,
        settings: Sections,
        seen: Instruments,
        watched: Sequence[Watched],
        asks: Mapping[str, AskEnd] | None = None,
    ) -> None:
        """`asks`, by upstream, tell when the gateway's credentials end."""
        self._asks = asks or {}
        self._settings = settings.status
        self._language = settings.graphql.default_language
        self._seen = seen
        self._watched = watched
        self._journal: Path | None = seen.journal.rules.file if seen.journal else None
        self.traffic = Traffic()
        if seen.journal is not None:
            seen.journal.also(self.traffic.told)
        self._hits = HitRates(lambda: seen.figures.answers.counts if seen.figures else {})
        self.listeners = Listeners(self._settings.listeners)
        self.watch = ImpactWatch(watched, self._journal)
        self.watch.tell(lambda _: self._hits.look())
        self._stack = AsyncExitStack()
        self._office = self._made_office(settings) if settings.alerts else None
        if self._office is not None:
            self.watch.tell(self._office.told)

    def _made_office(self, settings: Sections) -> Office:
        url, seconds = settings.redis.url, settings.redis.timeout_seconds
        redis = redis_client(url.get_secret_value(), seconds) if url else None
        if redis is not None:
            self._stack.push_async_callback(redis.aclose)
        targets = tuple(one.target() for one in settings.alerts)
        shared = _shared(redis, self._journal)
        asks = self._asks if any("credentials" in one.events for one in settings.alerts) else {}
        return Office(settings.alerting, targets, self._journal, shared, asks)

    def drifted(self, event: DriftEvent) -> None:
        """Told of each change of a system's answers."""
        logged(event)
        if self._office is not None:
            self._office.drifted(event)

    def reused(self, caller: Caller, source: object) -> None:
        """Told of each kept answer that is given again."""
        self._seen.reused(caller, source)
        self.traffic.kept(caller, source)

    def routes(self, authenticate: Authenticate, shedding: Shedding) -> list[BaseRoute]:
        told, routes = self._settings, list[BaseRoute]()
        if told.banner.enabled:
            texts = told.banner.texts(self._language)
            routes.append(banner_route(lambda: self.watch.seen, texts, told.banner.max_age_seconds))
        if told.enabled:
            view = self._view(None if told.open else authenticate, shedding)
            self.watch.tell(view.publish)
            routes += view.routes()
        return routes

    def _view(self, authenticate: Authenticate | None, shedding: Shedding) -> StatusView:
        titles: Mapping[str, str] = {
            one.upstream.manifest.name: one.upstream.manifest.title for one in self._watched
        }
        drawing = Drawing(
            self._watched,
            self.traffic,
            self._hits,
            self._seen,
            shedding,
            lambda connector: titles.get(connector, connector),
        )
        return StatusView(
            lambda: drawing.drawn(self.watch.seen or self.watch.now()),
            self.listeners,
            JournalView(self._journal),
            frozenset(one.upstream.name for one in self._watched),
            authenticate,
        )

    async def __aenter__(self) -> Self:
        if self._office is not None:
            await self._stack.enter_async_context(self._office)
        await self._stack.enter_async_context(self.watch)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.listeners.end()
        await self._stack.__aexit__(kind, raised, trace)


def _shared(redis: "Redis | None", journal: Path | None) -> Shared:
    """By all replicas where they have a store, else by the processes that share a journal."""
    if redis is None:
        beside = journal or _NO_JOURNAL
        claims = FileClaims(beside.with_name("alerts.db"))
        return Shared(FileTurns(beside.with_name("alerts.lock")), claims)
    turns = RedisTurns(redis, "passerelle:alerts:turn", 3 * TURN_SECONDS)
    return Shared(turns, RedisClaims(redis, "passerelle:alerts:told:"))
