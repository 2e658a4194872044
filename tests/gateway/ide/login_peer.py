"""What a login of the page needs on the other side: the sandbox's issuer, and an API that checks tokens."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import uvicorn
from graphql import build_schema, graphql_sync
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.http.ide import IdeConfiguration, Login, Tab, ide_routes
from sandbox.credentials import OAUTH_AUDIENCE, OAUTH_IDE_ID
from sandbox.oauth import Terms, app, people
from sandbox.seed import build

STARTED_SECONDS = 60
PRESET_KEY = "gw_test_of_the_page"
GOOD_KEY = "gw_test_of_a_partner"
OPENID = ("openid", "profile")
SCOPES = (*OPENID, "catalog:read", "orders:read", "customers:read")
WORLD = build()
BUYER = people(WORLD)["buyer"]
SCHEMA = build_schema("""
    type Query { viewer: Viewer! product: Product }
    type Viewer { subject: String! kind: String! name: String scopes: [String!]! customer: Customer }
    type Customer { number: String! name: String }
    type Product { sku: String! price: Price offers: [Price!]! }
    type Price { amount: String freshness: Freshness! }
    type Freshness { system: String! upstream: String! asOf: String! age: Int! state: String! }
""")
TAB = Tab(
    "Product",
    "query Product { product { sku price { amount freshness { state asOf upstream } } "
    "offers { freshness { state asOf upstream } } } viewer { subject } }",
    {},
)


class RefusedError(Exception):
    """The API knows neither the token nor the key."""


@dataclass
class Peer:
    """The API: answers who asks. `refusing` is true where no token serves any more."""

    issuer: str
    tokens: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    refusing: bool = False
    jwks: dict[str, Any] = field(default_factory=dict)

    async def graphql(self, request: Request) -> JSONResponse:
        try:
            viewer = self._viewer(request)
        except (RefusedError, JoseError):
            return JSONResponse({"errors": [{"message": "Who are you?"}]}, 401)
        asked = await request.json()
        if asked.get("operationName") == "Product":
            self.callers.append(viewer["subject"])
        result = graphql_sync(
            SCHEMA, asked["query"], {"viewer": viewer, "product": _product()}, None
        )
        return JSONResponse(json.loads(json.dumps(result.formatted)))

    def _viewer(self, request: Request) -> dict[str, Any]:
        bearer, key = request.headers.get("authorization"), request.headers.get("x-api-key")
        if self.refusing or (bearer and key):
            raise RefusedError
        if bearer:
            return self._person(bearer.removeprefix("Bearer "))
        if key:
            self.keys.append(key)
            return _application(key)
        return {"subject": "anonymous", "kind": "ANONYMOUS", "scopes": []}

    def _person(self, token: str) -> dict[str, Any]:
        self.tokens.append(token)
        claims = jwt.decode(token, KeySet.import_key_set(self.jwks), algorithms=["ES256"]).claims  # type: ignore[arg-type]  # as served
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": OAUTH_AUDIENCE},
        ).validate(claims)
        return {
            "subject": claims["sub"],
            "kind": "USER",
            "name": claims["name"],
            "scopes": claims["scope"].split(),
            "customer": {"number": claims["customer_number"], "name": "Boulons du Nord"},
        }


def _application(key: str) -> dict[str, Any]:
    if key not in {PRESET_KEY, GOOD_KEY}:
        raise RefusedError
    name = "Storefront" if key == PRESET_KEY else "Partner"
    return {"subject": f"key:{name}", "kind": "APPLICATION", "name": name, "scopes": ["stock:read"]}


def _product() -> dict[str, Any]:
    live = {"system": "ERP", "upstream": "erp-fr", "age": 0, "state": "LIVE"}
    live["asOf"] = "2026-05-04T10:00:00Z"
    stale = {**live, "state": "STALE", "asOf": "2026-05-04T09:00:00Z"}
    offers = [{"freshness": stale}, {"freshness": stale}]
    return {"sku": "A", "price": {"amount": "1.50", "freshness": live}, "offers": offers}


@dataclass(frozen=True)
class Site:
    """The page at `url`, with the two hosts that it may speak to."""

    url: str
    issuer: str
    peer: Peer


@contextmanager
def site(
    *, scopes: tuple[str, ...] = SCOPES, terms: Terms | None = None, keyed: bool = True
) -> Iterator[Site]:
    with listening() as (issuer_socket, issuer), listening() as (page_socket, url):
        authority = app(WORLD, issuer, terms)
        peer = Peer(issuer)
        login = Login(issuer, OAUTH_IDE_ID, scopes, resource=OAUTH_AUDIENCE)
        headers = {"X-API-Key": PRESET_KEY} if keyed else {}
        told = IdeConfiguration(tabs=(TAB,), headers=headers, login=login)
        routes = [Route("/graphql", peer.graphql, methods=["POST"]), *ide_routes(lambda: told)]
        with serving(authority, issuer_socket), serving(Starlette(routes=routes), page_socket):
            peer.jwks = _keys_of(issuer)
            yield Site(f"{url}/", issuer, peer)


def _keys_of(issuer: str) -> dict[str, Any]:
    keys: dict[str, Any] = httpx2.get(f"{issuer}/jwks").json()
    return keys


@contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        yield bound, f"http://127.0.0.1:{bound.getsockname()[1]}"


@contextmanager
def serving(application: ASGIApp, bound: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(
        application, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        last = time.monotonic() + STARTED_SECONDS
        while not server.started and time.monotonic() < last:
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join()
