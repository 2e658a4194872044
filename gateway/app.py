"""The composition root: settings -> upstreams -> ports -> schema -> ASGI application.

The only place that wires; nothing here decides anything else.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from starlette.types import ASGIApp

from connectors import registry
from gateway.access.caller import fixed_caller
from gateway.execution.engine import StockEngine
from gateway.execution.gate import Gate, GateRules
from gateway.http.app import http_app
from gateway.http.endpoint import Endpoint
from gateway.http.ide import IdeConfiguration, ide_routes, storefront_tabs
from gateway.http.incoming import Incoming
from gateway.http.language import preferred
from gateway.http.media import MediaLinks, media_route
from gateway.operations.documents import Documents
from gateway.operations.request import GraphQLRequest
from gateway.settings import Settings
from gateway.telemetry.systems import Watched, systems
from ports.caller import Call, Caller
from resolvers.context import Context, Ports
from schema.build import schema
from upstream.connector import Connector, Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded
from upstream.roles import ROLES
from upstream.standin import StandIn

Transports = Mapping[str, httpx2.AsyncBaseTransport]

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
        self.connections = {
            name: _connect(name, config, roles.get(name, ()), (transports or {}).get(name))
            for name, config in settings.upstreams.items()
        }
        self.ports = self._ports(settings)

    def watched(self) -> list[Watched]:
        return [Watched(one.upstream, one.roles) for one in self.connections.values()]

    async def aclose(self) -> None:
        await asyncio.gather(*(one.connector.aclose() for one in self.connections.values()))

    def _ports(self, settings: Settings) -> Ports:
        served: dict[str, Any] = {}
        for role in ROLES:
            name = None if role == "tracking" else getattr(settings.roles, role)
            if name is not None:
                served[role] = self._port(role, name)
        carriers = settings.roles.tracking.items()
        return Ports(
            **served, tracking={code: self._port("tracking", name) for code, name in carriers}
        )

    def _port(self, role: str, name: str) -> Any:
        connection = self.connections[name]
        port = connection.connector.ports()[role]
        return Guarded(role, ROLES[role], port, connection.upstream)


@dataclass(frozen=True, slots=True)
class ContextFactory:
    """Makes what one operation carries: who asks, in which language, until when."""

    settings: Settings
    wiring: Wiring
    links: MediaLinks
    caller: Caller

    async def __call__(self, incoming: Incoming, request: GraphQLRequest) -> Context:
        _ = request
        graphql = self.settings.graphql
        header = incoming.headers.get("accept-language")
        call = Call(
            caller=self.caller,
            language=preferred(header, graphql.default_language),
            deadline=time.monotonic() + graphql.deadline_seconds,
            request_id=incoming.request_id,
        )
        return Context(
            call=call,
            ports=self.wiring.ports,
            media_url=self.links,
            systems=lambda: systems(self.wiring.watched()),
            page_cap=graphql.page_cap,
        )

    def own_call(self) -> Call:
        """The terms of a call that serves a file."""
        seconds = self.settings.graphql.deadline_seconds
        language = self.settings.graphql.default_language
        return Call(self.caller, language, time.monotonic() + seconds)


def build(
    settings: Settings,
    *,
    transports: Transports | None = None,
    examples: Mapping[str, str] | None = None,
) -> ASGIApp:
    """The whole gateway. An upstream that is down or wrong does not keep it from starting.

    `examples` fills the ready tabs of the IDE page, as in `var/demo.json`.
    """
    wiring = Wiring(settings, transports)
    links = _links(settings)
    make_context = ContextFactory(settings, wiring, links, fixed_caller(settings.access.caller))
    core = schema(settings.graphql.federation_version)._schema  # noqa: SLF001 - no public way
    engine = StockEngine(
        core,
        Documents(core, settings.limits.documents()),
        prepare=Gate(core, GateRules(settings.limits.cost, settings.graphql.introspection)),
    )
    ide = IdeConfiguration(tabs=storefront_tabs(examples or {}))
    return http_app(
        Endpoint(engine, make_context, max_body_bytes=settings.limits.body_bytes),
        not_ready=_always_ready,
        routes=[
            *ide_routes(lambda: ide),
            media_route(links, wiring.ports.catalog, make_context.own_call),
        ],
        lifespan=_lifespan(wiring),
    )


def _connect(
    name: str,
    config: Any,
    roles: tuple[str, ...],
    transport: httpx2.AsyncBaseTransport | None,
) -> Connection:
    found = registry.find(config.kind)
    upstream = Upstream(name, found.manifest, Exchanges(), transport)
    try:
        connector = found.connector()(upstream, config)
    except Exception:  # third parties' code: one that fails must not keep the others from serving
        log.exception("connector failed to start", upstream=name, kind=config.kind)
        connector = StandIn(upstream)
    return Connection(upstream, connector, roles)


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


def _lifespan(wiring: Wiring) -> Callable[[Any], Any]:
    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        log.info("gateway started", upstreams=sorted(wiring.connections))
        try:
            yield
        finally:
            await wiring.aclose()

    return lifespan
