"""One connection to a system: a request goes out, its answer comes back, framed by RFC 9112.

Whatever is not exactly one whole answer ends the connection, so that no byte of one call's answer
can reach another call.
"""

import asyncio
import ssl
from collections.abc import Callable
from math import inf

import httptools

from ports.errors import MalformedError, UnavailableError
from upstream.failures import CutShortError, StaleError, WireError
from upstream.messages import Headers, Response
from upstream.wire_encoding import Unpacking, unpacking_of
from upstream.wire_known import Known, KnownHeads

_HEADERS_MOST = 256
# Bytes that are no body (heads, chunk extensions, trailers) between two pieces of a body.
_BESIDE_BODY_MOST = 64 * 1024
_BODILESS = frozenset({204, 304})
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"content-encoding"})
_CONTINUE, _SWITCHING, _FINAL = 100, 101, 200
_END = b"\r\n\r\n"
# Loops keep their time in milliseconds; what is due within one is due now.
_TICK_SECONDS = 0.001


class Connection(asyncio.Protocol):
    """Carries one exchange at a time; answers longer than `limit` bytes are refused.

    `free` is called after each answer that leaves it reusable, `ended` once, when it is lost.
    """

    __slots__ = (
        "_answered",
        "_beside",
        "_clean",
        "_encoding",
        "_ended",
        "_framed",
        "_free",
        "_headed",
        "_heads",
        "_length",
        "_limit",
        "_lines",
        "_loop",
        "_parser",
        "_parts",
        "_rings",
        "_size",
        "_started",
        "_status",
        "_timer",
        "_transport",
        "_unpacking",
        "_until",
        "_waiting",
        "_whole",
        "idle_since",
        "lost",
        "used",
    )

    _lines: list[tuple[bytes, bytes]]
    _parts: list[bytes]
    _encoding: bytes | None
    _unpacking: Unpacking | None
    _size: int
    _length: int
    _beside: int
    _status: int
    _started: bool
    _headed: bool
    _framed: bool
    _whole: bool

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limit: int,
        ended: Callable[["Connection"], None],
        free: Callable[["Connection"], None],
        heads: KnownHeads | None = None,
    ) -> None:
        self._loop = loop
        self._heads = KnownHeads() if heads is None else heads
        self._limit = limit
        self._ended = ended
        self._free = free
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Response] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._until = self._rings = inf
        self._clean = True
        self.used = False
        self.idle_since = 0.0
        self.lost: asyncio.Future[None] = loop.create_future()
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        # As other clients do for old servers: neither changes where a message ends.
        self._parser.set_dangerous_leniencies(
            lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._begin()

    @property
    def reusable(self) -> bool:
        """Whether nothing is under way, nothing was left over, and both sides keep it open."""
        return self._clean and self._waiting is None and self._transport is not None

    def ask(self, message: bytes, until: float) -> asyncio.Future[Response]:
        """Sends a whole request; its answer comes until a time of the loop's clock, or an error.

        Who gives up waiting has to `abandon` it. Raises StaleError when a connection used before turns
        out to have been closed; so may the answer, or WireError or TimeoutError.
        """
        transport = self._transport
        if transport is None or not self._clean:
            raise StaleError
        self._started = self._headed = self._whole = False
        waiting: asyncio.Future[Response] = self._loop.create_future()
        self._waiting = waiting
        self._until = until
        if until < self._rings:
            self._set_timer()
        transport.write(message)
        return waiting

    def abort(self) -> None:
        """Ends it at once; whoever waits for an answer is told so."""
        self._fail(WireError(UnavailableError, "the connection was given up"))

    def abandon(self) -> None:
        """Told by who gave up waiting: ends it, unless another call has it since."""
        if self._waiting is not None and self._waiting.cancelled():
            self.abort()

    def tls(self) -> ssl.SSLObject | None:
        """None for a connection in the clear."""
        transport = self._transport
        return None if transport is None else transport.get_extra_info("ssl_object")

    def close(self) -> None:
        """Ends an idle one politely."""
        self._clean = False
        if self._transport is not None:
            self._transport.close()

    # ------------------------------------------------------------ from the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Every transport of a connection is one that reads and writes; uvloop's is no subclass.
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if self._waiting is None or parser is None:
            self.abort()  # nobody asked for anything
            return
        is_first = not self._started
        if is_first and self._is_known(data):
            return
        self._beside += len(data)
        try:
            parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as problem:
            self._clean = False
            if not self._whole:
                self._fail(_garbled(problem))
                return
        if self._whole:
            self._answer(data if is_first else b"")
        elif self._beside > _BESIDE_BODY_MOST:
            self._fail(WireError(MalformedError, "too much that is no body"))

    def _is_known(self, data: bytes) -> bool:
        """Whether the first bytes are an answer with a head met before, which is given then.

        Else they are for the parser.
        """
        end = data.find(_END) + len(_END)
        known, waiting = self._heads.find(data[:end]), self._waiting
        is_whole = known is not None and len(data) - end == known.length <= self._limit
        if known is None or not is_whole or waiting is None or waiting.done() or self._unsent():
            self._begin()
            self._started = True
            return False
        self._waiting, self.used = None, True
        waiting.set_result(Response(known.status, known.headers, data[end:]))
        self._free(self)
        return True

    def _meet(self, data: bytes) -> None:
        """An answer that came in one piece, to be known again if all is plain about it."""
        end = data.find(_END) + len(_END)
        # Its length was told, and what came after the head is the body and nothing else.
        told = self._length if self._encoding is None else 0
        if told and told == self._size == len(data) - end:
            known = Known(self._status, Headers(self._lines), self._length)
            self._heads.meet(data[:end], known)

    def eof_received(self) -> None:
        self._over(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over(exc)
        self._stop_timer()
        self._transport = self._parser = None
        if not self.lost.done():
            self.lost.set_result(None)
        self._ended(self)

    # ------------------------------------------------------------ from the parser

    def on_message_begin(self) -> None:
        if self._whole:
            self._clean = False  # more than was asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._headed:
            return  # trailers tell nothing that is read here
        name = name.lower()
        self._lines.append((name, value))
        if name in _FRAMING:
            self._frame(name, value)
        elif len(self._lines) > _HEADERS_MOST:
            raise WireError(MalformedError, "too many headers")

    def on_headers_complete(self) -> None:
        if self._whole:
            return
        parser = self._parser
        assert parser is not None  # noqa: S101 - it is the one that calls
        status = self._status = parser.get_status_code()
        if status < _FINAL:
            self._interim(status)
            return
        self._headed = True
        if status in _BODILESS:
            # Such an answer ends with its head; a body that it announces might yet come.
            self._clean = self._clean and not self._framed
        elif self._encoding is not None:
            self._unpacking = unpacking_of(self._encoding, self._limit)
        elif self._length > self._limit:
            raise WireError(MalformedError, "answer longer than the limit")

    def on_body(self, body: bytes) -> None:
        self._beside = 0
        if self._whole:
            return
        if self._unpacking is not None:
            body = self._unpacking.feed(body)
        self._size += len(body)
        if self._size > self._limit:
            raise WireError(MalformedError, "answer longer than the limit")
        self._parts.append(body)

    def on_message_complete(self) -> None:
        if not self._headed:
            self._lines = []  # an interim answer; the real one follows
            self._framed = False
            return
        parser = self._parser
        self._whole = True
        if parser is None or not parser.should_keep_alive():
            self._clean = False

    # ------------------------------------------------------------ one answer

    def _begin(self) -> None:
        self._lines = []
        self._parts = []
        self._encoding = self._unpacking = None
        self._size = self._length = self._beside = self._status = 0
        self._started = self._headed = self._framed = self._whole = False

    def _interim(self, status: int) -> None:
        if status < _CONTINUE or status == _SWITCHING:
            raise WireError(MalformedError, f"status {status} was not asked for")
        if self._framed:
            self._clean = False

    def _frame(self, name: bytes, value: bytes) -> None:
        """The parser has refused a second length, and a length beside a transfer encoding."""
        if name == b"content-encoding":
            if self._encoding is not None:
                raise WireError(MalformedError, "an encoding within another")
            self._encoding = value
            return
        if name == b"content-length":
            self._length = int(value)
        elif self._framed or value.lower() != b"chunked":
            raise WireError(MalformedError, "a transfer encoding that was not asked for")
        self._framed = True

    def _answer(self, whole: bytes = b"") -> None:
        """`whole` has all of it, where it came in one piece."""
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():  # who asked has gone
            self._end()
            return
        if not self._clean or self._unsent():
            self._end()
        unpacking, self._unpacking = self._unpacking, None
        try:
            if unpacking is not None:
                unpacking.end()
        except WireError as problem:
            self._end()
            waiting.set_exception(problem)
            return
        # An idle connection holds on to nobody's answer.
        parts, self._parts = self._parts, []
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        waiting.set_result(Response(self._status, Headers(self._lines), body))
        self.used = True
        if self._clean:
            self._meet(whole)
            self._free(self)

    def _unsent(self) -> bool:
        """Whether the answer came before the whole request went out."""
        transport = self._transport
        return transport is None or transport.get_write_buffer_size() > 0

    def _over(self, cause: Exception | None) -> None:
        """The other side sends no more."""
        self._clean = False
        if self._waiting is None:
            return
        if self._headed and not self._framed and cause is None:
            self._whole = True
            self._answer()
        elif self._headed:
            self._fail(CutShortError())
        elif self._started or not self.used:
            self._fail(WireError(UnavailableError, f"lost before an answer: {cause!r}"))
        else:
            self._fail(StaleError())

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, None
        self._end()
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)

    def _end(self) -> None:
        self._clean = False
        self._stop_timer()
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------ the time of an answer

    def _set_timer(self) -> None:
        """One timer serves many answers: most of them come long before it looks whose is late."""
        self._stop_timer()
        self._rings = self._until
        self._timer = self._loop.call_at(self._until, self._ring)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._rings = inf

    def _ring(self) -> None:
        self._timer, self._rings = None, inf
        if self._waiting is None:
            return
        if self._until <= self._loop.time() + _TICK_SECONDS:
            self._fail(TimeoutError("no answer in time"))
        else:
            self._set_timer()


def _garbled(problem: Exception) -> WireError:
    """What a callback refused, or else the parser itself."""
    refused = problem.__context__
    if isinstance(refused, WireError):
        return refused
    return WireError(MalformedError, f"not HTTP/1.1: {problem}")
