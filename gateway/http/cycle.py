"""One request of a connection, and its answer: written at once where it is there as a whole.

Uvicorn's own cycle looks through each header by itself and writes an answer in pieces.
"""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

import httptools
import orjson
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.http.responses import NO_STORE, PROBLEM, Header, problem_of

# Longer bodies are not copied behind their heads.
JOINED_BYTES = 64 * 1024
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NAMES_KEPT = 1_000
_NOT_SNIFFED: Header = (b"x-content-type-options", b"nosniff")
# What no value of a header may hold; a tab is allowed.
_CONTROLS = bytes([*range(9), *range(10, 32), 127])


class Bell:
    """As much of an `asyncio.Event` as is used; most requests wait for nothing."""

    __slots__ = ("_event", "_is_set")

    def __init__(self) -> None:
        self._is_set = False
        self._event: asyncio.Event | None = None

    def set(self) -> None:
        self._is_set = True
        if self._event is not None:
            self._event.set()

    def clear(self) -> None:
        self._is_set = False
        if self._event is not None:
            self._event.clear()

    async def wait(self) -> None:
        if self._is_set:
            return
        if self._event is None:
            self._event = asyncio.Event()
        await self._event.wait()


class Lines:
    """Headers as lines: those of every answer, which change once a second, and checked ones."""

    def __init__(self) -> None:
        self._of: list[Header] | None = None
        self._always = b""
        self._names: set[bytes] = set()

    def always(self, headers: list[Header]) -> bytes:
        if headers is not self._of:
            self._of, self._always = headers, b"".join([b"%s: %s\r\n" % one for one in headers])
        return self._always

    def of(self, headers: list[Header]) -> bytes:
        """Raises RuntimeError for what would end its line, or is no name."""
        values = b"".join([value for _, value in headers])
        if len(values.translate(None, _CONTROLS)) != len(values):
            raise RuntimeError("Invalid HTTP header value.")
        if not self._names.issuperset([name for name, _ in headers]):
            self._learn(headers)
        return b"".join([b"%s: %s\r\n" % one for one in headers])

    def _learn(self, headers: list[Header]) -> None:
        for name, _ in headers:
            if not _NAME.fullmatch(name):
                raise RuntimeError("Invalid HTTP header name.")
            if len(self._names) < _NAMES_KEPT:
                self._names.add(name)


class Cycle(RequestResponseCycle):
    """Made for `protocol`; as a `send` it also takes whole answers."""

    task: asyncio.Task[None]
    # What holds until something else is known.
    disconnected = response_started = response_complete = False
    more_body = True
    body: Any = b""
    chunked_encoding: bool | None = None
    expected_content_length = 0
    # Whether its work is of no use to anybody once the client has gone.
    ends_with_client = False
    # Told of a whole answer, its headers and more of them as lines.
    learns: Callable[[Scope, list[Header], bytes], object] | None = None

    def __init__(self, of: HttpToolsProtocol, lines: Lines, *, keep_alive: bool) -> None:
        # Uvicorn's own sets each of the above too, and takes all of these one by one.
        self.scope = of.scope
        self.transport = of.transport
        self.flow = of.flow
        self.logger = of.logger
        self.access_logger = of.access_logger
        self.access_log = of.access_log
        self.default_headers = of.server_state.default_headers
        self.message_event = Bell()  # type: ignore[assignment]
        self.on_response = of.on_response_complete
        self.keep_alive = keep_alive
        self.waiting_for_100_continue = of.expect_100_continue
        self._lines = lines

    def __call__(self, message: Any) -> Awaitable[None]:
        return self.send(message)

    async def run(self, app: ASGIApp, tasks: set[asyncio.Task[None]]) -> None:
        """In a task of its own, which is one of `tasks` until the end."""
        try:
            await app(self.scope, self.receive, self)  # type: ignore[arg-type]
            if not (self.response_complete or self.disconnected):
                self.logger.error("The application ended without a whole answer.")
                await self._fail()
        except BaseException:
            self.logger.exception("Exception in ASGI application")
            await self._fail()
        finally:
            self.on_response = _nothing
            tasks.discard(self.task)

    async def _fail(self) -> None:
        if self.response_started:
            self.transport.close()
        else:
            await self.send_500_response()

    def takes_whole(self) -> bool:
        return not (self.flow.write_paused or self.response_started or self.access_log)

    def write(self, status: int, headers: list[Header], lines: bytes, body: bytes) -> None:
        """Ends the answer. `lines` are more headers; each of them is nothing about its sending."""
        if self.disconnected:
            return
        always = self._lines.always(self.default_headers)
        told = self._lines.of(headers)
        if self.learns is not None:
            self.learns(cast("Scope", self.scope), headers, lines)
        self.response_started, self.waiting_for_100_continue = True, False
        if self.keep_alive and _closes(headers):
            self.keep_alive = False
        elif not self.keep_alive and not _closes(headers):
            told += b"connection: close\r\n"
        head = b"%s%s%s%s\r\n" % (STATUS_LINE[status], always, told, lines)
        if self.scope["method"] == "HEAD" or not body:
            self.transport.write(head)
        elif len(body) > JOINED_BYTES:
            self.transport.write(head)
            self.transport.write(body)
        else:
            self.transport.write(head + body)
        self._end()

    def _end(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()


def target_of(url: bytes, root: str) -> tuple[bytes, str, bytes, bytes]:
    """The target with its path, the path as it was sent, and the query."""
    parsed = httptools.parse_url(url)
    raw: bytes = parsed.path
    path = raw.decode("ascii")
    path = root + (unquote(path) if "%" in path else path)
    return url, path, root.encode("ascii") + raw, parsed.query or b""


def _nothing() -> None:
    """Of who must not be referred to any more."""


def _closes(headers: list[Header]) -> bool:
    for name, value in headers:
        if name == b"connection":
            return b"close" in [token.strip() for token in value.lower().split(b",")]
    return False


class Answered:
    """Stands for the cycle of a request that no application was asked about."""

    response_started = response_complete = True
    disconnected = False
    keep_alive = True

    def __init__(self) -> None:
        self.message_event = Bell()


def refusal_of(status: HTTPStatus) -> bytes:
    """The whole answer of a server that ends the connection with it."""
    request_id = secrets.token_hex(8)
    body = orjson.dumps(problem_of(status, request_id))
    headers: tuple[Header, ...] = (
        PROBLEM,
        NO_STORE,
        _NOT_SNIFFED,
        (b"x-request-id", request_id.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    )
    lines = [b"HTTP/1.1 %d %s" % (status, status.phrase.encode())]
    lines += [b"%s: %s" % header for header in headers]
    return b"\r\n".join((*lines, b"", body))
