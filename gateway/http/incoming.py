"""The HTTP side of a request: its identity, its headers, its bounded body."""

import asyncio
import re
from collections.abc import Coroutine, Generator
from typing import Any

import msgspec
from starlette.datastructures import Headers
from starlette.types import Receive, Scope

from gateway.http.head import head_of
from gateway.operations.request import RequestError
from gateway.telemetry.tracing.context import new_trace_id, traceparent

_SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.-]{1,64}")


class ClientGoneError(Exception):
    """The client hung up; nobody reads an answer."""


class Incoming(msgspec.Struct, frozen=True):
    """What a context may be made of: `scope` is ASGI's, `request_id` is safe to log and to echo."""

    scope: Scope
    request_id: str

    @property
    def headers(self) -> Headers:
        # Made of the scope it would put another list in there, to be looked through anew.
        return Headers(raw=self.scope["headers"])


def request_id_of(scope: Scope) -> str:
    """The client's `X-Request-Id` if it is a sane token, else its trace's id; one a request.

    A request that is in no trace begins one, and so has an id that is a trace's.
    """
    state = scope.setdefault("state", {})
    known = state.get("request_id")
    if isinstance(known, str):
        return known
    sent = header(scope, b"x-request-id")
    if sent is None or not _SANE_REQUEST_ID.fullmatch(sent):
        found = traceparent(scope)
        request_id = new_trace_id() if found is None else found[0]
    else:
        request_id = sent.decode("ascii")
    state["request_id"] = request_id
    return request_id


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first value of a header; `name` in lower case."""
    return head_of(scope).first.get(name)


def header_text(scope: Scope, name: bytes) -> str | None:
    value = head_of(scope).first.get(name)
    return None if value is None else value.decode("latin-1")


def path_of(scope: Scope) -> str:
    """The path below the one that the application is served under."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if root else path


async def read_body(scope: Scope, receive: Receive, *, max_bytes: int, seconds: float) -> bytes:
    """Raises RequestError 413 as soon as the body is known to be too large, 408 when it is slow."""
    length = header(scope, b"content-length")
    # 19 digits are too many already, and Python refuses to read thousands of them.
    if length is not None and length.isdigit() and int(length[:19]) > max_bytes:
        raise _too_large(max_bytes)
    receiving = _received(receive, max_bytes)
    try:
        # By far the most bodies are there already: a clock to wait by would cost more than they do.
        pause = receiving.send(None)
    except StopIteration as received:
        return bytes(received.value)
    try:
        async with asyncio.timeout(seconds):
            return await _Resumed(receiving, pause)
    except TimeoutError:
        message = f"The body did not arrive within {seconds:g} seconds."
        raise RequestError(408, message, "REQUEST_TIMEOUT", ((b"connection", b"close"),)) from None


class _Resumed:
    """The rest of a coroutine that was begun by hand and paused."""

    def __init__(self, begun: Coroutine[Any, Any, bytes], pause: Any) -> None:
        self._begun = begun
        self._pause = pause

    def __await__(self) -> Generator[Any, Any, bytes]:
        pause = self._pause
        while True:
            step = self._begun.send
            try:
                told = yield pause
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's, cancellation too
                step, told = self._begun.throw, error
            try:
                pause = step(told)
            except StopIteration as received:
                return bytes(received.value)


async def _received(receive: Receive, max_bytes: int) -> bytes:
    body = b""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        body = message.get("body", b"")
        size += len(body)
        if size > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body", False):
            return b"".join((*chunks, body)) if chunks else body
        chunks.append(body)


def _too_large(max_bytes: int) -> RequestError:
    return RequestError(413, f"The body is larger than {max_bytes:,} bytes.", "CONTENT_TOO_LARGE")
