"""The sandbox's Akeneo as a peer that can fail, answer something odd, and tell what it was asked."""

import asyncio
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
from pydantic import SecretStr

from connectors.akeneo.config import AkeneoConfig
from connectors.akeneo.connector import Akeneo
from connectors.registry import manifests
from ports.catalog import Catalog
from sandbox import credentials, seed
from sandbox.akeneo import app
from sandbox.world import World
from upstream.connector import Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded

ADDRESS = "http://pim.test"
_HTML = b"<!DOCTYPE html><html><body>Back soon</body></html>"
_UNAUTHENTICATED = b'{"code": 401, "message": "Authentication is required"}'
FAULTS: dict[str, tuple[int, bytes]] = {
    "unavailable": (503, _HTML),
    "throttled": (429, b""),
    "refused": (401, _UNAUTHENTICATED),
    "forbidden": (403, b'{"code": 403, "message": "Access forbidden."}'),
    "malformed": (200, _HTML),
    "truncated": (200, b'{"_links": {}, "_embedded": {"items": [{"uu'),
    "a list": (200, b"[]"),
    "null": (200, b"null"),
    "items that are none": (200, b'{"_links": {}, "_embedded": {"items": {}}}'),
    "nothing embedded": (200, b'{"_links": {}}'),
    "a deep answer": (200, b"[" * 100_000),
}

Answer = Callable[[str, bytes], bytes]
"What becomes of an answer's body, by the path it was asked at."


@functools.cache
def world() -> World:
    return seed.build()


@functools.cache
def _server() -> Any:
    return app(world(), ADDRESS)


@dataclass(slots=True)
class Peer:
    """An ASGI application. `fault` befalls product searches alone; tokens and set-up go on.

    `edit` changes the bodies of answers. `statuses` answers a path with a status of its own.
    `calls` holds method and path of all that was asked, tokens aside, `asked` the bodies of
    product searches.
    """

    fault: str | None = None
    edit: Answer | None = None
    statuses: dict[str, int] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if "oauth" not in path:
            self.calls.append((scope["method"], path))
            self.queries.append(scope["query_string"].decode())
            self.hosts.add(dict(scope["headers"])[b"host"].decode())
        if "products-uuid" in path and self.fault == "late":
            await asyncio.Event().wait()
        elif "products-uuid" in path and self.fault is not None:
            await _answer(send, *FAULTS[self.fault])
        elif path in self.statuses:
            await _answer(send, self.statuses[path], b'{"code": 0, "message": "no"}')
        else:
            await _server()(scope, self._listening(path, receive), self._editing(path, send))

    def searches(self) -> list[dict[str, Any]]:
        """The criteria of each product search."""
        return [json.loads(body.get("search", "{}")) for body in self.asked]

    def _listening(self, path: str, receive: Any) -> Any:
        async def listening() -> Any:
            message = await receive()
            if path.endswith("/products-uuid/search") and message.get("body"):
                self.asked.append(json.loads(message["body"]))
            return message

        return listening

    def _editing(self, path: str, send: Any) -> Any:
        parts: list[bytes] = []

        async def editing(message: Any) -> None:
            if self.edit is None:
                await send(message)
            elif message["type"] == "http.response.start":
                plain = [h for h in message["headers"] if h[0] != b"content-length"]
                await send({**message, "headers": plain})
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    whole = self.edit(path, b"".join(parts))
                    await send({"type": "http.response.body", "body": whole})

        return editing


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def upstream(peer: Any) -> Upstream:
    return Upstream("pim", manifests()["akeneo"], Exchanges(), httpx2.ASGITransport(app=peer))


def config(**keys: Any) -> AkeneoConfig:
    return AkeneoConfig(
        kind="akeneo",
        base_url=ADDRESS,
        client_id=credentials.AKENEO_CLIENT_ID,
        client_secret=SecretStr(credentials.AKENEO_CLIENT_SECRET),
        username=credentials.AKENEO_USERNAME,
        password=SecretStr(credentials.AKENEO_PASSWORD),
        model_name_attribute="model_name",
        **keys,
    )


def akeneo(peer: Any, **keys: Any) -> Akeneo:
    return Akeneo(upstream(peer), config(**keys))


def guarded(peer: Any, **keys: Any) -> Catalog:
    """The port as the gateway has it: in portions that the PIM bears."""
    found = Guarded("catalog", Catalog, akeneo(peer, **keys), upstream(peer))
    return cast("Catalog", found)
