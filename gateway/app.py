"""The composition root: settings -> upstreams -> ports -> schema -> ASGI application.

The only place that wires; nothing here decides anything else.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors import registry
from gateway.access.observing import ObservedEngine
from gateway.access.wiring import Access
from gateway.claiming import claims_of
from gateway.doctor.watching import watching
from gateway.execution.answer import Engine
from gateway.execution.engine import StockEngine
from gateway.execution.explain import ExplainingEngine
from gateway.execution.explain_sources import PaceOf, Sources
from gateway.execution.gate import Gate, GateRules
from gateway.execution.plans import Plans
from gateway.execution.provenance import LIVE, NotedContext, NotedQuota, Provenance, noted
from gateway.http.admin import admin_routes
from gateway.http.app import http_app
from gateway.http.batches import Batches
from gateway.http.cross_origin import CrossOrigin
from gateway.http.doors import Doors
from gateway.http.endpoint import Endpoint
from gateway.http.express import EXPRESS, Express, Work
from gateway.http.ide import IdeConfiguration, ide_routes
from gateway.http.incoming import Incoming
from gateway.http.media import MediaLinks, media_route
from gateway.http.replies import Replies
from gateway.http.response_cache import ResponseCache
from gateway.http.security_headers import HeaderBounds, SecurityHeaders
from gateway.http.shedding import DOOR, Shedding
from gateway.http.status_wiring import STOPPING, Overview
from gateway.http.webhook_inbox import Inbox
from gateway.http.webhook_senders import senders
from gateway.http.webhooks import webhook_routes
from gateway.keeping import keeping
from gateway.operations.documents import Documents
from gateway.operations.request import GraphQLRequest
from gateway.operations.text_redis import RedisTexts
from gateway.polling import polling
from gateway.settings import Settings
from gateway.settings.documents import persisted_documents, text_store
from gateway.telemetry.alerts_sources import end_asks
from gateway.telemetry.instruments import Instruments
from gateway.telemetry.metrics.route import metrics_route
from gateway.telemetry.systems import Watched
from ports.caller import Call
from ports.systems import System
from resolvers.context import Context, Ports
from resolvers.scopes import INTROSPECT
from schema.build import schema
from upstream.cache import Cache
from upstream.connector import Connector, Resilience, Upstream
from upstream.fallback import Fallback, Served
from upstream.guard import Guarded
from upstream.reference import own_call
from upstream.roles import ROLES
from upstream.sharing import Sharing, sharing
from upstream.standin import StandIn

Transports = Mapping[str, httpx2.AsyncBaseTransport]
ISSUERS = "issuers:"
# Roles that no field asks by themselves.
_APART = frozenset({"tracking", "directory"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Connection:
    """A configured upstream with the connector that speaks for it."""

    upstream: Upstream
    connector: Connector
    roles: tuple[str, ...]


class Wiring:
    """The connected upstreams and the ports that they serve. Built without touching the network.

    `transports` replaces the network of the named upstreams (tests). `instruments` look at what
    passes; without them nobody does.
    """

    def __init__(
        self,
        settings: Settings,
        transports: Transports | None = None,
        instruments: Instruments | None = None,
    ) -> None:
        roles = _roles_of(settings)
        self._settings = settings
        self._seen = instruments or Instruments.off()
        self.cache = settings.cache.open(settings.redis.url, self._seen.observe)
        self.texts = text_store(settings.trusted_documents, settings.apq, settings.redis)
        self._sharing = _sharing(settings)
        self._circuits = settings.resilience.circuit.enabled
        resilience = Resilience(
            settings.resilience.circuit.rules(), settings.resilience.queue_limit, self._sharing
        )
        self.connections = {
            name: _connect(
                Upstream(
                    name,
                    registry.find(config.kind).manifest,
                    self._seen.exchanges(name, registry.find(config.kind).manifest),
                    (transports or {}).get(name),
                    resilience,
                ),
                config,
                roles.get(name, ()),
            )
            for name, config in settings.upstreams.items()
        }
        self._first_share = settings.fallbacks.first_share
        self.ports = self._ports(settings)
        known, second = settings.roles.directory, settings.fallbacks.directory
        self.directory = None if known is None else self._port("directory", known, second)
        asks = end_asks({name: one.connector for name, one in self.connections.items()})
        self.overview = Overview(settings, self._seen, self.watched(), asks)

    def watched(self) -> list[Watched]:
        return [Watched(one.upstream, one.roles) for one in self.connections.values()]

    def sources(self, pace_of: PaceOf | None = None) -> Sources:
        """Which upstream answers what, for explanations."""
        upstreams = {name: one.upstream for name, one in self.connections.items()}
        policy = None if self.cache is None else self.cache.policy
        return Sources.of_settings(self._settings, upstreams, policy, pace_of)

    async def aclose(self) -> None:
        if self.cache is not None:
            await self.cache.aclose()
        if isinstance(self.texts, RedisTexts):
            await self.texts.aclose()
        await asyncio.gather(*(one.connector.aclose() for one in self.connections.values()))
        if self._sharing is not None:
            await self._sharing.aclose()

    def _ports(self, settings: Settings) -> Ports:
        served: dict[str, Any] = {}
        for role in ROLES:
            name = None if role in _APART else getattr(settings.roles, role)
            if name is not None:
                served[role] = self._port(role, name, getattr(settings.fallbacks, role))
        carriers, second = settings.roles.tracking.items(), settings.fallbacks.tracking
        tracking = {code: self._port("tracking", name, second.get(code)) for code, name in carriers}
        return Ports(**served, tracking=tracking)

    def _port(self, role: str, name: str, second: str | None = None) -> Any:
        first = self._guarded(role, name)
        if second is None:
            return first
        spare = self._guarded(role, second)
        observe = self._seen.observe
        served = None if observe is None else Served(name, second, observe)
        share = self._first_share
        return Fallback(role, ROLES[role], first, spare, first_share=share, served=served)

    def _guarded(self, role: str, name: str) -> Any:
        connection = self.connections[name]
        port = self._seen.port(role, ROLES[role], connection.connector.ports()[role])
        upstream = connection.upstream
        circuits = upstream.circuits if self._circuits else None
        return Guarded(role, ROLES[role], port, upstream, self.cache, circuits=circuits)


@dataclass(frozen=True, slots=True)
class ContextFactory:
    """Makes what one operation carries: who asks, in which language, until when."""

    settings: Settings
    wiring: Wiring
    links: MediaLinks
    doors: Doors
    instruments: Instruments
    kept: ResponseCache | None = None

    async def __call__(self, incoming: Incoming, request: GraphQLRequest) -> Context:
        """Raises AccessError or RequestError for who may not ask at all."""
        _ = request
        admission = await self.doors.admission(incoming)
        made = Provenance(0 if self.kept is None else self.kept.purges)
        call = Call(
            caller=admission.admitted.caller,
            language=admission.language,
            deadline=time.monotonic() + admission.seconds,
            request_id=incoming.request_id,
            note=made.note,
            trace=self.instruments.trace(incoming.scope, incoming.request_id),
        )
        return NotedContext(
            call=call,
            ports=self.wiring.ports,
            media_url=self.links,
            systems=lambda: self._systems(made),
            page_cap=self.settings.graphql.page_cap,
            address=admission.admitted.address,
            made=made,
        )

    def express(self, work: Work) -> Express:
        """What answers for the application, on the same terms."""
        reused, seen = self.wiring.overview.reused, self.instruments
        return Express(self.doors, self.kept, work, reused, seen.answered)

    def _systems(self, made: Provenance) -> Sequence[System]:
        made.note(LIVE)
        return self.wiring.overview.watch.now()


def build(
    settings: Settings,
    *,
    transports: Transports | None = None,
    page: IdeConfiguration | None = None,
) -> ASGIApp:
    """The whole gateway. An upstream that is down or wrong does not keep it from starting.

    `page` is what the IDE page shows. `transports` replaces the network of the named upstreams,
    and under the name ISSUERS that to the authorization servers.
    """
    shown = page or settings.ide.page()
    seen = Instruments(settings)
    wiring = Wiring(settings, transports, seen)
    access = Access(settings, (transports or {}).get(ISSUERS), wiring.directory)
    inbox = Inbox(wiring.cache, claims=claims_of(settings)) if wiring.cache else None
    make_context = _contexts(settings, wiring, access, seen)
    engine = _engine(settings, access, wiring, seen)
    operations = _endpoint(settings, wiring, engine, make_context)
    endpoint = Shedding(operations, settings.resilience.shedding.rules())
    seen.watch([one.upstream for one in wiring.connections.values()], endpoint, settings)
    application = http_app(
        _batched(seen.http(endpoint), settings),
        not_ready=_always_ready,
        routes=[
            *(ide_routes(lambda: shown) if settings.ide.enabled else ()),
            *access.routes(),
            media_route(make_context.links, wiring.ports.catalog, own_call),
            *_told_of_changes(settings, wiring.cache, access, inbox),
            *_figures(settings, seen, access),
            *wiring.overview.routes(access.caller, endpoint),
        ],
        lifespan=_lifespan(settings, wiring, access, inbox, seen),
        state={
            DOOR: endpoint,
            STOPPING: wiring.overview.listeners.end,
            EXPRESS: make_context.express(Work(operations, endpoint)),
        },
    )
    return _guarded(application, settings)


def _contexts(
    settings: Settings, wiring: Wiring, access: Access, seen: Instruments
) -> ContextFactory:
    told, kept = settings.graphql, keeping(settings, wiring.cache)
    doors = Doors(access, told.deadline_seconds, told.default_language)
    return ContextFactory(settings, wiring, _links(settings), doors, seen, kept)


def _endpoint(
    settings: Settings, wiring: Wiring, engine: Engine, make_context: ContextFactory
) -> Endpoint:
    doors, kept, reused = make_context.doors, make_context.kept, wiring.overview.reused
    return Endpoint(
        engine,
        make_context,
        max_body_bytes=settings.limits.body_bytes,
        body_seconds=settings.http.body_seconds,
        replies=Replies(doors, wiring.cache.clock, kept, reused) if wiring.cache else None,
        compression=settings.compression.rules(),
    )


def _guarded(application: ASGIApp, settings: Settings) -> ASGIApp:
    public = settings.server.public_url
    guarded = CrossOrigin(application, settings.cors, public_url=public)
    bounds = HeaderBounds(settings.http.headers, settings.http.header_bytes)
    return SecurityHeaders(guarded, public_url=public, bounds=bounds)


def _batched(endpoint: ASGIApp, settings: Settings) -> ASGIApp:
    size, limits, http = settings.graphql.batch_size, settings.limits, settings.http
    if not size:
        return endpoint
    return Batches(endpoint, size, max_body_bytes=limits.body_bytes, body_seconds=http.body_seconds)


def _told_of_changes(
    settings: Settings, cache: Cache | None, access: Access, inbox: Inbox | None
) -> Sequence[Route]:
    """Ways to be told that kept answers are no longer true; none where none are kept."""
    if cache is None or inbox is None:
        return ()
    kinds = {name: config.kind for name, config in settings.upstreams.items()}
    doors = senders(settings.webhooks, kinds, settings.server.public_url)
    return [*webhook_routes(doors, inbox), *admin_routes(cache, access.caller)]


def _figures(settings: Settings, seen: Instruments, access: Access) -> Sequence[Route]:
    if not settings.metrics.enabled:
        return ()
    return [metrics_route(seen.lines, access.caller, settings.metrics.allow)]


def _engine(settings: Settings, access: Access, wiring: Wiring, seen: Instruments) -> Engine:
    core = schema(settings.graphql.federation_version)._schema  # noqa: SLF001 - no public way
    rules = GateRules(
        settings.limits.cost, settings.graphql.introspection, settings.resilience.lanes
    )
    documents = Documents(core, settings.limits.documents())
    source = persisted_documents(documents, settings.trusted_documents, wiring.texts, _reads_schema)
    plans = Plans(core)
    stock = StockEngine(core, source, noted(Gate(core, rules, NotedQuota(access))), plans)
    told = ExplainingEngine(stock, core, wiring.sources())
    seen.counting(core, plans)
    listeners = (seen.operation, wiring.overview.traffic.over)
    return ObservedEngine(told, access.watch, access.take_refused, listeners)


def _reads_schema(context: Any) -> bool:
    return INTROSPECT in context.caller.scopes


def _connect(upstream: Upstream, config: Any, roles: tuple[str, ...]) -> Connection:
    try:
        connector = registry.find(config.kind).connector()(upstream, config)
    except Exception:  # third parties' code: one that fails must not keep the others from serving
        log.exception("connector failed to start", upstream=upstream.name, kind=config.kind)
        connector = StandIn(upstream)
    return Connection(upstream, connector, roles)


def _sharing(settings: Settings) -> Sharing | None:
    url = settings.redis.url
    if url is None or not settings.resilience.shared_limits:
        return None
    return sharing(url.get_secret_value(), settings.redis.timeout_seconds)


def _roles_of(settings: Settings) -> dict[str, tuple[str, ...]]:
    """The roles that each upstream serves, if only while another is out."""
    tables = (settings.roles, settings.fallbacks)
    alone = [role for role in ROLES if role != "tracking"]
    pairs = [(getattr(table, role), role) for table in tables for role in alone]
    pairs += [(name, "tracking") for table in tables for name in table.tracking.values()]
    served: dict[str, tuple[str, ...]] = {}
    for name, role in dict.fromkeys(pairs):
        if name is not None:
            served[name] = (*served.get(name, ()), role)
    return served


def _links(settings: Settings) -> MediaLinks:
    secret = settings.media.secret
    key = secret.get_secret_value().encode() if secret else secrets.token_bytes(32)
    return MediaLinks(settings.server.root, key, settings.media.lifetime_seconds)


async def _always_ready() -> Sequence[str]:
    """The gateway answers as soon as it listens: systems are asked when fields need them."""
    return ()


def _lifespan(
    settings: Settings, wiring: Wiring, access: Access, inbox: Inbox | None, seen: Instruments
) -> Callable[[Any], Any]:
    connectors = {name: one.connector for name, one in wiring.connections.items()}

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        log.info("gateway started", upstreams=sorted(wiring.connections))
        try:
            changes = polling(settings, connectors, wiring.cache)
            told = [(one.upstream, one.roles) for one in wiring.connections.values()]
            drift = watching(settings.drift, told, wiring.overview.drifted)
            with seen:
                async with access, inbox or nullcontext(), changes, drift, wiring.overview:
                    yield
        finally:
            await wiring.aclose()

    return lifespan
