"""The server's side of a connection: bounds of time and size before any application is asked.

Uvicorn's own protocol waits for ever for a request's head and keeps whatever comes in it. What is
refused here is told as a problem, as the application tells it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from math import inf
from typing import Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.http.cycle import Answered, Cycle, Lines, refusal_of, target_of
from gateway.http.head import note_head
from gateway.http.known import KnownRequests
from gateway.http.responses import Header
from gateway.http.shedding import DOOR

# What a client that was answered may still send, so that it reads the answer before the end.
LINGER_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024
# The application answers slow bodies itself; this is for those that it does not read.
_BODY_GRACE_SECONDS = 1.0
# Timers may wake so much too soon.
_CLOCK_SECONDS = 0.002
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
    lines = Lines()

    class Ruled(Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.rules = rules
            self.waiting = waiting
            self.lines = lines
            self.body_seconds = rules.body_seconds + _BODY_GRACE_SECONDS
            # No usual bound ends sooner than this: then a timer need not be set for each.
            self.beat_seconds = min(rules.head_seconds, self.body_seconds, self.timeout_keep_alive)

    return Ruled


class Door(Protocol):
    """What the application lets say for it, in the state of its lifespan under `DOOR`."""

    def refusal(self, target: bytes, headers: Iterable[Header]) -> bytes | None: ...


class _RefusedError(Exception):
    """Raised through the parser, which ends with it."""


class Connection(KnownRequests):
    """One connection of a client. `waiting` are those of which no request is being answered."""

    rules: ConnectionRules
    waiting: "OrderedDict[Connection, None]"
    lines: Lines
    body_seconds: float
    beat_seconds: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = self.access_log and self.config.access_log
        self._timer: asyncio.TimerHandle | None = None
        # When the timer wakes, and when what is waited for must have come.
        self._beat = self._due = inf
        self._is_idle = False
        self._hosts = 0
        self._target = (b"", "", b"", b"")
        # Begun by what was read just now.
        self._unstarted: Cycle | None = None
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
        self._stop_timer()
        self._disarm_writing()
        super().connection_lost(exc)
        cycle = self._cycle()
        if isinstance(cycle, Cycle) and cycle.ends_with_client and not cycle.response_complete:
            cycle.task.cancel()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self._discard(len(data))
            return
        self._raw = data if self._is_still() else None
        if self._raw is not None and self._is_known(data):
            self._begun_and_read()
            return
        if self._is_idle:  # a request begins
            self._is_idle = False
            self._arm(self.rules.head_seconds)
        super().data_received(data)
        if (cycle := self._unstarted) is not None:
            self._unstarted = None
            self._start_asgi_task(cycle, self.app)
        if self._in_head and not self._is_refused:
            self._head_bytes += len(data)
            if self._head_bytes > self.rules.target_bytes + self.rules.header_bytes:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def handle_websocket_upgrade(self) -> None:
        self.waiting.pop(self, None)
        self._disarm()
        self._stop_timer()
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
        self._head_bytes = self._header_bytes = self._hosts = 0
        self._arm(self.rules.head_seconds)

    def on_url(self, url: bytes) -> None:
        self.url += url
        if len(self.url) > self.rules.target_bytes:
            self._stop(HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4
        if self._header_bytes > self.rules.header_bytes or len(self.headers) >= self.rules.headers:
            self._stop(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        # What stands after a body is no header: a proxy in front would not have seen it as one.
        if not self._in_head:
            return
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        if self._hosts != 1 and (self._hosts or version != "1.0"):
            self._stop(HTTPStatus.BAD_REQUEST)
        self._in_head, self._in_body = False, True
        self.waiting.pop(self, None)
        door: Door | None = self.app_state.get(DOOR)
        if door is not None and self._is_simple():
            refusal = door.refusal(self.url, self.headers)
            if refusal is not None:
                self._turn_away(refusal)
                return
        self._arm(self.body_seconds)
        if self.parser.should_upgrade() or self.limit_concurrency is not None:
            super().on_headers_complete()  # what is rare, as it is
        else:
            self._begin(version)

    def _begin(self, version: str) -> None:
        """Makes the request one for the application, behind those before it."""
        scope, parser, before = self.scope, self.parser, self._cycle()
        if self.url != self._target[0]:
            self._target = target_of(self.url, self.root_path)
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        _, scope["path"], scope["raw_path"], scope["query_string"] = self._target
        note_head(cast("dict[str, Any]", scope), self._header_bytes)
        is_kept = version != "1.0" and parser.should_keep_alive()
        self.cycle = Cycle(self, self.lines, keep_alive=is_kept)
        if before is None or before.response_complete:
            self._unstarted = self.cycle
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if isinstance(cycle, Cycle):
            cycle.task = self.loop.create_task(cycle.run(app, self.tasks))
            self.tasks.add(cycle.task)
        else:
            super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        if self._is_answered():
            self._discard(len(body))
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._due = inf
        cycle = self._unstarted
        if cycle is not None and cycle is self.cycle and self._is_alike(cycle):
            self._unstarted = None
            cycle.more_body = False
            return
        if self._is_answered():
            self._idle()
        else:
            super().on_message_complete()

    def _is_still(self) -> bool:
        """Whether nothing is half read, and nothing is being answered."""
        if self._in_head or self._in_body or self.pipeline:
            return False
        return not self._is_answering() and not self.transport.is_closing()

    def _begun_and_read(self) -> None:
        """A request was taken as a whole; it may have been answered already."""
        self.waiting.pop(self, None)
        self._is_idle, self._due = False, inf
        if not self._is_answering():
            self._idle()

    # Answers

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._in_body:
            self._left = LINGER_BYTES
            self._arm(LINGER_SECONDS)
        else:
            self._idle()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours is told instead
        self._refuse(self._refusal)

    def _idle(self) -> None:
        """Both the request and its answer are over; the head of the next may have begun."""
        if self.transport.is_closing():
            return
        self.waiting[self] = None
        if not self._in_head:
            self._is_idle = True
            self._arm(self.timeout_keep_alive)

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
        more = self.lines.always(self.server_state.default_headers)
        self.transport.write(b"%s\r\n%s%s" % (line, more, rest))
        self.cycle = Answered()  # type: ignore[assignment]
        self._left = LINGER_BYTES
        self._arm(LINGER_SECONDS)

    def _refuse(self, status: HTTPStatus) -> None:
        self._is_refused = True
        if self._is_answering() and not self._in_body:
            # The answer that is under way is the last one.
            self.cycle.keep_alive = False
            self._disarm()
            return
        self.transport.write(refusal_of(status))
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
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and cycle.response_complete

    # Time and room

    def _arm(self, seconds: float) -> None:
        """A timer that is set already looks when the time is over, or sets itself again."""
        now = self.loop.time()
        self._due = due = now + seconds
        if due < self._beat:
            self._set_timer(min(due, now + self.beat_seconds))

    def _disarm(self) -> None:
        self._due = inf

    def _set_timer(self, when: float) -> None:
        self._stop_timer()
        self._beat, self._timer = when, self.loop.call_at(when, self._woken)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._beat, self._timer = inf, None

    def _woken(self) -> None:
        self._beat, self._timer = inf, None
        if self._due == inf:
            return
        now = self.loop.time()
        if self._due - now < _CLOCK_SECONDS:
            self._due = inf
            self._overdue()
        else:
            self._set_timer(min(self._due, now + self.beat_seconds))

    def _disarm_writing(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _overdue(self) -> None:
        """A request that did not come in time, or a client that was answered and goes on."""
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
