"""Bodies and query strings that are no GraphQL request: a JSON error each, never a crash."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message

from gateway.execution.engine import StockEngine
from gateway.http.app import http_app
from gateway.http.endpoint import Endpoint

URL = "/graphql"
JSON = {"content-type": "application/json"}
HELLO = b'{"query":"{ hello }"}'
DIGITS = "9" * 90_000


def code_of(response: httpx2.Response) -> str:
    body = response.json()
    assert "data" not in body
    (error,) = body["errors"]
    assert error["message"]
    assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    return str(error["extensions"]["code"])


async def post(
    client: httpx2.AsyncClient, body: bytes, headers: dict[str, str] | None = None
) -> httpx2.Response:
    return await client.post(URL, content=body, headers=headers or JSON)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"nonsense",
        b'{"query":',
        b"null",
        b"7",
        b'"{ hello }"',
        b"[]",
        b"[" + HELLO + b"]",
        b"{}",
        b'{"query":null}',
        b'{"query":7}',
        b'{"query":["{ hello }"]}',
        b'{"query":"{ hello }","variables":[]}',
        b'{"query":"{ hello }","variables":"{}"}',
        b'{"query":"{ hello }","operationName":1}',
        b'{"query":"{ hello }","extensions":[]}',
        b'{"query":"{ hello }"} trailing',
        b'{"query":"\xff\xfe"}',
        HELLO.decode().encode("utf-16"),
        b"\xef\xbb\xbf" + HELLO,
        b'{"query":"{ hello }\x00"}',
        b"\x00",
        rb'{"query":"{ hello }","variables":{"a":"\ud800"}}',
        rb'{"query":"\udfff"}',
        b'{"query":"{ hello }","variables":{"a":' + DIGITS.encode() + b"}}",
        b'{"query":"{ hello }","variables":{"a":NaN}}',
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b'{"query":"{ hello }","variables":{"a":' + b"[" * 40_000 + b"]" * 40_000 + b"}}",
    ],
)
async def test_malformed_bodies(client: httpx2.AsyncClient, body: bytes) -> None:
    response = await post(client, body)
    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "variables", [r'{"name":"a\u0000b"}', r'{"a":[{"b\u0000":1}]}', r'{"a":{"b":["\u0000"]}}']
)
async def test_nul_in_variables(client: httpx2.AsyncClient, variables: str) -> None:
    body = f'{{"query":"{{ hello }}","variables":{variables}}}'.encode()
    response = await post(client, body)
    assert response.status_code == 400
    assert code_of(response) == "BAD_USER_INPUT"
    query = {"query": "{ hello }", "variables": variables}
    assert (await client.get(URL, params=query)).status_code == 400


async def test_an_escaped_backslash_is_no_nul(client: httpx2.AsyncClient) -> None:
    variables = {"n": r"\u0000"}
    query = "query($n: String) { hello(name: $n) }"
    response = await client.post(URL, json={"query": query, "variables": variables})
    assert response.json() == {"data": {"hello": r"Hello \u0000"}}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello }\0", "GRAPHQL_PARSE_FAILED"),
        ('{ hello(name: "\0") }', "BAD_USER_INPUT"),
        (r'{ hello(name: "\u0000") }', "BAD_USER_INPUT"),
        (r'{ hello(name: "\ud800") }', "GRAPHQL_PARSE_FAILED"),
        (f"{{ hello(count: {DIGITS}) }}", "BAD_USER_INPUT"),
        (f"{{ hello(quantity: {DIGITS[:5000]}) }}", None),
        ("{a" * 33_000, "GRAPHQL_PARSE_FAILED"),
        ("{" * 90_000, "GRAPHQL_PARSE_FAILED"),
        ("{me" * 700 + "{hello}" + "}" * 700, "GRAPHQL_PARSE_FAILED"),
        ("{hello(count:" + "[" * 4_000 + "]" * 4_000 + ")}", "GRAPHQL_PARSE_FAILED"),
        ("{" + "hello " * 6_000 + "}", "GRAPHQL_PARSE_FAILED"),
        ("{" + "hello " * 1_900 + "}", "OPERATION_LIMIT_EXCEEDED"),
        ("#" * 90_000, "GRAPHQL_PARSE_FAILED"),
    ],
)
async def test_hostile_documents(client: httpx2.AsyncClient, query: str, code: str | None) -> None:
    headers = {"accept": "application/graphql-response+json"}
    response = await client.post(URL, json={"query": query}, headers=headers)
    if code is None:
        assert response.json() == {"data": {"hello": "Hello world"}}
        return
    assert response.status_code == 400
    assert code_of(response) == code
    assert len(response.content) < 2_000


@pytest.mark.parametrize(
    ("depth", "allowed"), [(11, True), (12, False), (160, False), (180, False)]
)
async def test_deep_documents(client: httpx2.AsyncClient, depth: int, *, allowed: bool) -> None:
    nested = "{me" * depth + "{hello}" + "}" * depth
    chain = " ".join(f"fragment F{n} on Query {{ me {{ ...F{n + 1} }} }}" for n in range(depth))
    fragments = f"{{ ...F0 }} {chain} fragment F{depth} on Query {{ hello }}"
    for query in (nested, fragments):
        response = await client.post(URL, json={"query": query})
        assert response.status_code == 200
        assert ("data" in response.json()) is allowed
        assert allowed or code_of(response) == "OPERATION_LIMIT_EXCEEDED"


async def test_a_good_body_survives_oddities(client: httpx2.AsyncClient) -> None:
    oddities = [
        b'{"query":"{ nothing }","query":"{ hello }"}',
        b'{"query":"{ hello }","unknown":[1],"operationName":"","variables":null}',
        b'\n {"query":"{ hello }"} \t',
        '{"query":"{ hello } # 🏃"}'.encode(),
    ]
    for body in oddities:
        assert (await post(client, body)).json() == {"data": {"hello": "Hello world"}}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-16",
        "application/jsonx",
        "",
    ],
)
async def test_unsupported_media_types(client: httpx2.AsyncClient, content_type: str) -> None:
    response = await post(client, HELLO, {"content-type": content_type})
    assert response.status_code == 415
    assert response.headers["accept-post"] == "application/json"
    assert code_of(response) == "UNSUPPORTED_MEDIA_TYPE"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON ; Charset=UTF-8",
        'application/json; charset="utf8"; v=1',
    ],
)
async def test_supported_media_types(client: httpx2.AsyncClient, content_type: str) -> None:
    response = await post(client, HELLO, {"content-type": content_type})
    assert response.json() == {"data": {"hello": "Hello world"}}


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
async def test_compressed_bodies(client: httpx2.AsyncClient, encoding: str) -> None:
    response = await post(client, gzip.compress(HELLO), {**JSON, "content-encoding": encoding})
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "identity"
    assert code_of(response) == "UNSUPPORTED_MEDIA_TYPE"
    assert (await post(client, HELLO, {**JSON, "content-encoding": "identity"})).status_code == 200


async def test_the_size_of_a_body(client: httpx2.AsyncClient) -> None:
    limit = 100 * 1024
    fits = HELLO + b" " * (limit - len(HELLO))
    assert (await post(client, fits)).status_code == 200
    response = await post(client, fits + b" ")
    assert response.status_code == 413
    assert code_of(response) == "CONTENT_TOO_LARGE"


async def test_a_body_of_unknown_length_is_not_read_to_its_end(app: ASGIApp) -> None:
    sent = 0
    answer: list[Message] = []

    async def endless() -> Message:
        nonlocal sent
        sent += 1
        return {"type": "http.request", "body": b" " * 10_000, "more_body": True}

    async def send(message: Message) -> None:
        answer.append(message)

    await app(scope("POST"), endless, send)
    assert answer[0]["status"] == 413
    assert sent == 11


async def test_chunked_bodies_over_the_wire(app: ASGIApp, serve: Callable[[ASGIApp], Any]) -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        yield HELLO
        for _ in range(count):
            yield b" " * 1_000

    async with serve(app) as address, httpx2.AsyncClient(base_url=address) as client:
        small = await client.post(URL, content=chunks(50), headers=JSON)
        large = await client.post(URL, content=chunks(200), headers=JSON)
        again = await client.post(URL, content=HELLO, headers=JSON)
    assert [small.status_code, large.status_code, again.status_code] == [200, 413, 200]
    assert code_of(large) == "CONTENT_TOO_LARGE"


def scope(method: str, query_string: bytes = b"") -> dict[str, Any]:
    headers = [(b"content-type", b"application/json")]
    return {
        "type": "http",
        "method": method,
        "path": URL,
        "query_string": query_string,
        "headers": headers,
    }


async def test_a_client_that_leaves_within_its_body_gets_nothing(app: ASGIApp) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    answer: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        answer.append(message)

    await app(scope("POST"), receive, send)
    assert answer == []


async def test_a_body_that_does_not_arrive(graph: Any) -> None:
    async def context(*_: object) -> object:
        return None

    async def never() -> Message:
        return await asyncio.get_running_loop().create_future()

    answer: list[Message] = []

    async def send(message: Message) -> None:
        answer.append(message)

    endpoint = Endpoint(StockEngine(graph.schema()), context, body_seconds=0.01)
    await endpoint(scope("POST"), never, send)
    assert answer[0]["status"] == 408
    assert json.loads(answer[1]["body"])["errors"][0]["extensions"]["code"] == "REQUEST_TIMEOUT"


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "query=",
        "query=%7Bhello%7D&variables=nonsense",
        "query=%7Bhello%7D&variables=[]",
        "query=%7Bhello%7D&variables=7",
        "query=%7Bhello%7D&extensions=%22x%22",
        "query=%7Bhello%7D&variables=" + "%5B" * 5_000,
        "query=%7Bhello%7D&variables=%7B%22a%22%3A%22%ff%22%7D",
        "query=%ff%fe",
        "&".join(f"a{number}=1" for number in range(100)),
    ],
)
async def test_malformed_query_strings(client: httpx2.AsyncClient, query_string: str) -> None:
    response = await client.get(f"{URL}?{query_string}")
    assert response.status_code == 400
    assert code_of(response) == "BAD_REQUEST"


async def test_query_strings_with_oddities(client: httpx2.AsyncClient) -> None:
    first_wins = (
        f"query={quote('{ hello }')}&query=nonsense&variables=null&unknown=1&operationName="
    )
    response = await client.get(f"{URL}?{first_wins}")
    assert response.json() == {"data": {"hello": "Hello world"}}


@pytest.mark.parametrize(
    ("query_string", "status"),
    [
        (b"query={hello}", 200),
        (b"query={hello}\xff", 400),
        (b"query={hello}" + b"+" * 110_000, 414),
    ],
)
async def test_raw_query_strings(app: ASGIApp, query_string: bytes, status: int) -> None:
    answer: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        answer.append(message)

    await app(scope("GET", query_string), receive, send)
    assert answer[0]["status"] == status
    assert json.loads(answer[1]["body"])


async def test_automatic_persisted_queries_are_declined(client: httpx2.AsyncClient) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    response = await client.post(URL, json={"extensions": extensions})
    assert response.json()["errors"][0]["message"] == "PersistedQueryNotSupported"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
bodies = st.one_of(
    st.binary(),
    st.text().map(lambda text: text.encode("utf-8", "surrogatepass")),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {},
        optional={
            "query": st.text() | st.just("query($a: Decimal) { hello(quantity: $a) json }"),
            "variables": st.none() | json_values | st.fixed_dictionaries({"a": json_values}),
            "operationName": json_values,
            "extensions": json_values,
        },
    ).map(lambda value: json.dumps(value).encode()),
)
headers = st.fixed_dictionaries(
    {"content-type": st.sampled_from(["application/json", "application/json;charset=utf-8", ";"])},
    optional={
        "accept": st.text(st.characters(min_codepoint=32, max_codepoint=126))
        | st.sampled_from(["*/*;q=x", "application/*", "application/graphql-response+json;q=.5"]),
        "content-encoding": st.sampled_from(["", "identity", "gzip"]),
    },
)


async def nothing_missing() -> list[str]:
    return []


@given(body=bodies, headers=headers)
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_whatever_is_sent_the_answer_is_json(
    endpoint: Endpoint, body: bytes, headers: dict[str, str]
) -> None:
    app = http_app(endpoint, not_ready=nothing_missing)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app)) as client:
        response = await client.post("http://gateway/graphql", content=body, headers=headers)
    assert response.status_code < 500
    answered = response.json()
    assert set(answered) <= {"data", "errors"}
    assert answered
