"""The server's side of a connection: bounds of time and size before any application is asked.

Uvicorn's own protocol waits for ever for a request's head and keeps whatever comes in it. What is
refused here is told as a problem, as the application tells it.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.http.responses import NO_STORE, PROBLEM, Header, problem_of
from gateway.http.shedding import DOOR

# What a client that was answered may still send, so that it reads the answer before the end.
LINGER_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024
# The application answers slow bodies itself; this is for those that it does not read.
_BODY_GRACE_SECONDS = 1.0
_SIMPLE = frozenset({b"POST", b"GET"})
_NOT_SNIFFED: Header = (b"x-content-type-options", b"nosniff")


@dataclass(frozen=True, slots=True)
class ConnectionRules:
    """`head_seconds` and `body_seconds` to send a request, `write_seconds` to take in an answer.

    Where there are `connections`, the one that has waited longest for a request makes room.
    """

    head_seconds: float = 10
    body_seconds: float = 10
    write_seconds: float = 30
    connections: int = 4_000
    headers: int = 100
    header_bytes: int = 16 * 1024
    target_bytes: int = 110 * 1024


def protocol(rules: ConnectionRules) -> type[HttpToolsProtocol]:
    """To be given to uvicorn as `http`; connections of one class count together."""
    waiting: OrderedDict[Connection, None] = OrderedDict()

    class Ruled(Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.rules = rules
            self.waiting = waiting

    return Ruled


class Door(Protocol):
    """What the application lets say for it, in the state of its lifespan under `DOOR`."""

    def refusal(self, target: bytes, headers: Iterable[Header]) -> bytes | None: ...


class _RefusedError(Exception):
    """Raised through the parser, which ends with it."""


class Connection(HttpToolsProtocol):
    """One connection of a client. `waiting` are those of which no request is being answered."""

    rules: ConnectionRules
    waiting: "OrderedDict[Connection, None]"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._in_head = False
        self._in_body = False
        self._head_bytes = 0
        self._header_bytes = 0
        self._refusal = HTTPStatus.BAD_REQUEST
        self._is_refused = False
        self._left = LINGER_BYTES

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.waiting[self] = None
        self._arm(self.rules.head_seconds)
        if len(self.connections) > self.rules.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.pop(self, None)
        self._disarm()
        self._disarm_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._discard(len(data))
            return
        if self.timeout_keep_alive_task is not None:  # it was idle: a request begins
            self._arm(self.rules.head_seconds)
        super().data_received(data)
        if self._in_head and not self._is_refused:
            self._head_bytes += len(data)
            if self._head_bytes > self.rules.target_bytes + self.rules.header_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def handle_websocket_upgrade(self) -> None:
        self.waiting.pop(self, None)
        self._disarm()
        super().handle_websocket_upgrade()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._disarm_writing()
        self._write_timer = self.loop.call_later(self.rules.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._disarm_writing()

    # The parser

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = self._header_bytes = 0
        self._arm(self.rules.head_seconds)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self.rules.target_bytes:
            self._stop(HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self.rules.header_bytes or len(self.headers) >= self.rules.headers:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        # What stands after a body is no header: a proxy in front would not have seen it as one.
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        hosts = sum(1 for name, _ in self.headers if name == b"host")
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            self._stop(HTTPStatus.BAD_REQUEST)
        self._in_head, self._in_body = False, True
        self.waiting.pop(self, None)
        door: Door | None = self.app_state.get(DOOR)
        if door is not None and self._is_simple():
            refusal = door.refusal(self.url, self.headers)
            if refusal is not None:
                self._turn_away(refusal)
                return
        self._arm(self.rules.body_seconds + _BODY_GRACE_SECONDS)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self._is_answered():
            self._discard(len(body))

    def on_message_complete(self) -> None:
        self._in_body = False
        self._disarm()
        super().on_message_complete()
        if self._is_answered():
            self._idle()

    # Answers

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self._in_body:
            self._unset_keepalive_if_required()
            self._left = LINGER_BYTES
            self._arm(LINGER_SECONDS)
        elif self.timeout_keep_alive_task is not None:
            self.waiting[self] = None

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours is told instead
        self._refuse(self._refusal)

    def _idle(self) -> None:
        """After a body that went on longer than its answer."""
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self.waiting[self] = None
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _stop(self, status: HTTPStatus) -> None:
        """Raises _RefusedError, out of which the parser makes an error of its own."""
        self._refusal = status
        raise _RefusedError

    def _is_simple(self) -> bool:
        """Whether the request may be answered by itself: its connection goes on, none is before."""
        if self._is_answering() or self.expect_100_continue:
            return False
        parser = self.parser
        is_kept = parser.get_http_version() == "1.1" and parser.should_keep_alive()
        return is_kept and not parser.should_upgrade() and parser.get_method() in _SIMPLE

    def _turn_away(self, refusal: bytes) -> None:
        """Answers a request of which nothing but the head is looked at."""
        line, _, rest = refusal.partition(b"\r\n")
        more = b"".join(b"%s: %s\r\n" % one for one in self.server_state.default_headers)
        self.transport.write(b"%s\r\n%s%s" % (line, more, rest))
        self.cycle = _Answered()  # type: ignore[assignment]
        self._left = LINGER_BYTES
        self._arm(LINGER_SECONDS)

    def _refuse(self, status: HTTPStatus) -> None:
        self._is_refused = True
        if self._is_answering() and not self._in_body:
            # The answer that is under way is the last one.
            self.cycle.keep_alive = False
            self._disarm()
            return
        self.transport.write(_answer(status))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._left = LINGER_BYTES
        self._arm(LINGER_SECONDS)

    def _discard(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            self.transport.close()

    def _is_answering(self) -> bool:
        cycle = self._cycle()
        return cycle is not None and not cycle.response_complete

    def _is_answered(self) -> bool:
        cycle = self._cycle()
        return cycle is not None and cycle.response_complete

    # Time and room

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._overdue)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _disarm_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _overdue(self) -> None:
        """A request that did not come in time, or a client that was answered and goes on."""
        self._timer = None
        if self.transport.is_closing():
            return
        is_begun = self._in_head and not self._is_refused
        if is_begun or (self._in_body and self._is_unanswered()):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _is_unanswered(self) -> bool:
        cycle = self._cycle()
        return cycle is not None and not cycle.response_started

    def _cycle(self) -> RequestResponseCycle | None:
        """That of the latest request; there is none before the first."""
        return self.cycle

    def _make_room(self) -> None:
        """For this connection, or none if everybody is being answered."""
        oldest = next(iter(self.waiting), self)
        if oldest is self:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self.waiting.pop(oldest, None)
            oldest.transport.close()


class _Answered:
    """Stands for the cycle of a request that no application was asked about."""

    response_started = response_complete = True
    disconnected = False
    keep_alive = True

    def __init__(self) -> None:
        self.message_event = asyncio.Event()


def _answer(status: HTTPStatus) -> bytes:
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
