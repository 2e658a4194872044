"""The whole gateway over the sandbox as an attacker sees it: many callers, one door."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from starlette.types import ASGIApp

from gateway.access.key_ring import KeyRing
from gateway.access.key_wiring import peppers_of, store_of
from gateway.cli.demo import Demo
from gateway.settings import Settings, read
from sandbox.credentials import OAUTH_SECRETS
from sandbox.world import Company, World

PEPPER = "pepper" * 6
Headers = dict[str, str]


def tables(folder: Path) -> dict[str, Any]:
    """The demo's settings, with keys in `folder` and rates that let a test be busy."""
    found = Demo().tables(PEPPER)
    found["access"]["keys"]["store"] = f"sqlite:{folder / 'keys.db'}"
    plenty = {"cost_per_second": 10_000_000, "burst": 100_000_000, "requests_per_second": 100_000}
    found["rates"] = dict.fromkeys(("anonymous", "user", "staff", "application"), plenty)
    return found


def settings_of(folder: Path) -> Settings:
    return read(tables(folder))


@dataclass(frozen=True)
class Fortress:
    """The gateway, the sandbox's control plane, and the credentials of whoever attacks."""

    client: httpx2.AsyncClient
    sandbox: httpx2.AsyncClient
    app: ASGIApp
    settings: Settings
    world: World
    keys: Mapping[str, str]
    tokens: Mapping[str, str]

    def bearer(self, client: str = "storefront") -> Headers:
        return {"authorization": f"Bearer {self.tokens[client]}"}

    def key(self, name: str = "storefront") -> Headers:
        return {"x-api-key": self.keys[name]}

    async def post(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """Without `headers` nobody known asks."""
        body = {"query": query, "variables": variables, **more}
        return await self.client.post("/graphql", json=body, headers=headers or {})

    async def ask(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The answer without what differs from request to request."""
        answer = (await self.post(query, variables, headers=headers)).json()
        return without_request_ids(answer)

    async def fault(self, system: str, **fault: Any) -> None:
        answer = await self.sandbox.put(f"/_control/faults/{system}", json=fault)
        assert answer.is_success, answer.text

    async def calls(self) -> int:
        counted = (await self.sandbox.get("/_control/calls")).json()
        await self.sandbox.delete("/_control/calls")
        return sum(one["total"] for one in counted.values())

    def company(self, number: str) -> Company:
        return next(one for one in self.world.companies if one.number == number)

    async def revoke(self, name: str) -> None:
        """By a process of its own, as an operator does."""
        store = store_of(self.settings.access.keys)
        try:
            await KeyRing(store, peppers_of(self.settings.access.keys)).revoke(self.keys[name])
        finally:
            await store.aclose()


async def tokens_of(sandbox: httpx2.AsyncClient) -> dict[str, str]:
    """A token of each client that gets one for itself."""
    tokens = {}
    for client, secret in OAUTH_SECRETS.items():
        answer = await sandbox.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(client, secret)
        )
        if answer.is_success:
            tokens[client] = answer.json()["access_token"]
    return tokens


def without_request_ids(answer: Any) -> Any:
    for error in answer.get("errors", ()):
        error["extensions"].pop("requestId", None)
    return answer


def codes(answer: Any) -> list[str]:
    return [error["extensions"]["code"] for error in answer.get("errors", ())]


def text(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, sort_keys=True)
