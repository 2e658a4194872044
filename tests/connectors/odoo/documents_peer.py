"""The sandbox's Odoo as a peer that can fail, lack modules, or answer something odd."""

import asyncio
import functools
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from connectors.odoo.client import OdooClient
from connectors.odoo.config import OdooConfig
from connectors.registry import manifests
from sandbox import odoo, seed
from sandbox.credentials import ODOO_API_KEY
from sandbox.world import World
from upstream.connector import Upstream
from upstream.exchanges import Exchanges

_HTML = b"<!DOCTYPE html><html><body>Back soon</body></html>"
_REFUSED = b'{"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}'
_WRONG_FIELD = b'{"name": "builtins.ValueError", "message": "Invalid field", "debug": "Traceback"}'
_FAULTS: dict[str, tuple[int, bytes]] = {
    "unavailable": (503, _HTML),
    "throttled": (429, b""),
    "refused": (401, _REFUSED),
    "refused for its question": (500, _WRONG_FIELD),
    "malformed": (200, _HTML),
    "truncated": (200, b'{"length": 2, "records": [{"id": 1, "na'),
    "a list": (200, b"[]"),
    "null": (200, b"null"),
    "no records": (200, b'{"length": 1}'),
    "records without number": (200, b'{"length": 1, "records": [{"id": 1, "name": 7}]}'),
}
FAULTS = tuple(_FAULTS)

Edit = Callable[[dict[str, Any]], None]


@functools.cache
def world() -> World:
    return seed.build()


@functools.cache
def _server() -> Any:
    return odoo.app(world(), "http://erp.test")


@dataclass(slots=True)
class Peer:
    """An ASGI application. `fault` befalls `web_search_read` only; reference reads go on.

    `lacks` are fields that this database does not have. `edit` changes each record of an answer.
    `asked` are the arguments of every `web_search_read`, `calls` counts all paths.
    """

    server: Any = field(default_factory=_server)
    fault: str | None = None
    lacks: frozenset[str] = frozenset()
    edit: Edit | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.calls[path] += 1
        if not path.endswith("/web_search_read"):
            return await _answer(send, *self._edited(path, await self._served(scope, receive)))
        body = await _whole(receive)
        self.asked.append(json.loads(body))
        if self.fault == "late":
            await asyncio.Event().wait()
        if self.fault is not None:
            return await _answer(send, *_FAULTS[self.fault])

        async def again() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        return await _answer(send, *self._edited(path, await self._served(scope, again)))

    async def _served(self, scope: Any, receive: Any) -> tuple[int, bytes]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await self.server(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])

    def _edited(self, path: str, answer: tuple[int, bytes]) -> tuple[int, bytes]:
        status, body = answer
        if status == 200 and path.endswith("/fields_get"):
            fields = json.loads(body)
            body = json.dumps({k: v for k, v in fields.items() if k not in self.lacks}).encode()
        elif status == 200 and self.edit and path.endswith("/web_search_read"):
            whole = json.loads(body)
            for record in whole["records"]:
                self.edit(record)
            body = json.dumps(whole).encode()
        return status, body

    @property
    def documents(self) -> int:
        """Calls beside those for reference."""
        return sum(n for path, n in self.calls.items() if path.endswith("/web_search_read"))


async def _whole(receive: Any) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def client(peer: Any, **settings: object) -> OdooClient:
    """A client of the peer; one try, so that a failure is seen as it is."""
    keys = {"kind": "odoo", "base_url": "http://erp.test", "api_key": ODOO_API_KEY, "tries": 1}
    config = OdooConfig.model_validate({**keys, "timeout_seconds": 5, **settings})
    transport = httpx2.ASGITransport(app=peer)
    return OdooClient(Upstream("erp", manifests()["odoo"], Exchanges(), transport), config)


def broken_client(name: str) -> OdooClient:
    """A client whose peer fails in one of the contract's ways."""
    return client(Peer(fault=name), timeout_seconds=0.2 if name == "late" else 5)


def field_names(specification: dict[str, Any]) -> Iterable[str]:
    """All field names of a specification, at any depth."""
    for name, wish in specification.items():
        yield name
        yield from field_names(wish.get("fields", {}))
