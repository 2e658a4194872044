"""The authorization server in process, and a browser of somebody who signs in there."""

import base64
import hashlib
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from sandbox.credentials import OAUTH_INTROSPECTION_ID, OAUTH_SECRETS
from sandbox.oauth import Terms, app
from sandbox.seed import build
from sandbox.world import World

ISSUER = "http://127.0.0.1:8100"
BACK = "http://127.0.0.1:8000/callback"
VERIFIER = "correct-horse-battery-staple-correct-horse-battery"
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)


@dataclass
class Clock:
    """The time of day, put forward at will."""

    ahead: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Flow:
    """The query editor in somebody's browser."""

    http: httpx2.AsyncClient
    asked: dict[str, str] = field(
        default_factory=lambda: {
            "response_type": "code",
            "client_id": "ide",
            "redirect_uri": BACK,
            "scope": "openid profile email orders:read offline_access",
            "state": "the state",
            "nonce": "the nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
    )

    def request(self, **changes: str | None) -> dict[str, str]:
        """The parameters of an authorization request; None leaves one out."""
        return {name: text for name, text in {**self.asked, **changes}.items() if text is not None}

    async def show(self, **changes: str | None) -> httpx2.Response:
        return await self.http.get("/authorize", params=self.request(**changes))

    async def choose(self, person: str | None = "buyer", **changes: str | None) -> httpx2.Response:
        """Clicks on a person; None refuses. The page has to be shown."""
        page = await self.show(**changes)
        assert page.status_code == 200, page.text
        found = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert found is not None
        choice = {"decision": "refuse"} if person is None else {"person": person}
        return await self.http.post(
            "/authorize",
            params=self.request(**changes),
            data={"ticket": unescape(found[1]), **choice},
        )

    async def code(self, person: str = "buyer", **changes: str | None) -> str:
        return told(await self.choose(person, **changes))["code"]

    async def exchange(self, code: str, **changes: str | None) -> httpx2.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": "ide",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            **changes,
        }
        return await self.http.post("/token", data={k: v for k, v in form.items() if v is not None})

    async def tokens(self, person: str = "buyer", **changes: str | None) -> dict[str, Any]:
        answer = await self.exchange(await self.code(person, **changes))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    async def refresh(self, token: str, **more: str) -> httpx2.Response:
        form = {"grant_type": "refresh_token", "client_id": "ide", "refresh_token": token}
        return await self.http.post("/token", data={**form, **more})

    async def machine(self, client: str = "storefront", **more: str) -> httpx2.Response:
        form = {"grant_type": "client_credentials", **more}
        return await self.http.post("/token", data=form, auth=(client, OAUTH_SECRETS[client]))

    async def introspect(self, token: str) -> dict[str, Any]:
        asking = (OAUTH_INTROSPECTION_ID, OAUTH_SECRETS[OAUTH_INTROSPECTION_ID])
        answer = await self.http.post("/introspect", data={"token": token}, auth=asking)
        assert answer.status_code == 200
        told: dict[str, Any] = answer.json()
        return told


def told(response: httpx2.Response) -> dict[str, str]:
    """What a redirect to the client says; the address itself has to be the client's."""
    assert response.status_code == 303, response.text
    address = response.headers["location"]
    assert address.startswith(f"{BACK}?")
    return dict(parse_qsl(urlsplit(address).query))


@pytest.fixture(scope="session")
def world() -> World:
    return build()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def http(world: World, clock: Clock) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=app(world, ISSUER, Terms(), clock))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


@pytest.fixture
def flow(http: httpx2.AsyncClient) -> Flow:
    return Flow(http)
