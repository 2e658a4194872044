"""What a client of the endpoint may rely on: methods, media types, statuses, errors."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from gateway.execution.answer import Answer
from gateway.execution.engine import StockEngine
from gateway.http.app import http_app
from gateway.http.endpoint import Endpoint
from gateway.http.incoming import Incoming
from ports import errors as port_errors

GRAPHQL = {"accept": "application/graphql-response+json"}
JSON = {"accept": "application/json"}
URL = "/graphql"


def only_error(response: httpx2.Response) -> dict[str, Any]:
    (error,) = response.json()["errors"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    return dict(error)


def code_of(response: httpx2.Response) -> str:
    return str(only_error(response)["extensions"]["code"])


async def post(client: httpx2.AsyncClient, query: str, **more: Any) -> httpx2.Response:
    headers = more.pop("headers", {})
    return await client.post(URL, json={"query": query, **more}, headers=headers)


async def test_a_query_by_post(client: httpx2.AsyncClient) -> None:
    response = await post(client, "query Q($n: String) { hello(name: $n) }", variables={"n": "Zoë"})
    assert response.status_code == 200
    assert response.json() == {"data": {"hello": "Hello Zoë"}}
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-length"] == str(len(response.content))


async def test_a_query_by_get(client: httpx2.AsyncClient) -> None:
    parameters = {
        "query": "query A { json } query B($n: String) { hello(name: $n) }",
        "operationName": "B",
        "variables": '{"n":"a+b & ü"}',
        "extensions": "",
    }
    response = await client.get(URL, params=parameters)
    assert response.json() == {"data": {"hello": "Hello a+b & ü"}}


async def test_mutations_by_post_only(client: httpx2.AsyncClient) -> None:
    assert (await post(client, "mutation { bump }")).json() == {"data": {"bump": 1}}
    for headers in (GRAPHQL, JSON):
        response = await client.get(URL, params={"query": "mutation { bump }"}, headers=headers)
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"
        assert code_of(response) == "METHOD_NOT_ALLOWED"


async def test_subscriptions_are_refused(client: httpx2.AsyncClient) -> None:
    response = await post(client, "subscription { ticks }", headers=GRAPHQL)
    assert response.status_code == 400
    assert code_of(response) == "OPERATION_NOT_SUPPORTED"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "QUERY"])
async def test_other_methods(client: httpx2.AsyncClient, method: str) -> None:
    response = await client.request(method, URL, json={"query": "{ hello }"})
    assert response.status_code == 405
    assert response.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert code_of(response) == "METHOD_NOT_ALLOWED"


async def test_head_and_options(client: httpx2.AsyncClient) -> None:
    response = await client.head(URL, params={"query": "{ hello }"})
    assert response.status_code == 200
    assert response.content == b""
    assert int(response.headers["content-length"]) > 0
    response = await client.options(URL)
    assert response.status_code == 204
    assert "POST" in response.headers["allow"]
    assert "content-length" not in response.headers


@pytest.mark.parametrize(
    ("query", "more", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ hello(quantity: {a: 1}) }", {}, "BAD_USER_INPUT"),
        ('{ hello(count: "one") }', {}, "BAD_USER_INPUT"),
        ("query($n: Int) { hello(count: $n) }", {"variables": {"n": "one"}}, "BAD_USER_INPUT"),
        (
            "query($n: Decimal) { hello(quantity: $n) }",
            {"variables": {"n": "x"}},
            "BAD_USER_INPUT",
        ),
        ("query A { hello } query B { hello }", {}, "OPERATION_RESOLUTION_FAILURE"),
        ("query A { hello }", {"operationName": "C"}, "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_request_errors(
    client: httpx2.AsyncClient, query: str, more: dict[str, Any], code: str
) -> None:
    response = await post(client, query, headers=GRAPHQL, **more)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith("application/graphql-response+json")
    assert "data" not in response.json()
    assert code_of(response) == code
    legacy = await post(client, query, headers=JSON, **more)
    assert legacy.status_code == 200
    assert "data" not in legacy.json()
    assert code_of(legacy) == code


@pytest.mark.parametrize("headers", [GRAPHQL, JSON])
async def test_a_failing_field_is_masked(
    client: httpx2.AsyncClient, headers: Mapping[str, str]
) -> None:
    response = await post(client, "{ hello fails }", headers=headers)
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "Hello world", "fails": None}
    error = only_error(response)
    assert error["message"] == "Internal error."
    assert error["path"] == ["fails"]
    assert error["locations"] == [{"line": 1, "column": 9}]
    assert error["extensions"]["code"] == "INTERNAL"
    assert error["extensions"]["retryable"] is False
    assert "secret" not in response.text


async def test_data_may_be_null_as_a_whole(client: httpx2.AsyncClient) -> None:
    response = await post(client, "{ hello fatal }", headers=GRAPHQL)
    assert response.status_code == 200
    assert response.json()["data"] is None
    assert only_error(response)["path"] == ["fatal"]


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "image/*, text/*"])
async def test_not_acceptable(client: httpx2.AsyncClient, accept: str) -> None:
    response = await post(client, "{ hello }", headers={"accept": accept})
    assert response.status_code == 406
    assert response.headers["content-type"].startswith("application/json")
    assert code_of(response) == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abc-123_X.y", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("", False)],
)
async def test_the_request_id(client: httpx2.AsyncClient, sent: str, *, kept: bool) -> None:
    response = await post(client, "{ fails }", headers={"x-request-id": sent})
    assert (response.headers["x-request-id"] == sent) is kept
    assert response.headers["x-request-id"]
    assert code_of(response) == "INTERNAL"


async def test_every_request_has_its_own_id(client: httpx2.AsyncClient) -> None:
    ids = [(await post(client, "{ hello }")).headers["x-request-id"] for _ in range(3)]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("error", "status", "code", "retry_after"),
    [
        (
            port_errors.ThrottledError(
                system="CRM", upstream="crm", operation="customers.by_email", retry_after=1.2
            ),
            503,
            "UPSTREAM_THROTTLED",
            "2",
        ),
        (port_errors.ForbiddenError("Not yours."), 403, "FORBIDDEN", None),
        (port_errors.BadInputError("No such language."), 400, "BAD_USER_INPUT", None),
        (port_errors.NotConfiguredError("CRM", "customers"), 500, "SYSTEM_NOT_CONFIGURED", None),
        (KeyError("token"), 500, "INTERNAL", None),
    ],
)
async def test_a_context_that_cannot_be_made(
    graph: Any, error: Exception, status: int, code: str, retry_after: str | None
) -> None:
    async def refuse(*_: object) -> object:
        raise error

    async def ready() -> list[str]:
        return []

    app = http_app(Endpoint(StockEngine(graph.schema()), refuse), not_ready=ready)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as client:
        response = await client.post("http://gateway/graphql", json={"query": "{ hello }"})
    assert response.status_code == status
    assert code_of(response) == code
    assert response.headers.get("retry-after") == retry_after
    assert "token" not in response.text


@pytest.mark.parametrize("unsuitable", ["\ud800", {"\ud800": 1}, 1 << 70, {1: 2}, object()])
async def test_an_answer_that_cannot_be_encoded(
    client: httpx2.AsyncClient, graph: Any, unsuitable: object
) -> None:
    graph.answer = {"value": unsuitable}
    response = await post(client, "{ json }")
    assert response.status_code == 200
    assert response.json()["data"] is None
    assert code_of(response) == "INTERNAL"
    graph.answer = {"value": "fine"}
    assert (await post(client, "{ json }")).json() == {"data": {"json": {"value": "fine"}}}


async def test_extensions_of_an_answer_are_told() -> None:
    class Fixed:
        async def execute(self, *_: object, **__: object) -> Answer:
            return Answer({"a": 1}, [], {"cost": 3})

    async def context(*_: object) -> object:
        return None

    transport = httpx2.ASGITransport(app=Endpoint(Fixed(), context))
    async with httpx2.AsyncClient(transport=transport) as client:
        response = await client.post("http://gateway/", json={"query": "{ a }"})
    assert response.json() == {"data": {"a": 1}, "extensions": {"cost": 3}}


@pytest.mark.parametrize("query", ["{ hello }", "{ fails }", "{", "mutation { bump }"])
async def test_the_context_is_closed_after_the_answer(graph: Any, query: str) -> None:
    closed: list[str] = []

    class Closing:
        async def aclose(self) -> None:
            closed.append(query)

    async def context(*_: object) -> object:
        return Closing()

    transport = httpx2.ASGITransport(app=Endpoint(StockEngine(graph.schema()), context))
    async with httpx2.AsyncClient(transport=transport) as client:
        await client.get("http://gateway/", params={"query": query})
    assert closed == [query]


BODY = json.dumps({"query": "{ slow }"})
BY_GET = "GET /graphql?query=%7Bslow%7D HTTP/1.1\r\nhost: gateway\r\n\r\n"
BY_POST = (
    "POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-type: application/json\r\n"
    f"content-length: {len(BODY)}\r\n\r\n{BODY}"
)


@pytest.mark.parametrize("request_text", [BY_GET, BY_POST])
async def test_a_client_that_hangs_up_cancels_the_execution(
    app: ASGIApp, graph: Any, serve: Callable[[ASGIApp], Any], request_text: str
) -> None:
    async with serve(app) as address:
        _, writer = await asyncio.open_connection("127.0.0.1", int(address.rpartition(":")[2]))
        writer.write(request_text.encode())
        await graph.started.wait()
        assert not graph.cancelled.is_set()
        writer.close()
        await asyncio.wait_for(graph.cancelled.wait(), 10)


async def test_a_context_is_made_of_the_headers(graph: Any) -> None:
    languages: list[str] = []

    async def context(incoming: Incoming, _: object) -> object:
        languages.append(incoming.headers["Accept-Language"])
        return None

    transport = httpx2.ASGITransport(app=Endpoint(StockEngine(graph.schema()), context))
    async with httpx2.AsyncClient(transport=transport) as client:
        headers = {"accept-language": "de"}
        await client.post("http://gateway/", json={"query": "{ hello }"}, headers=headers)
    assert languages == ["de"]


async def test_the_server_cancelling_is_not_a_client_hanging_up(app: ASGIApp, graph: Any) -> None:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport) as client:
        asking = asyncio.create_task(
            client.post("http://gateway/graphql", json={"query": "{ slow }"})
        )
        await graph.started.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert graph.cancelled.is_set()
