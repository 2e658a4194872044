"""Odoo's JSON-2 on the wire: what is sent, and what each kind of answer becomes."""

import json
from collections import deque
from typing import Any

import httpx2
import pytest

from connectors.odoo.client import OdooClient
from connectors.odoo.config import OdooConfig
from connectors.odoo.connector import Odoo
from connectors.registry import manifests
from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UpstreamError,
)
from sandbox.credentials import ODOO_API_KEY
from tests.connectors.odoo.pages_peer import Peer
from upstream.connector import Connector, Upstream
from upstream.exchanges import Exchanges
from upstream.reference import own_call

_PROBLEM = {"message": "secret words", "arguments": [], "context": {}, "debug": "Traceback /opt"}


class Scripted:
    """Answers languages with fr_FR and en_US, and other calls with `answers` in turn."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = deque(answers)
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content)
        if "res.lang" in request.url.path:
            return httpx2.Response(200, json=[{"code": "fr_FR"}, {"code": "en_US"}])
        self.requests.append((request.url.path, dict(request.headers), body))
        status, content = self.answers.popleft() if self.answers else (200, b"[]")
        return httpx2.Response(status, content=content)


def connected(peer: Any) -> Upstream:
    transport = (
        httpx2.MockTransport(peer) if isinstance(peer, Scripted) else httpx2.ASGITransport(app=peer)
    )
    return Upstream("erp-fr", manifests()["odoo"], Exchanges(), transport)


def config(**settings: object) -> OdooConfig:
    return OdooConfig.model_validate({**OdooConfig.example(), **settings})


def client(peer: Scripted, **settings: object) -> OdooClient:
    return OdooClient(connected(peer), config(**settings))


async def ask(odoo: OdooClient, shape: type[Any] = list[int], **arguments: object) -> Any:
    return await odoo.ask(
        "pricing.prices", "res.partner", "search", arguments, shape, call=own_call("fr")
    )


def problem(name: str) -> bytes:
    return json.dumps({"name": name, **_PROBLEM}).encode()


async def test_a_question_is_a_post_with_key_and_language() -> None:
    peer = Scripted((200, b"[1, 2]"))

    assert await ask(client(peer), domain=[["ref", "=", "C1"]]) == [1, 2]

    path, headers, body = peer.requests[0]
    assert path == "/json/2/res.partner/search"
    assert headers["authorization"] == "bearer 0123456789abcdef"
    assert headers["content-type"] == "application/json"
    assert "x-odoo-database" not in headers
    assert body == {"domain": [["ref", "=", "C1"]], "context": {"lang": "fr_FR"}}


async def test_database_and_company_are_sent_where_configured() -> None:
    peer = Scripted()

    await ask(client(peer, database="prod", company_id=3))

    _, headers, body = peer.requests[0]
    assert headers["x-odoo-database"] == "prod"
    assert body["context"]["allowed_company_ids"] == [3]


@pytest.mark.parametrize(
    ("tag", "lang"),
    [
        ("fr", "fr_FR"),
        ("fr-CA", "fr_FR"),
        ("fr_FR", "fr_FR"),
        ("en", "en_US"),
        ("de", None),
        ("xx", None),
    ],
)
async def test_only_installed_languages_are_asked_for(tag: str, lang: str | None) -> None:
    """Odoo refuses the whole call for any other."""
    peer = Scripted()

    await client(peer).ask("x", "res.partner", "search", {}, list[int], call=own_call(tag))

    assert peer.requests[0][2]["context"].get("lang") == lang


async def test_a_key_without_languages_reads_in_english() -> None:
    class NoLanguages(Scripted):
        async def __call__(self, request: httpx2.Request) -> httpx2.Response:
            if "res.lang" in request.url.path:
                return httpx2.Response(403, content=problem("odoo.exceptions.AccessError"))
            return await super().__call__(request)

    peer = NoLanguages()
    odoo = client(peer)

    for tag in ("fr", "en"):
        await odoo.ask("x", "res.partner", "search", {}, list[int], call=own_call(tag))

    assert [body["context"].get("lang") for _, _, body in peer.requests] == [None, "en_US"]


async def test_a_context_of_the_question_wins() -> None:
    peer = Scripted()

    await ask(client(peer), context={"lang": "en_US", "warehouse_id": 2})

    assert peer.requests[0][2]["context"] == {"lang": "en_US", "warehouse_id": 2}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, problem("builtins.ValueError"), RefusedError),
        (500, problem("builtins.KeyError"), RefusedError),
        (500, problem("psycopg2.errors.UndefinedColumn"), RefusedError),
        (500, problem("psycopg2.errors.SerializationFailure"), UnavailableError),
        (500, problem("psycopg2.OperationalError"), UnavailableError),
        (500, b"<html>Internal Server Error</html>", UnavailableError),
        (502, b"", UnavailableError),
        (401, problem("werkzeug.exceptions.Unauthorized"), RefusedError),
        (403, problem("odoo.exceptions.AccessError"), RefusedError),
        (404, problem("werkzeug.exceptions.NotFound"), RefusedError),
        (422, problem("odoo.exceptions.UserError"), RefusedError),
        (429, b"", ThrottledError),
        (200, b"<html></html>", MalformedError),
        (200, b"[1, 2", MalformedError),
        (200, b'["1"]', MalformedError),
        (200, b"null", MalformedError),
        (200, b"", MalformedError),
        (302, b"", MalformedError),
    ],
)
async def test_each_answer_is_the_error_it_means(
    status: int, body: bytes, kind: type[UpstreamError]
) -> None:
    peer = Scripted((status, body))

    with pytest.raises(kind) as told:
        await ask(client(peer, tries=1))

    error = told.value
    assert error.upstream == "erp-fr"
    assert error.operation == "pricing.prices"
    assert "secret" not in error.message
    assert "Traceback" not in error.message


async def test_what_no_repetition_heals_is_not_repeated() -> None:
    peer = Scripted((500, problem("builtins.ValueError")), (200, b"[1]"))

    with pytest.raises(RefusedError):
        await ask(client(peer, tries=3))

    assert len(peer.requests) == 1


async def test_a_lost_transaction_is_tried_again() -> None:
    peer = Scripted((500, problem("psycopg2.errors.SerializationFailure")), (200, b"[1]"))

    assert await ask(client(peer)) == [1]


async def test_the_next_key_takes_over_when_the_first_is_refused() -> None:
    refused = (401, problem("werkzeug.exceptions.Unauthorized"))
    peer = Scripted(refused, (200, b"[1]"), (200, b"[2]"))
    odoo = client(peer, next_api_key="second")

    assert [await ask(odoo), await ask(odoo)] == [[1], [2]]

    used = [headers["authorization"] for _, headers, _ in peer.requests]
    assert used == ["bearer 0123456789abcdef", "bearer second", "bearer second"]


async def test_two_refused_keys_are_a_refusal() -> None:
    refused = (401, problem("werkzeug.exceptions.Unauthorized"))
    peer = Scripted(refused, refused)

    with pytest.raises(RefusedError):
        await ask(client(peer, next_api_key="second"))


async def test_fields_are_read_once() -> None:
    peer = Scripted((200, b'{"ref": {"type": "char"}, "id": {"type": "integer"}}'))
    odoo = client(peer)

    found = [await odoo.fields("res.partner", call=own_call()) for _ in range(3)]

    assert found == [frozenset({"ref", "id"})] * 3
    assert len(peer.requests) == 1
    await odoo.aclose()


async def test_the_connector_serves_every_port_of_its_manifest_and_checks() -> None:
    connector: Connector = Odoo(connected(Peer()), _sandboxed())

    assert set(connector.ports()) == set(manifests()["odoo"].ports)
    await connector.check(call=own_call())
    await connector.aclose()


async def test_a_key_that_sees_nothing_fails_the_check() -> None:
    """Record rules hide silently: Odoo answers 0, not an error."""
    connector = Odoo(connected(Scripted((200, b"0"))), config())

    with pytest.raises(RefusedError):
        await connector.check(call=own_call())
    await connector.aclose()


async def test_a_wrong_key_fails_the_check() -> None:
    connector = Odoo(connected(Peer()), config())

    with pytest.raises(RefusedError):
        await connector.check(call=own_call())
    await connector.aclose()


def _sandboxed() -> OdooConfig:
    return config(api_key=ODOO_API_KEY)
