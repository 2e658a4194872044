"""HubSpot's paths, and what stands before each of them: the token, then the rate."""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from sandbox.credentials import HUBSPOT_TOKEN
from sandbox.hubspot.answers import Refusal, answer
from sandbox.hubspot.associations import Associations
from sandbox.hubspot.objects import Objects, Shelves
from sandbox.hubspot.portal import App, Owners, Properties
from sandbox.rate import Bucket, Clock, Rate
from sandbox.world import World

Endpoint = Callable[[Request], Awaitable[Response]]

# The dated form of the paths that new portals are told to use; the older one stays served.
DATED = "2026-09"


_CALLS, _SEARCHES = Rate(10_000, 10), Rate(1_000, 1)


@dataclass(frozen=True, slots=True)
class Limits:
    """HubSpot's are 190 calls in 10 s and 5 searches a second; ours let a benchmark through."""

    calls: Rate = _CALLS
    searches: Rate = _SEARCHES


def app(
    world: World, base_url: str, limits: Limits | None = None, clock: Clock | None = None
) -> ASGIApp:
    """The CRM at `base_url`, which its paging links start with."""
    gate = _Gate(limits or Limits(), **({"clock": clock} if clock else {}))
    shelves = Shelves.of(world)
    objects = Objects(world, shelves, base_url.rstrip("/"))
    routes = [
        *_objects(gate, objects, "/crm/v3/objects"),
        *_objects(gate, objects, f"/crm/objects/{DATED}"),
        *_associations(gate, Associations(world, shelves)),
        *_app(gate, App()),
        *_portal(gate, Owners(world), Properties(world, shelves)),
    ]
    errors = {404: _nowhere, 405: _not_so}
    return Starlette(routes=routes, exception_handlers=errors)


def _objects(gate: "_Gate", objects: Objects, root: str) -> list[BaseRoute]:
    root = f"{root}/{{type}}"
    return [
        Route(f"{root}/batch/read", gate.opened(objects.read), methods=["POST"]),
        Route(f"{root}/search", gate.opened(objects.search, searching=True), methods=["POST"]),
        Route(f"{root}/{{id}}", gate.opened(objects.get), methods=["GET"]),
        Route(root, gate.opened(objects.listed), methods=["GET"]),
    ]


def _associations(gate: "_Gate", links: Associations) -> list[BaseRoute]:
    read, listed = gate.opened(links.read), gate.opened(links.listed)
    pair, one = "{from}/{to}/batch/read", "{from}/{id}/associations/{to}"
    return [
        Route(f"/crm/v4/associations/{pair}", read, methods=["POST"]),
        Route(f"/crm/associations/{DATED}/{pair}", read, methods=["POST"]),
        Route(f"/crm/v4/objects/{one}", listed, methods=["GET"]),
        Route(f"/crm/objects/{DATED}/{one}", listed, methods=["GET"]),
    ]


def _app(gate: "_Gate", own: App) -> list[BaseRoute]:
    account, token = gate.opened(own.account), gate.opened(own.token)
    return [
        Route("/account-info/v3/details", account, methods=["GET"]),
        Route("/oauth/v2/private-apps/get/access-token-info", token, methods=["POST"]),
    ]


def _portal(gate: "_Gate", owners: Owners, properties: Properties) -> list[BaseRoute]:
    listed, one = gate.opened(owners.listed), gate.opened(owners.get)
    known, single = gate.opened(properties.listed), gate.opened(properties.get)
    routes: list[BaseRoute] = []
    for people, fields in (
        ("/crm/v3/owners", "/crm/v3/properties"),
        (f"/crm/owners/{DATED}", f"/crm/properties/{DATED}"),
    ):
        routes += [
            # The official clients end this path with a slash; the documentation does not.
            Route(people, listed, methods=["GET"]),
            Route(f"{people}/", listed, methods=["GET"]),
            Route(f"{people}/{{id}}", one, methods=["GET"]),
            Route(f"{fields}/{{type}}", known, methods=["GET"]),
            Route(f"{fields}/{{type}}/{{name}}", single, methods=["GET"]),
        ]
    return routes


class _Gate:
    """Lets a call in that has the token and a place in its bucket; writes the rate's headers."""

    def __init__(self, limits: Limits, **clock: Clock) -> None:
        self._calls = Bucket(limits.calls, **clock)
        self._searches = Bucket(limits.searches, **clock)

    def opened(self, endpoint: Endpoint, *, searching: bool = False) -> Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                self._check(request, searching=searching)
                response = await endpoint(request)
            except Refusal as refusal:
                response = answer(refusal.body(), refusal.status)
            if not searching:  # HubSpot tells no rate on its search
                response.headers.update(self._headers())
            return response

        return guarded

    def _check(self, request: Request, *, searching: bool) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = hmac.compare_digest(token.strip().encode(), HUBSPOT_TOKEN.encode())
        if scheme.lower() != "bearer" or not known:
            raise Refusal(401, "INVALID_AUTHENTICATION", "Authentication credentials not found")
        if searching and not self._searches.take():
            raise _too_many("SECONDLY")
        if not searching and not self._calls.take():
            raise _too_many("TEN_SECONDLY_ROLLING")

    def _headers(self) -> dict[str, str]:
        return {
            "X-HubSpot-RateLimit-Max": str(self._calls.rate.calls),
            "X-HubSpot-RateLimit-Remaining": str(self._calls.remaining),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self._calls.rate.seconds * 1_000)),
            "X-HubSpot-RateLimit-Daily": "1000000",
            "X-HubSpot-RateLimit-Daily-Remaining": "1000000",
        }


def _too_many(policy: str) -> Refusal:
    message = f"You have reached your {policy.lower()} limit."
    extra = {"errorType": "RATE_LIMIT", "policyName": policy, "requestId": str(uuid4())}
    return Refusal(429, "RATE_LIMITS", message, extra=extra)


async def _nowhere(_: Request, __: Exception) -> Response:
    return answer(Refusal(404, "OBJECT_NOT_FOUND", "No such path").body(), 404)


async def _not_so(_: Request, __: Exception) -> Response:
    return answer(Refusal(405, "VALIDATION_ERROR", "Method not allowed").body(), 405)
