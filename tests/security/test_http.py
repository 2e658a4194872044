"""What HTTP itself can be made to do: foreign pages, odd methods and types, floods of headers."""

from typing import Any

import httpx2
import pytest

from gateway.cli.demo import Demo
from tests.security.attacking import Fortress, codes

EVIL = "https://evil.example"
OWN = Demo().root
SIMPLE = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
BODY = '{"query":"{ viewer { kind } }"}'
GET = "/graphql?query=%7Bviewer%7Bkind%7D%7D"


@pytest.mark.parametrize("content_type", SIMPLE)
async def test_what_a_form_can_send_is_refused(fortress: Fortress, content_type: str) -> None:
    for more in ({}, {"origin": EVIL}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        headers = {"content-type": content_type, **more}
        answer = await fortress.client.post("/graphql", content=BODY, headers=headers)

        assert answer.status_code in {403, 415}
        assert "data" not in answer.json()


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": EVIL},
        {"origin": "null"},
        {"origin": OWN + ".evil.example"},
        {"origin": OWN.replace("127.0.0.1", "127.0.0.1.evil.example")},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://user@127.0.0.1:8000"},
        {"origin": "file://"},
        {"origin": "chrome-extension://abcdef"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"},
    ],
)
async def test_a_foreign_page_gets_nothing(fortress: Fortress, headers: dict[str, str]) -> None:
    answers = [await fortress.client.get(GET, headers=headers)]
    if "origin" in headers:
        json_type = {"content-type": "application/json", **headers}
        answers.append(await fortress.client.post("/graphql", content=BODY, headers=json_type))

    for answer in answers:
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
        assert "data" not in answer.json()


async def test_a_preflight_of_a_foreign_page_is_granted_nothing(fortress: Fortress) -> None:
    headers = {
        "origin": EVIL,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-api-key",
    }
    answer = await fortress.client.options("/graphql", headers=headers)

    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_the_own_page_may_ask(fortress: Fortress) -> None:
    answer = await fortress.post("{ viewer { kind } }", headers={"origin": OWN, **fortress.key()})

    assert answer.json() == {"data": {"viewer": {"kind": "APPLICATION"}}}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW"])
async def test_other_methods_are_refused(fortress: Fortress, method: str) -> None:
    for path in ("/graphql", "/healthz", "/"):
        answer = await fortress.client.request(method, path, headers=fortress.key())

        assert answer.status_code in {404, 405}
        assert fortress.keys["storefront"] not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/xml"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": "application/graphql"},
        {"content-type": ""},
    ],
)
async def test_other_types_are_refused(fortress: Fortress, headers: dict[str, str]) -> None:
    sent = {**headers, **fortress.key()}
    answer = await fortress.client.post("/graphql", content=BODY, headers=sent)

    assert answer.status_code == 415
    assert codes(answer.json()) == ["UNSUPPORTED_MEDIA_TYPE"]


@pytest.mark.parametrize(
    "headers",
    [
        [(f"x-h{n}", "1") for n in range(200)],
        [("x-long", "x" * 20_000)],
        [("cookie", "a=b; " * 5_000)],
        [("authorization", "Bearer " + "a" * 17_000)],
    ],
)
async def test_floods_of_headers_are_refused(
    fortress: Fortress, headers: list[tuple[str, str]]
) -> None:
    answer = await fortress.client.get("/healthz", headers=headers)

    assert answer.status_code == 431


async def test_paths_and_queries_without_end_are_refused(fortress: Fortress) -> None:
    path = await fortress.client.get("/" + "a" * 9_000)
    query = await _raw(fortress, "/graphql", query=b"query={a}&x=" + b"a" * 200_000)

    assert path.status_code == 414
    assert query.status_code == 414


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..%2f..%2fetc%2fpasswd",
        "/ide/../../pyproject.toml",
        "/ide/%2e%2e/%2e%2e/pyproject.toml",
        "/media/..%2f..%2fetc%2fpasswd",
        "/.git/config",
        "/.env",
        "/var/demo.json",
        "/admin",
        "/metrics",
        "/debug",
        "/_control/faults",
    ],
)
async def test_there_are_no_files_and_no_back_doors(fortress: Fortress, path: str) -> None:
    answer = await fortress.client.get(path)

    assert answer.status_code in {401, 403, 404}
    assert "passwd" not in answer.text
    assert "[project]" not in answer.text


PATHS = ("/", "/graphql", "/healthz", "/readyz", "/no-such-page", "/media/x")


@pytest.mark.parametrize("path", PATHS)
async def test_every_answer_has_the_headers_that_browsers_obey(
    fortress: Fortress, path: str
) -> None:
    answer = await fortress.client.get(path, headers={"apollo-require-preflight": "1"})

    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_answers_are_kept_by_nobody(fortress: Fortress) -> None:
    answer = await fortress.post("{ viewer { kind } }", headers=fortress.key())

    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name", ["x\r\nset-cookie: a=b", "<script>alert(1)</script>", "../../x", "a" * 500]
)
async def test_request_ids_are_ours_unless_they_are_sane(fortress: Fortress, name: str) -> None:
    answer = await _raw(fortress, "/healthz", request_id=name)

    told = answer.headers["x-request-id"]
    assert told != name
    assert len(told) <= 64
    assert "set-cookie" not in answer.headers


async def _raw(
    fortress: Fortress, path: str, *, request_id: str = "", query: bytes = b""
) -> httpx2.Response:
    """Past the client, which would not send it."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"apollo-require-preflight", b"1"),
            (b"x-request-id", request_id.encode()),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await fortress.app(scope, receive, send)
    return httpx2.Response(sent[0]["status"], headers=sent[0]["headers"])


async def test_a_websocket_of_a_foreign_page_is_closed(fortress: Fortress) -> None:
    sent: list[Any] = []
    scope = {
        "type": "websocket",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": b"",
        "root_path": "",
        "scheme": "ws",
        "headers": [(b"host", b"127.0.0.1:8000"), (b"origin", EVIL.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "subprotocols": ["graphql-transport-ws"],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await fortress.app(scope, receive, send)

    assert [one["type"] for one in sent] == ["websocket.close"]
