"""Documents that are named, as Apollo's, Relay's and other clients do it over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from gateway.execution.engine import StockEngine
from gateway.http.app import http_app
from gateway.http.endpoint import Endpoint
from gateway.operations.documents import Documents
from gateway.operations.persisted import MemoryStore, PersistedDocuments
from gateway.operations.trusted import Mode, TrustedDocuments

URL = "/graphql"
JSON = {"accept": "application/json"}
GRAPHQL = {"accept": "application/graphql-response+json"}
HELLO = "query Hello($name: String) { hello(name: $name) }"
BUMP = "mutation { bump }"
ANSWER = {"data": {"hello": "Hello Zoë"}}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apollo(text: str) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}


async def context(*_: object) -> object:
    return None


async def ready() -> list[str]:
    return []


@asynccontextmanager
async def asking(graph: Any, mode: Mode) -> AsyncIterator[httpx2.AsyncClient]:
    """A gateway that knows HELLO as `hello` and BUMP as `bump`; registers texts unless `only`."""
    schema = graph.schema()
    known = TrustedDocuments({"hello": HELLO, "bump": BUMP}, mode)
    store = None if mode == "only" else MemoryStore(10_000)
    engine = StockEngine(schema, PersistedDocuments(Documents(schema), known, store))
    app = http_app(Endpoint(engine, context), not_ready=ready)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@pytest.fixture
async def automatic(graph: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(graph, "off") as client:
        yield client


@pytest.fixture
async def strict(graph: Any) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(graph, "only") as client:
        yield client


def refusal(response: httpx2.Response) -> tuple[str, str]:
    body = response.json()
    assert "data" not in body
    (error,) = body["errors"]
    return error["message"], error["extensions"]["code"]


async def test_the_dance_of_automatic_persisted_queries(automatic: httpx2.AsyncClient) -> None:
    text = "query New($name: String) { hello(name: $name) json }"
    short = {"extensions": apollo(text), "variables": {"name": "Zoë"}}
    expected = {"data": {"hello": "Hello Zoë", "json": None}}

    missed = await automatic.post(URL, json=short, headers=JSON)
    assert missed.status_code == 200
    assert refusal(missed) == ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
    assert missed.headers["cache-control"] == "no-store"
    assert (await automatic.post(URL, json={"query": text, **short})).json() == expected
    assert (await automatic.post(URL, json=short)).json() == expected
    by_get = {name: json.dumps(value) for name, value in short.items()}
    assert (await automatic.get(URL, params=by_get)).json() == expected


async def test_registering_by_get(automatic: httpx2.AsyncClient) -> None:
    extensions = json.dumps(apollo("{ json }"))
    sent = {"query": "{ json }", "extensions": extensions}
    assert (await automatic.get(URL, params=sent)).status_code == 200
    found = await automatic.get(URL, params={"extensions": extensions})
    assert found.json() == {"data": {"json": None}}


async def test_an_unknown_hash_by_media_type(automatic: httpx2.AsyncClient) -> None:
    response = await automatic.post(URL, json={"documentId": "sha256:0"}, headers=GRAPHQL)
    assert response.status_code == 404
    assert refusal(response) == ("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")


@pytest.mark.parametrize("headers", [JSON, GRAPHQL])
async def test_a_hash_of_another_text(
    automatic: httpx2.AsyncClient, headers: dict[str, str]
) -> None:
    sent = {"query": "{ json }", "extensions": apollo(HELLO)}
    response = await automatic.post(URL, json=sent, headers=headers)
    assert response.status_code == 400
    said, code = refusal(response)
    assert said == "provided sha does not match query"
    assert code == "PERSISTED_QUERY_HASH_MISMATCH"
    missed = await automatic.post(URL, json={"extensions": apollo("{ json }")})
    assert refusal(missed)[0] == "PersistedQueryNotFound"


@pytest.mark.parametrize(
    "sent",
    [
        {"documentId": "hello"},
        {"documentId": f"sha256:{digest(HELLO)}"},
        {"documentId": digest(HELLO)},
        {"extensions": apollo(HELLO)},
        {"doc_id": "hello"},
        {"id": "hello"},
        {"query": HELLO},
        {"query": HELLO, "extensions": apollo(HELLO)},
        {"query": HELLO, "documentId": "hello"},
    ],
    ids=str,
)
async def test_trusted_documents_by_every_name(
    strict: httpx2.AsyncClient, sent: dict[str, Any]
) -> None:
    asked = {**sent, "variables": {"name": "Zoë"}, "operationName": "Hello"}
    assert (await strict.post(URL, json=asked)).json() == ANSWER
    query = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in asked.items()
    }
    assert (await strict.get(URL, params=query)).json() == ANSWER


@pytest.mark.parametrize("text", ["{ json }", HELLO + " ", "{", "{ __schema { description } }"])
async def test_other_documents_are_refused(strict: httpx2.AsyncClient, text: str) -> None:
    for headers, status in ((JSON, 200), (GRAPHQL, 403)):
        response = await strict.post(URL, json={"query": text}, headers=headers)
        assert response.status_code == status
        assert refusal(response)[1] == "DOCUMENT_NOT_TRUSTED"


async def test_nothing_is_registered_where_only_trusted_documents_are_served(
    strict: httpx2.AsyncClient,
) -> None:
    sent = {"query": "{ json }", "extensions": apollo("{ json }")}
    assert refusal(await strict.post(URL, json=sent))[1] == "DOCUMENT_NOT_TRUSTED"
    missed = await strict.post(URL, json={"extensions": apollo("{ json }")})
    assert refusal(missed)[1] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_named_mutation_needs_post(strict: httpx2.AsyncClient) -> None:
    assert (await strict.post(URL, json={"documentId": "bump"})).json() == {"data": {"bump": 1}}
    response = await strict.get(URL, params={"documentId": "bump"})
    assert response.status_code == 405
    assert refusal(response)[1] == "METHOD_NOT_ALLOWED"


async def test_a_named_document_obeys_the_rules_of_operations(strict: httpx2.AsyncClient) -> None:
    sent = {"documentId": "hello", "operationName": "Other"}
    response = await strict.post(URL, json=sent, headers=GRAPHQL)
    assert response.status_code == 400
    assert refusal(response)[1] == "OPERATION_RESOLUTION_FAILURE"
