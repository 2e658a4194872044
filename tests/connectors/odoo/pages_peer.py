"""The sandbox's Odoo as product pages ask it: it can fail, lack fields, and answer odd records."""

import asyncio
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from connectors.odoo.client import OdooClient
from connectors.odoo.config import OdooConfig
from connectors.odoo.prices import OdooPricing
from connectors.odoo.products import Products
from connectors.odoo.stock import OdooStock
from connectors.registry import manifests
from sandbox import seed
from sandbox.credentials import ODOO_API_KEY
from sandbox.odoo.loading import loaded
from sandbox.odoo.server import Server
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
    "a wrong type": (200, b'{"length": 1, "records": [{"id": "1", "default_code": 7}]}'),
}
FAULTS = tuple(_FAULTS)

_REFERENCE = (
    "fields_get",
    "res.currency",
    "res.lang",
    "res.company",
    "stock.warehouse",
    "stock.rule",
    "account.tax",
    "product.pricelist/",
    "product.pricelist.item/formatted_read_group",
)

Edit = Callable[[dict[str, Any]], None]


@functools.cache
def world() -> World:
    return seed.build()


def server(of: World) -> Server:
    return Server(loaded(of, "http://erp.test"))


@functools.cache
def _whole_server() -> Server:
    return server(world())


@dataclass(slots=True)
class Peer:
    """An ASGI application. `fault` befalls what is no reference.

    `lacks` are fields that this database does not have; `hides` are models and fields that the
    key has no right to, though Odoo lists them. `edit` changes each record of an answer. `calls` are model and method of every call in order, `asked`
    its arguments.
    """

    server: Any = field(default_factory=_whole_server)
    fault: str | None = None
    lacks: frozenset[str] = frozenset()
    hides: frozenset[str] = frozenset()
    edit: Edit | None = None
    spoils: str | None = None
    calls: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = await _whole(receive)
        path = scope["path"].removeprefix("/json/2/")
        self.calls.append(path)
        self.asked.append(json.loads(body))
        status, answer = await self._answer(scope, path, body)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    @property
    def live(self) -> list[str]:
        """The calls that are no reference."""
        return [path for path in self.calls if not _is_reference(path)]

    async def _answer(self, scope: Any, path: str, body: bytes) -> tuple[int, bytes]:
        if self.fault is not None and not _is_reference(path):
            if self.fault == "late":
                await asyncio.Event().wait()
            return _FAULTS[self.fault]
        if self.spoils is not None and self.spoils.encode() in body:
            return _FAULTS["malformed"]
        if path.partition("/")[0] in self.hides or any(
            f'"{name}"'.encode() in body for name in self.hides
        ):
            return 403, b'{"name": "odoo.exceptions.AccessError", "message": "no"}'
        return self._edited(path, *await _served(self.server, scope, body))

    def _edited(self, path: str, status: int, body: bytes) -> tuple[int, bytes]:
        if status != 200:
            return status, body
        if path.endswith("/fields_get"):
            fields = json.loads(body)
            return status, json.dumps(
                {name: told for name, told in fields.items() if name not in self.lacks}
            ).encode()
        if self.edit and path.endswith("/web_search_read"):
            whole = json.loads(body)
            for record in whole["records"]:
                self.edit(record)
            return status, json.dumps(whole).encode()
        return status, body


def _is_reference(path: str) -> bool:
    return any(each in path for each in _REFERENCE)


async def _whole(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _served(app: Any, scope: Any, body: bytes) -> tuple[int, bytes]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def client(peer: Any, **settings: object) -> OdooClient:
    """A client of the peer; one try, so that a failure is seen as it is."""
    keys = {"kind": "odoo", "base_url": "http://erp.test", "api_key": ODOO_API_KEY, "tries": 1}
    config = OdooConfig.model_validate({**keys, **settings})
    transport = httpx2.ASGITransport(app=peer)
    return OdooClient(Upstream("erp", manifests()["odoo"], Exchanges(), transport), config)


def hurried(fault: str) -> dict[str, object]:
    """Settings under which waiting for a peer that never answers ends soon."""
    return {"timeout_seconds": 0.2} if fault == "late" else {}


def page(peer: Any, **settings: object) -> tuple[OdooPricing, OdooStock]:
    """Pricing and stock of one connector, which share their reading of products."""
    odoo = client(peer, **settings)
    products = Products(odoo)
    return OdooPricing(odoo, products), OdooStock(odoo, products)
