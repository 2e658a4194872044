"""The lean way to a system: HTTP/1.1 over connections of our own, kept open and used again."""

import asyncio
from collections.abc import Mapping

from ports.errors import UnavailableError
from upstream.config import UpstreamConfig
from upstream.failures import StaleError, WireError
from upstream.messages import Request, Response
from upstream.urls import Targets
from upstream.wire_connection import Connection
from upstream.wire_dial import Dialer
from upstream.wire_head import Heads
from upstream.wire_known import KnownHeads

# Shorter than servers' own patience, or a call would often meet a connection just closed.
_IDLE_SECONDS = 30.0
_CLOSING_SECONDS = 1.0


class Wire:
    """The connections of one upstream, as many as there are calls at once. Close with `aclose`."""

    def __init__(
        self,
        config: UpstreamConfig,
        headers: Mapping[str, str],
        *,
        idle_seconds: float = _IDLE_SECONDS,
    ) -> None:
        self._targets = Targets(config.base_url)
        base = self._targets.base
        self._dialer = Dialer(base, config)
        host = base.netloc.decode("ascii")
        self._heads = Heads({"host": host, **headers})
        self._idle_seconds = idle_seconds
        self._limit = config.answer_limit_bytes
        self._met = KnownHeads()
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._sweeping: asyncio.TimerHandle | None = None
        self._closed = False

    async def ask(
        self, request: Request, signed: Mapping[str, str], until: float, traced: str = ""
    ) -> Response:
        """The answer, whatever its status, until a time of the loop's clock.

        A connection kept open that turns out to be closed costs a reconnection, not the call.
        Raises WireError, OSError or TimeoutError.
        """
        target = self._targets.target(request.path, request.params)
        message = self._heads.message(request, target, signed, traced)
        # Whether a closed connection has taken a request is not known: what may not be sent
        # twice goes by a new one.
        connection = self._kept() if request.idempotent else None
        if connection is not None:
            try:
                return await connection.ask(message, until)
            except StaleError:
                pass
            except BaseException:
                connection.abandon()
                raise
        return await self._ask_anew(message, until)

    async def _ask_anew(self, message: bytes, until: float) -> Response:
        connection = await self._dial(until)
        try:
            response = await connection.ask(message, until)
        except BaseException:
            connection.abandon()
            raise
        self._dialer.proved(connection)
        return response

    async def aclose(self) -> None:
        self._closed = True
        if self._sweeping is not None:
            self._sweeping.cancel()
        open_still = list(self._open)
        for connection in open_still:
            connection.abort()
        if open_still:
            await asyncio.wait([one.lost for one in open_still], timeout=_CLOSING_SECONDS)

    def _kept(self) -> Connection | None:
        """The one used last, for it is the least likely to have been closed."""
        oldest = asyncio.get_running_loop().time() - self._idle_seconds
        while self._idle:
            connection = self._idle.pop()
            if connection.reusable and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    def _keep(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweeping is None:
            self._sweeping = loop.call_later(self._idle_seconds, self._sweep)

    def _sweep(self) -> None:
        """Closes those that nobody needs; without any left it comes back with the next one."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._idle_seconds
        kept = [one for one in self._idle if one.idle_since > oldest]
        for one in self._idle:
            if one.idle_since <= oldest:
                one.close()
        self._idle = kept
        seconds = kept[0].idle_since - oldest if kept else 0.0
        self._sweeping = loop.call_later(seconds, self._sweep) if kept else None

    async def _dial(self, until: float) -> Connection:
        if self._closed:
            raise WireError(UnavailableError, "the client is closed")
        loop = asyncio.get_running_loop()
        connection = await self._dialer.dial(
            lambda: Connection(loop, self._limit, self._ended, self._keep, self._met), until
        )
        if connection.lost.done():
            raise WireError(UnavailableError, "lost as soon as it was made")
        self._open.add(connection)
        return connection

    def _ended(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
