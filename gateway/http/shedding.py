"""Refuses what the process cannot answer in time, so that it answers the rest.

Requests begin a few in each turn of the event loop: between turns it reads what else has come, and
can refuse that at once. The sign of overload is a queue that stands before the beginning. A system
that is slow makes requests wait without keeping the loop from anything, and so sheds none.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.execution.errors import plain_entry
from gateway.http.express import OUTCOME
from gateway.http.incoming import header_text, request_id_of
from gateway.http.negotiation import MediaType, negotiate
from gateway.http.responses import NO_STORE, Header, send_whole

OVERLOADED = "GATEWAY_OVERLOADED"
# Under this name the server's state holds what may refuse requests before they are one for ASGI.
DOOR = "door"
# How long a turn of the loop should take, and how much may begin in it at the most.
_TURN_SECONDS = 0.010
_MOST_A_TURN = 64
_FIRST_A_TURN = 8
# Of the sums that the cost of a request is estimated from, what is left a turn later.
_FADING = 0.9
_LONGEST_PAUSE = 0.005
# So many that come together need not keep to the pace.
_AT_ONCE = 4
# So many may be under way before further ones begin one by one: what all of them hold then still
# fits the processor's own memory, and none that could go on waits for many that only begin.
_AT_HAND = 6
# For so long a queue may have work while requests are being refused.
_QUEUE_SECONDS = 0.5
# Of every answer of the gateway that a browser may show.
_FOR_BROWSERS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-frame-options", b"DENY"),
)

log = structlog.get_logger(__name__)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class SheddingRules:
    """`most` requests are answered at once, 0: any number and nothing is ever refused.

    Once all that began for `patience_seconds` had waited longer than `late_seconds`, there is
    overload: a burst is worked off, a load that lasts is not. Then only as many may wait as begin
    in half a second, and `least` in any case, until for so long nothing had to be refused.
    """

    most: int = 2000
    least: int = 64
    late_seconds: float = 0.025
    patience_seconds: float = 1.0
    retry_after_seconds: int = 1


class Beginnings:
    """Lets requests begin in their order, no more in a turn of the loop than leave it short.

    What one costs is estimated from how long turns take. They begin at twice the pace that this
    allows and no faster, as those that wait together for something also go on together. `began` is
    told of each how long it waited.
    """

    def __init__(self, began: Callable[[float], object], clock: Clock) -> None:
        self._began = began
        self._clock = clock
        self._queue: deque[tuple[float, asyncio.Future[None]]] = deque()
        self.under_way = 0
        self._is_turning = False
        self._turned = 0.0
        self._begun = 0
        # Sums of turns, the older ones of less weight.
        self._busy = _TURN_SECONDS
        self._count = float(_FIRST_A_TURN)
        self._room = _FIRST_A_TURN
        self._pause = 0.0
        self._next = 0.0

    @property
    def waiting(self) -> int:
        return len(self._queue)

    def is_mine(self) -> bool:
        """Whether it is the caller's turn already, which it takes then; else it is to wait."""
        now = self._clock()
        if self._queue or not self._is_time(now):
            return False
        # For so long the loop may have left it unread.
        self._begin(now, now - self._turned if self._is_turning else 0.0)
        if not self._is_turning:
            self._turn_soon(now)
        return True

    async def mine(self) -> None:
        """Waits until the caller's turn has come."""
        if self.is_mine():
            return
        now = self._clock()
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((now, waiter))
        self._turn_soon(now)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():  # its turn had come meanwhile
                self.under_way -= 1
            raise

    def _is_time(self, now: float) -> bool:
        room = self._room if self.under_way < _AT_HAND else 1
        return self._begun < room and now >= self._next

    def _begin(self, now: float, waited: float) -> None:
        self._begun += 1
        self.under_way += 1
        self._next = max(self._next, now - _AT_ONCE * self._pause) + self._pause
        self._began(waited)

    def _turn_soon(self, now: float) -> None:
        if not self._is_turning:
            self._is_turning, self._turned = True, now
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        now = self._clock()
        self._learn(now - self._turned)
        self._turned, self._begun = now, 0
        while self._queue and self._is_time(now):
            since, waiter = self._queue.popleft()
            if not waiter.done():  # its client has not gone
                waiter.set_result(None)
                self._begin(now, now - since)
        loop = asyncio.get_running_loop()
        if self._begun:
            loop.call_soon(self._turn)
        elif self._queue:
            loop.call_later(max(0.0, self._next - now), self._turn)
        else:
            self._is_turning = False

    def _learn(self, took: float) -> None:
        self._busy = self._busy * _FADING + took
        self._count = self._count * _FADING + self._begun
        cost = self._busy / max(self._count, 0.1)
        self._room = int(min(_MOST_A_TURN, max(1.0, _TURN_SECONDS / max(cost, 1e-6))))
        self._pause = min(_LONGEST_PAUSE, cost / 2)


class Overload:
    """Whether work waits too long to begin, and how much may wait then."""

    def __init__(self, rules: SheddingRules) -> None:
        self._rules = rules
        self._late_since: float | None = None
        self._counted_since = 0.0
        self._count = 0
        self.is_there = False
        self.room = rules.least

    def began(self, now: float, waited: float) -> None:
        """A request that had waited so long has begun."""
        if waited <= self._rules.late_seconds:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        elif now - self._late_since >= self._rules.patience_seconds:
            self.is_there = True
        self._count += 1
        if now - self._counted_since >= _QUEUE_SECONDS:
            share = _QUEUE_SECONDS / (now - self._counted_since)
            self.room = max(self._rules.least, int(self._count * share))
            self._counted_since, self._count = now, 0

    def is_over(self) -> None:
        self.is_there, self._late_since = False, None


class Shedding:
    """Around an application whose requests cost work. Others are to stand beside it.

    `path` is the application's, for a server that asks for `refusal` itself.
    """

    def __init__(
        self,
        app: ASGIApp,
        rules: SheddingRules,
        *,
        path: bytes = b"/graphql",
        clock: Clock = time.monotonic,
    ) -> None:
        self._app = app
        self._rules = rules
        self._path = path
        self._clock = clock
        self._overload = Overload(rules)
        self._beginnings = Beginnings(self._began, clock)
        self._look: asyncio.TimerHandle | None = None
        self._looked_at = 0
        # Let in by the server in this turn of the loop, and so not yet under way.
        self._coming = 0
        self.under_way = 0
        self.refused = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if OUTCOME in scope.get("state", ()):  # the work is done, and was let begin
            await self._app(scope, receive, send)
            return
        if self._rules.most and self._is_too_much():
            status, headers, body = self._refuse(scope)
            await send_whole(send, status, body, headers, head=scope["method"] == "HEAD")
            return
        await self.begin()
        try:
            await self._app(scope, receive, send)
        finally:
            self.end()

    async def begin(self) -> None:
        """Counts a request that was let in, and waits until it is its turn."""
        self.under_way += 1
        if self._rules.most and not self._beginnings.is_mine():
            try:
                await self._beginnings.mine()
            except BaseException:
                self.under_way -= 1
                raise

    def end(self) -> None:
        """Of one that has begun."""
        self.under_way -= 1
        if self._rules.most:
            self._beginnings.under_way -= 1

    def lets_in(self) -> bool:
        """Whether there is room for one more, which then is on its way."""
        if not self._rules.most:
            return True
        if self._is_too_much():
            return False
        if not self._coming:
            asyncio.get_running_loop().call_soon(self._came)
        self._coming += 1
        return True

    def refusal(self, target: bytes, headers: Iterable[Header]) -> bytes | None:
        """What the server is to answer without asking the application; None: it is to ask.

        Without the lines that the server has for each answer. For POST and GET alone.
        """
        if not self._rules.most:
            return None
        if target != self._path and target.partition(b"?")[0] != self._path:
            return None
        if self.lets_in():
            return None
        known = tuple(headers)
        if any(name == b"origin" for name, _ in known):
            return None  # whether its page may read the answer, the application knows
        scope: Scope = {"headers": known}
        status, told, body = self._refuse(scope)
        length = (b"content-length", b"%d" % len(body))
        request_id = (b"x-request-id", request_id_of(scope).encode())
        lines = (*told, length, request_id, *_FOR_BROWSERS)
        text = b"".join(b"%s: %s\r\n" % line for line in lines)
        return b"HTTP/1.1 %d Service Unavailable\r\n%s\r\n%s" % (status, text, body)

    def _came(self) -> None:
        self._coming = 0

    def _is_too_much(self) -> bool:
        if self.under_way + self._coming >= self._rules.most:
            return True
        overload = self._overload
        return overload.is_there and self._beginnings.waiting + self._coming >= overload.room

    def _began(self, waited: float) -> None:
        self._overload.began(self._clock(), waited)

    def _refuse(self, scope: Scope) -> tuple[int, tuple[Header, ...], bytes]:
        self.refused += 1
        self._watch()
        message = "Too much is asked of the gateway just now; try again shortly."
        entry = plain_entry(message, OVERLOADED, request_id_of(scope), retryable=True)
        media_type = negotiate(header_text(scope, b"accept") or "") or MediaType.JSON
        headers = (
            (b"content-type", media_type.value),
            (b"retry-after", b"%d" % self._rules.retry_after_seconds),
            NO_STORE,
        )
        return 503, headers, orjson.dumps({"errors": [entry]})

    def _watch(self) -> None:
        """Until, for as long as the patience, nothing had to be refused."""
        if self._look is None:
            log.warning("overloaded, refusing requests", under_way=self.under_way)
            self._look_later()

    def _look_later(self) -> None:
        self._looked_at = self.refused
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(self._rules.patience_seconds, self._looked)

    def _looked(self) -> None:
        if self.refused > self._looked_at:
            self._look_later()
            return
        self._look = None
        self._overload.is_over()
        log.info("no longer overloaded", refused=self.refused)
