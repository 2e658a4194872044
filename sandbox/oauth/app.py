"""The authorization server's paths."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from authlib.oauth2 import OAuth2Error
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from sandbox.oauth.authorize import Authorize
from sandbox.oauth.clients import Client, clients, in_order
from sandbox.oauth.discovery import metadata
from sandbox.oauth.endpoints import UserInfoGate
from sandbox.oauth.exchange import Incoming, form_of
from sandbox.oauth.ledger import Ledger
from sandbox.oauth.page import problem, signed_out
from sandbox.oauth.people import people, tenants
from sandbox.oauth.server import AUDIENCES, Server, Terms
from sandbox.rate import Clock
from sandbox.world import World

Endpoint = Callable[[Request], Awaitable[Response]]

# Any page may ask: an answer is worth something only with a code or a token in hand.
_OPEN = Middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=["GET", "POST"],
    allow_headers=["authorization", "content-type"],
    expose_headers=["www-authenticate"],
)


def app(
    world: World, base_url: str, terms: Terms | None = None, clock: Clock = time.time
) -> ASGIApp:
    """The issuer at `base_url`. `clock` tells seconds since 1970."""
    issuer = base_url.rstrip("/")
    server = Server(issuer, clients(world), Ledger(clock), terms or Terms())
    endpoints, authorize = _Endpoints(server), Authorize(server, people(world))
    routes = [
        *_described(issuer),
        Route("/authorize", authorize.show, methods=["GET"]),
        Route("/authorize", authorize.decide, methods=["POST"]),
        Route("/introspect", endpoints.introspect, methods=["POST"]),
        Route("/end_session", endpoints.end_session, methods=["GET", "POST"]),
        Route("/_rotate", endpoints.rotate, methods=["POST"]),
        Route("/_examples", _examples(world, issuer), methods=["GET"]),
        _open("/jwks", endpoints.jwks, "GET"),
        _open("/token", endpoints.token, "POST"),
        _open("/revoke", endpoints.revoke, "POST"),
        _open("/userinfo", endpoints.userinfo, "GET", "POST"),
    ]
    return Starlette(routes=routes)


def _open(path: str, endpoint: Endpoint, *methods: str) -> Route:
    """A route for clients that are pages of other origins."""
    return Route(path, endpoint, methods=[*methods, "OPTIONS"], middleware=[_OPEN])


def _described(issuer: str) -> list[Route]:
    """The one document under its names: below the issuer, and as RFC 8414 §3.1 spells it.

    The latter is at the root of the host, which hands `/.well-known` to this application.
    """
    document, path = metadata(issuer), urlsplit(issuer).path

    async def described(_: Request) -> Response:
        return _json(document)

    names = ("openid-configuration", "oauth-authorization-server")
    below = [_open(f"/.well-known/{name}", described, "GET") for name in names]
    return [*below, *(_open(f"/{name}{path}", described, "GET") for name in names if path)]


class _Endpoints:
    """The endpoints for machines."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._user_info = UserInfoGate(server.ledger)

    async def jwks(self, _: Request) -> Response:
        return _json(self._server.keys.jwks())

    async def token(self, request: Request) -> Response:
        return await self._posted(request, self._server.create_token_response)

    async def introspect(self, request: Request) -> Response:
        return await self._posted(request, self._endpoint("introspection"))

    async def revoke(self, request: Request) -> Response:
        return await self._posted(request, self._endpoint("revocation"))

    async def userinfo(self, request: Request) -> Response:
        try:
            return _json(self._user_info.told(Incoming(request)))
        except OAuth2Error as error:
            return self._refused(error)

    async def end_session(self, request: Request) -> Response:
        """Signs out, and returns to the client where its ID token proves that it asks."""
        try:
            form = await form_of(request) if request.method == "POST" else None
            incoming = Incoming(request, form=form)
            incoming.payload.check()
            asked = self._server.validate_endpoint_request("end_session", incoming)
        except (OAuth2Error, ValueError):  # Authlib cannot always put the fault into words
            return problem("The request to sign out is not valid.")
        left: Response | None = self._server.create_endpoint_response("end_session", asked)
        return left or signed_out()

    async def rotate(self, request: Request) -> Response:
        """POST /_rotate: new keys sign. With `?keep=false` the old ones are gone at once."""
        self._server.keys.rotate(keep=request.query_params.get("keep") != "false")
        return _json({"kids": [key["kid"] for key in self._server.keys.jwks()["keys"]]})

    async def _posted(self, request: Request, answering: Callable[[Incoming], Any]) -> Response:
        try:
            form = await form_of(request)
            form.check()
        except OAuth2Error as error:
            return self._refused(error)
        response: Response = answering(Incoming(request, form=form))
        return response

    def _endpoint(self, name: str) -> Callable[[Incoming], Any]:
        return lambda incoming: self._server.create_endpoint_response(name, incoming)

    def _refused(self, error: OAuth2Error) -> Response:
        response: Response = self._server.handle_error_response(None, error)
        return response


def _examples(world: World, issuer: str) -> Endpoint:
    """GET /_examples: whoever starts the demo finds here what there is to sign in with."""
    document = {
        "issuer": issuer,
        "audience": AUDIENCES[0],
        "people": [
            {"id": one.id, "name": one.name, "customer": one.customer}
            for one in people(world).values()
        ],
        "clients": [_client(one) for one in clients(world).values()],
        "tenants": tenants(world),
    }

    async def told(_: Request) -> Response:
        return _json(document)

    return told


def _client(client: Client) -> dict[str, object]:
    return {
        "id": client.id,
        "secret": client.secret,
        "grants": client.grants,
        "scopes": in_order(client.scopes),
        "customer": client.customer,
        "customers": client.customers,
    }


def _json(body: object) -> Response:
    headers: Sequence[tuple[str, str]] = [("Cache-Control", "no-store")]
    return Response(msgspec.json.encode(body), media_type="application/json", headers=dict(headers))
