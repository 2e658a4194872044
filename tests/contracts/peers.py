"""A peer that misbehaves on demand, in front of any ASGI application, and what that must mean."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from ports.caller import Call, Caller, CallerKind
from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)

Scope = Mapping[str, Any]

FAILURES: Mapping[str, type[UpstreamError]] = {
    "500": UnavailableError,
    "503": UnavailableError,
    "429": ThrottledError,
    "401": RefusedError,
    "403": RefusedError,
    "302": MalformedError,
    "html": MalformedError,
    "truncated": MalformedError,
    "wrong types": MalformedError,
    "empty": MalformedError,
    "too deep": MalformedError,
    "lost": UnavailableError,
    "hang": TimedOutError,
}
HTML = b"<!doctype html><title>Maintenance</title><p>Back soon."
_BODIES = {
    "html": HTML,
    "wrong types": b'[{"results": "many"}, 7]',
    "empty": b"",
    "too deep": b'{"results":' + b"[" * 100_000,
}
# Long enough for a busy machine to answer from memory, short enough to wait out a hanging peer.
PATIENCE_SECONDS = 0.6


class Faults(Protocol):
    """How a contract test makes the system behind a port fail."""

    def fail(self, kind: str | None, only: str | None = None, /) -> None:
        """From now on every call fails so (a key of FAILURES); None: no more.

        `only`: just the calls whose address holds this text.
        """
        ...


def call(*, seconds: float = 10.0, language: str = "en") -> Call:
    """The terms of a call by staff."""
    caller = Caller(subject="test", kind=CallerKind.STAFF, customers=None)
    return Call(caller, language, time.monotonic() + seconds, request_id="r-1")


def call_for(kind: str) -> Call:
    """A call that does not wait longer than it must for this kind of failure."""
    return call(seconds=PATIENCE_SECONDS if kind == "hang" else 10.0)


class Faulty:
    """Passes calls to `app` until told otherwise. `spared` are paths that never fail (tokens)."""

    def __init__(self, app: Any, *, spared: tuple[str, ...] = ()) -> None:
        self._app = app
        self._spared = spared
        self._kind: str | None = None
        self._only: str | None = None
        self.paths: list[str] = []

    def fail(self, kind: str | None, only: str | None = None, /) -> None:
        self._kind, self._only = kind, only

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        address = scope["path"] + "?" + scope.get("query_string", b"").decode()
        self.paths.append(scope["path"])
        well = scope["path"] in self._spared or (self._only or "") not in address
        if self._kind is None or well:
            await self._app(scope, receive, send)
        else:
            await self._misbehave(self._kind, scope, receive, send)

    async def _misbehave(self, kind: str, scope: Scope, receive: Any, send: Any) -> None:
        match kind:
            case "hang":
                await asyncio.Event().wait()
            case "lost":
                raise ConnectionResetError
            case "truncated":
                await self._app(scope, receive, _Halved(send))
            case _ if kind in _BODIES:
                await _answer(send, 200, _BODIES[kind])
            case _:
                await _answer(send, int(kind), b'{"message": "secret words of the vendor"}')


@dataclass(frozen=True)
class Asked:
    """One request that a peer received."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class Scripted:
    """Answers what a test wrote: by path, the last answer again and again; 599 for other paths.

    An answer is a body to be sent as JSON with status 200, or a pair of status and body.
    """

    def __init__(self, answers: Mapping[str, list[Any]]) -> None:
        self._answers = {path: list(some) for path, some in answers.items()}
        self.asked: list[Asked] = []

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        content = b""
        more = True
        while more:
            message = await receive()
            content += message.get("body", b"")
            more = message.get("more_body", False)
        query = dict(parse_qsl(scope["query_string"].decode()))
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = content.decode()
        if body and headers.get("content-type") == "application/json":
            body = json.loads(body)
        path = scope["raw_path"].decode()
        self.asked.append(Asked(scope["method"], path, query, headers, body))
        answers = self._answers.get(path) or [(599, {})]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        status, told = answer if isinstance(answer, tuple) else (200, answer)
        await _answer(send, status, told if isinstance(told, bytes) else json.dumps(told).encode())


class _Halved:
    """Lets half of the body through, under headers that promise it whole."""

    def __init__(self, send: Any) -> None:
        self._send = send

    async def __call__(self, message: Any) -> None:
        body = message.get("body", b"")
        await self._send({**message, "body": body[: len(body) // 2]} if body else message)


async def _answer(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"location", b"http://127.0.0.1:1/")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
