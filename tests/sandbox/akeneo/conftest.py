"""The PIM in process, with a token; and the vendor's published examples where they are at hand."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sandbox.akeneo import app
from sandbox.credentials import (
    AKENEO_CLIENT_ID,
    AKENEO_CLIENT_SECRET,
    AKENEO_PASSWORD,
    AKENEO_USERNAME,
)
from sandbox.seed import build
from sandbox.world import World

BASE = "http://pim.example"
PUBLISHED = Path(__file__).parents[3] / ".." / "shared" / "vendor-apis" / "akeneo"

Search = Callable[..., Awaitable[list[str]]]
"A search's filters (and further body fields) -> the SKUs found, at most a hundred."


@pytest.fixture(scope="session")
def world() -> World:
    return build()


@pytest.fixture
def clock() -> list[float]:
    """The server's clock: its one entry is now."""
    return [1000.0]


@pytest.fixture
async def stranger(world: World, clock: list[float]) -> AsyncIterator[httpx2.AsyncClient]:
    """A client without a token."""
    transport = httpx2.ASGITransport(app=app(world, BASE, lambda: clock[0]))
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


@pytest.fixture
def basic() -> str:
    pair = f"{AKENEO_CLIENT_ID}:{AKENEO_CLIENT_SECRET}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


@pytest.fixture
def login() -> dict[str, str]:
    return {
        "grant_type": "password",
        "username": AKENEO_USERNAME,
        "password": AKENEO_PASSWORD,
    }


@pytest.fixture
async def client(
    stranger: httpx2.AsyncClient, basic: str, login: dict[str, str]
) -> httpx2.AsyncClient:
    token = await stranger.post("/api/oauth/v1/token", json=login, headers={"authorization": basic})
    stranger.headers["authorization"] = f"Bearer {token.json()['access_token']}"
    return stranger


@pytest.fixture
def search(client: httpx2.AsyncClient) -> Search:
    async def found(filters: dict[str, Any], **fields: Any) -> list[str]:
        answer = await client.post(
            "/api/rest/v1/products-uuid/search?limit=100&pagination_type=search_after",
            json={"search": json.dumps(filters), **fields},
        )
        assert answer.status_code == 200, answer.text
        return [row["values"]["sku"][0]["data"] for row in answer.json()["_embedded"]["items"]]

    return found


@pytest.fixture
def refused(client: httpx2.AsyncClient) -> Callable[[str, object], Awaitable[str]]:
    """A search that the PIM refuses with 422 -> its message."""

    async def message(name: str, condition: object) -> str:
        answer = await client.get(
            "/api/rest/v1/products-uuid", params={"search": json.dumps({name: condition})}
        )
        assert answer.status_code == 422, answer.text
        body = answer.json()
        assert body["code"] == 422
        return str(body["message"])

    return message


@pytest.fixture(scope="session")
def published() -> Callable[[str], Any]:
    """The vendor's example of a route, by file name."""

    def example(name: str) -> Any:
        path = PUBLISHED / "examples" / f"{name}.json"
        if not path.exists():
            pytest.skip("the vendor's examples are not at hand")
        return json.loads(path.read_text())

    return example
