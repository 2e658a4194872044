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
from gateway.execution.answer import Engine
from gateway.execution.engine import StockEngine
from gateway.execution.gate import Gate, GateRules
from gateway.execution.plans import Plans
from gateway.http.admin import admin_routes
from gateway.http.app import http_app
from gateway.http.cross_origin import CrossOrigin
from gateway.http.deadline import deadline_seconds
from gateway.http.endpoint import Endpoint
from gateway.http.ide import IdeConfiguration, ide_routes
from gateway.http.incoming import Incoming
from gateway.http.language import preferred
from gateway.http.media import MediaLinks, media_route
from gateway.http.security_headers import SecurityHeaders
from gateway.http.shedding import Shedding
from gateway.http.webhook_inbox import Inbox
from gateway.http.webhook_senders import senders
from gateway.http.webhooks import webhook_routes
from gateway.operations.documents import Documents
from gateway.operations.request import GraphQLRequest
from gateway.settings import Settings
from gateway.settings.documents import persisted_documents
from gateway.telemetry.systems import Watched, systems
from ports.caller import Call
from resolvers.context import Context, Ports
from resolvers.scopes import INTROSPECT
from schema.build import schema
from upstream.cache import Cache
from upstream.connector import Connector, Resilience, Upstream
from upstream.exchanges import Exchanges
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

    `transports` replaces the network of the named upstreams (tests).
    """

    def __init__(self, settings: Settings, transports: Transports | None = None) -> None:
        roles = _roles_of(settings)
        self.cache = settings.cache.open(settings.redis.url)
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
                    Exchanges(),
                    (transports or {}).get(name),
                    resilience,
                ),
                config,
                roles.get(name, ()),
            )
            for name, config in settings.upstreams.items()
        }
        self.ports = self._ports(settings)
        known = settings.roles.directory
        self.directory = None if known is None else self._port("directory", known)

    def watched(self) -> list[Watched]:
        return [Watched(one.upstream, one.roles) for one in self.connections.values()]

    async def aclose(self) -> None:
        if self.cache is not None:
            await self.cache.aclose()
        await asyncio.gather(*(one.connector.aclose() for one in self.connections.values()))
        if self._sharing is not None:
            await self._sharing.aclose()

    def _ports(self, settings: Settings) -> Ports:
        served: dict[str, Any] = {}
        for role in ROLES:
            name = None if role in _APART else getattr(settings.roles, role)
            if name is not None:
                served[role] = self._port(role, name)
        carriers = settings.roles.tracking.items()
        return Ports(
            **served, tracking={code: self._port("tracking", name) for code, name in carriers}
        )

    def _port(self, role: str, name: str) -> Any:
        connection = self.connections[name]
        port = connection.connector.ports()[role]
        upstream = connection.upstream
        circuits = upstream.circuits if self._circuits else None
        return Guarded(role, ROLES[role], port, upstream, self.cache, circuits=circuits)


@dataclass(frozen=True, slots=True)
class ContextFactory:
    """Makes what one operation carries: who asks, in which language, until when."""

    settings: Settings
    wiring: Wiring
    links: MediaLinks
    access: Access

    async def __call__(self, incoming: Incoming, request: GraphQLRequest) -> Context:
        """Raises AccessError or RequestError for who may not ask at all."""
        _ = request
        graphql, headers = self.settings.graphql, incoming.headers
        seconds = deadline_seconds(headers, graphql.deadline_seconds)
        admitted = await self.access.admit(headers, incoming.scope)
        call = Call(
            caller=admitted.caller,
            language=preferred(headers.get("accept-language"), graphql.default_language),
            deadline=time.monotonic() + seconds,
            request_id=incoming.request_id,
        )
        return Context(
            call=call,
            ports=self.wiring.ports,
            media_url=self.links,
            systems=lambda: systems(self.wiring.watched()),
            page_cap=graphql.page_cap,
            address=admitted.address,
        )


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
    wiring = Wiring(settings, transports)
    access = Access(settings, (transports or {}).get(ISSUERS), wiring.directory)
    links = _links(settings)
    inbox = Inbox(wiring.cache) if wiring.cache else None
    application = http_app(
        Shedding(
            Endpoint(
                _engine(settings, access),
                ContextFactory(settings, wiring, links, access),
                max_body_bytes=settings.limits.body_bytes,
            ),
            settings.resilience.shedding.rules(),
        ),
        not_ready=_always_ready,
        routes=[
            *(ide_routes(lambda: shown) if settings.ide.enabled else ()),
            *access.routes(),
            media_route(links, wiring.ports.catalog, own_call),
            *_told_of_changes(settings, wiring.cache, access, inbox),
        ],
        lifespan=_lifespan(wiring, access, inbox),
    )
    public = settings.server.public_url
    guarded = CrossOrigin(application, settings.cors, public_url=public)
    return SecurityHeaders(guarded, public_url=public)


def _told_of_changes(
    settings: Settings, cache: Cache | None, access: Access, inbox: Inbox | None
) -> Sequence[Route]:
    """Ways to be told that kept answers are no longer true; none where none are kept."""
    if cache is None or inbox is None:
        return ()
    kinds = {name: config.kind for name, config in settings.upstreams.items()}
    doors = senders(settings.webhooks, kinds, settings.server.public_url)
    return [*webhook_routes(doors, inbox), *admin_routes(cache, access.caller)]


def _engine(settings: Settings, access: Access) -> Engine:
    core = schema(settings.graphql.federation_version)._schema  # noqa: SLF001 - no public way
    rules = GateRules(
        settings.limits.cost, settings.graphql.introspection, settings.resilience.lanes
    )
    documents = Documents(core, settings.limits.documents())
    source = persisted_documents(documents, settings.trusted_documents, settings.apq, _reads_schema)
    return ObservedEngine(
        StockEngine(core, source, Gate(core, rules, access), Plans(core)), access.watch
    )


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
    """The roles that each upstream serves."""
    pairs = [(getattr(settings.roles, role), role) for role in ROLES if role != "tracking"]
    pairs += [(name, "tracking") for name in settings.roles.tracking.values()]
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


def _lifespan(wiring: Wiring, access: Access, inbox: Inbox | None) -> Callable[[Any], Any]:
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        log.info("gateway started", upstreams=sorted(wiring.connections))
        try:
            async with access, inbox or nullcontext():
                yield
        finally:
            await wiring.aclose()

    return lifespan
