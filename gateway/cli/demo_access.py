"""The demo's credentials: API keys made anew at each start, tokens from the sandbox's issuer."""

import asyncio
import json
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.access.key_ring import KeyRing, Order
from gateway.access.key_wiring import peppers_of, store_of
from gateway.http.ide import IdeConfiguration, Login, storefront_tabs
from gateway.settings.keys import KeySettings
from resolvers.scopes import ACT_FOR, INTROSPECT, PURGE, SCOPE_OF_ROLE
from sandbox.credentials import OAUTH_AUDIENCE, OAUTH_IDE_ID

_READS = frozenset(scope for role, scope in SCOPE_OF_ROLE.items() if role != "systems")
_SYSTEMS = SCOPE_OF_ROLE["systems"]
_PARTNER = frozenset({"catalog:read", "prices:read", "stock:read", "orders:read"})

KEY_SCOPES: Mapping[str, frozenset[str]] = {
    "storefront": _READS | {ACT_FOR},
    "partner": _PARTNER,
    "developer": _READS | {ACT_FOR, _SYSTEMS, INTROSPECT, PURGE},
}
"""Each may act for the demo's customer and nobody else."""

_LOGIN_SCOPES = ("openid", "profile", "email", "offline_access", *sorted(_READS), ACT_FOR, _SYSTEMS)

# Name in the notes -> client of the sandbox's issuer.
_CLIENTS = {"storefront": "storefront", "opaque": "storefront-opaque", "staff": "back-office"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """`tenants`: two more customers, each with its number, an order of its own and a token."""

    api_keys: Mapping[str, str]
    tokens: Mapping[str, str]
    tenants: Sequence[Mapping[str, str]]


def credentials(settings: KeySettings, issuer: str, examples: Mapping[str, str]) -> Credentials:
    """Asks the issuer, so the sandbox must be up; makes the keys in the store of the settings."""
    with urllib.request.urlopen(f"{issuer}/_examples", timeout=5) as answer:  # noqa: S310 - ours
        published: Mapping[str, Any] = json.load(answer)
    clients = {one["id"]: one for one in published["clients"]}
    tokens = {name: _token(issuer, clients[client]) for name, client in _CLIENTS.items()}
    tenants = [
        {**tenant, "token": _token(issuer, _client_of(tenant, clients.values()))}
        for tenant in published["tenants"]
        if tenant["customer"] != examples["customer"]
    ]
    return Credentials(asyncio.run(api_keys(settings, examples["customer"])), tokens, tenants)


def page(given: Credentials, issuer: str, examples: Mapping[str, str]) -> IdeConfiguration:
    """The IDE page of the demo, whose ready tabs run at once with the developer's key."""
    headers = {"X-API-Key": given.api_keys["developer"]}
    login = Login(issuer, OAUTH_IDE_ID, _LOGIN_SCOPES, resource=OAUTH_AUDIENCE)
    return IdeConfiguration(tabs=storefront_tabs(examples), headers=headers, login=login)


async def api_keys(settings: KeySettings, customer: str) -> dict[str, str]:
    """Made anew in the store of the settings, by name. Acts for this customer alone."""
    store = store_of(settings)
    ring = KeyRing(store, peppers_of(settings))
    try:
        return {
            name: (
                await ring.create(
                    Order(
                        name=f"demo {name}",
                        scopes=scopes,
                        customers=frozenset({customer}),
                        customer=customer,
                    )
                )
            ).secret
            for name, scopes in KEY_SCOPES.items()
        }
    finally:
        await store.aclose()


def _client_of(tenant: Mapping[str, str], clients: Any) -> Mapping[str, Any]:
    """The client that acts for this tenant alone."""
    found: Mapping[str, Any] = next(
        one for one in clients if one["customers"] == [tenant["customer"]]
    )
    return found


def _token(issuer: str, client: Mapping[str, Any]) -> str:
    basic = b64encode(f"{client['id']}:{client['secret']}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 - our own sandbox
        f"{issuer}/token",
        data=urllib.parse.urlencode({"grant_type": "client_credentials"}).encode(),
        headers={"authorization": f"Basic {basic}"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
        token: str = json.load(answer)["access_token"]
    return token
