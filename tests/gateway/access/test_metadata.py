"""What clients are told of where to get a token."""

import httpx2
from starlette.applications import Starlette

from gateway.access.metadata import ProtectedResource

ISSUER = "https://idp.example/realms/people"
RESOURCE = ProtectedResource("https://gateway.example", [ISSUER], ["orders:read", "catalog:read"])


async def told(path: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=Starlette(routes=RESOURCE.routes()))
    async with httpx2.AsyncClient(transport=transport, base_url=RESOURCE.root) as client:
        return await client.get(path)


async def test_the_address_in_challenges_tells_of_the_endpoint() -> None:
    response = await told(RESOURCE.address)

    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "resource": "https://gateway.example/graphql",
        "authorization_servers": [ISSUER],
        "scopes_supported": ["catalog:read", "orders:read"],
        "bearer_methods_supported": ["header"],
    }


async def test_the_address_of_the_host_tells_of_the_host() -> None:
    response = await told("/.well-known/oauth-protected-resource")

    assert response.json()["resource"] == "https://gateway.example"
