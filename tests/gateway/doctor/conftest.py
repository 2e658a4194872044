"""The sandbox on a real socket, whose answers a test may twist, and doctor's settings for it."""

import asyncio
import json
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.cli.demo import Demo
from gateway.cli.doctor import Outputs, Wishes, doctor
from gateway.settings import Settings, read
from sandbox.app import app as sandbox_app

Twist = Callable[[str, Any], Any]


@dataclass
class Peer:
    """The sandbox's systems as they are on the wire. `twist` changes an answer by its path."""

    inner: ASGIApp
    url: str
    twist: Twist | None = None
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/_control"):
            await self.inner(scope, receive, send)
            return
        self.asked.append((scope["method"], scope["path"]))
        if self.twist is None and not self.headers:
            await self.inner(scope, receive, send)
            return
        start: Message = {}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self.inner(scope, receive, keep)
        twisted = self._twisted(scope["path"], bytes(body))
        kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        own = [(name.encode(), text.encode()) for name, text in self.headers.items()]
        length = (b"content-length", str(len(twisted)).encode())
        await send({**start, "headers": [*kept, *own, length]})
        await send({"type": "http.response.body", "body": twisted})

    def _twisted(self, path: str, body: bytes) -> bytes:
        try:
            told = json.loads(body)
        except ValueError:
            return body
        return json.dumps(self.twist(path, told) if self.twist else told).encode()

    def fault(self, system: str, **fault: Any) -> None:
        self._control("PUT", f"faults/{system}", fault)

    def lift(self) -> None:
        self._control("DELETE", "faults", None)

    def _control(self, method: str, path: str, body: Any) -> None:
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_control/{path}", sent, method=method)
        urllib.request.urlopen(request, timeout=10).close()


@pytest.fixture(scope="session")
def served() -> Iterator[Peer]:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    peer = Peer(sandbox_app(base_url=url), url)
    config = uvicorn.Config(
        peer, lifespan="off", log_config=None, ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True
    )
    thread.start()
    yield peer
    server.should_exit = True
    thread.join(timeout=30)
    listener.close()


@pytest.fixture
def peer(served: Peer) -> Iterator[Peer]:
    served.asked.clear()
    yield served
    served.twist = None
    served.headers.clear()
    served.lift()


@dataclass
class Surgery:
    """Doctor as a user runs it: exit code, and the report as its JSON."""

    tables: dict[str, Any]
    capsys: pytest.CaptureFixture[str]

    @property
    def settings(self) -> Settings:
        return read(self.tables)

    def upstream(self, name: str, **keys: Any) -> None:
        self.tables["upstreams"][name] = {**self.tables["upstreams"][name], **keys}

    def run(self, *names: str, **wishes: Any) -> tuple[int, dict[str, Any]]:
        wished = Wishes(names, **{"sample": 10, "reads": 1, **wishes})
        code = doctor(self.settings, wished, Outputs(json=True))
        return code, json.loads(self.capsys.readouterr().out)

    def step(self, name: str, step: str, **wishes: Any) -> tuple[int, dict[str, Any]]:
        """The exit code and one step of one upstream."""
        code, report = self.run(name, **wishes)
        return code, step_of(report, step)


def step_of(report: dict[str, Any], step: str) -> dict[str, Any]:
    steps = [one for one in report["upstreams"][0]["steps"] if one["step"] == step]
    assert steps, [one["step"] for one in report["upstreams"][0]["steps"]]
    found: dict[str, Any] = steps[0]
    return found


@pytest.fixture
def surgery(peer: Peer, capsys: pytest.CaptureFixture[str]) -> Surgery:
    tables = Demo(sandbox_port=int(peer.url.rpartition(":")[2])).tables("pepper" * 6)
    del tables["access"]
    return Surgery(tables, capsys)
