"""`passerelle cache purge` against an endpoint on a loopback port."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from typer.testing import CliRunner

from gateway.cli.cache import app

KEY = {"PASSERELLE_API_KEY": "gw_live_x"}


class Gateway(HTTPServer):
    """Answers as it is told and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer: tuple[int, bytes] = (200, b'{"purged": 3}')
        self.asked: list[tuple[str, dict[str, str], object]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): text for name, text in self.headers.items()}
        self.server.asked.append((self.path, headers, json.loads(body)))
        status, answer = self.server.answer
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Keeps the test's output clean."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_tags_and_key_are_sent(gateway: Gateway) -> None:
    arguments = ["purge", "--tag", "product:A", "--tag", "role:stock", "--url", gateway.url + "/"]

    result = CliRunner().invoke(app, arguments, env=KEY)

    assert result.exit_code == 0
    assert result.stdout == "3 answers forgotten\n"
    ((path, headers, body),) = gateway.asked
    assert path == "/admin/cache/purge"
    assert headers["x-api-key"] == "gw_live_x"
    assert body == {"tags": ["product:A", "role:stock"]}


def test_a_token_in_place_of_a_key(gateway: Gateway) -> None:
    env = {"PASSERELLE_TOKEN": "a.b.c", "PASSERELLE_URL": gateway.url}

    assert CliRunner().invoke(app, ["purge", "--tag", "a:b"], env=env).exit_code == 0
    assert gateway.asked[0][1]["authorization"] == "Bearer a.b.c"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, b""), "does not accept"),
        ((403, b""), "cache:purge"),
        ((400, b""), "kind:key"),
        ((404, b""), "no gateway"),
        ((500, b""), "answered 500"),
        ((200, b"<html>"), "not that of a gateway"),
        ((200, b"[]"), "not that of a gateway"),
    ],
)
def test_a_refusal_is_told(gateway: Gateway, answer: tuple[int, bytes], said: str) -> None:
    gateway.answer = answer

    result = CliRunner().invoke(app, ["purge", "--tag", "a:b", "--url", gateway.url], env=KEY)

    assert result.exit_code == 1
    assert said in result.stderr


def test_nobody_there() -> None:
    with Gateway() as closed:
        url = closed.url

    result = CliRunner().invoke(app, ["purge", "--tag", "a:b", "--url", url], env=KEY)

    assert result.exit_code == 1
    assert result.stderr.startswith(url)
    assert "gw_live_x" not in result.stderr


@pytest.mark.parametrize("env", [{}, {**KEY, "PASSERELLE_TOKEN": "a.b.c"}])
def test_one_credential_is_needed(env: dict[str, str]) -> None:
    result = CliRunner().invoke(app, ["purge", "--tag", "a:b"], env=env)

    assert result.exit_code == 2
    assert "PASSERELLE_API_KEY" in result.stderr


def test_a_tag_is_needed() -> None:
    assert CliRunner().invoke(app, ["purge"], env=KEY).exit_code == 2
