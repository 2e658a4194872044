"""Server-sent events of the status page: the latest map for each listener, and signs of life."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from starlette.types import Receive, Send

from gateway.http.responses import NO_STORE, Header

HEARTBEAT_SECONDS = 15.0
# Then a page comes again, with credentials that still hold.
LONGEST_SECONDS = 600.0
_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    NO_STORE,
    (b"x-accel-buffering", b"no"),
)


class Listeners:
    """Whoever listens now; each has the latest message only, however slowly it takes them."""

    def __init__(self, most: int, *, heartbeat: float = HEARTBEAT_SECONDS) -> None:
        self._most = most
        self._heartbeat = heartbeat
        self._waiting: set[asyncio.Queue[bytes | None]] = set()
        self._is_over = False

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        return self._is_over or len(self._waiting) >= self._most

    def publish(self, body: bytes) -> None:
        """One event with this JSON."""
        for queue in self._waiting:
            _put(queue, b"data: " + body + b"\n\n")

    def end(self) -> None:
        """Sends everybody away, and lets nobody in any more."""
        self._is_over = True
        for queue in self._waiting:
            _put(queue, None)

    async def serve(self, first: Callable[[], bytes], receive: Receive, send: Send) -> None:
        """`first` makes what is told at once. Returns when either side has had enough."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._waiting.add(queue)
        gone = asyncio.create_task(_gone(receive, queue))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            _put(queue, b"retry: 3000\ndata: " + first() + b"\n\n")
            await self._pass_on(queue, gone, send)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._waiting.discard(queue)
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    async def _pass_on(
        self, queue: asyncio.Queue[bytes | None], gone: asyncio.Task[None], send: Send
    ) -> None:
        ends = monotonic() + LONGEST_SECONDS
        while not gone.done() and monotonic() < ends:
            try:
                message = await asyncio.wait_for(queue.get(), self._heartbeat)
            except TimeoutError:
                message = b": still here\n\n"
            if message is None:
                return
            await send({"type": "http.response.body", "body": message, "more_body": True})


async def _gone(receive: Receive, queue: asyncio.Queue[bytes | None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    _put(queue, None)


def _put(queue: asyncio.Queue[bytes | None], message: bytes | None) -> None:
    """In place of what was not taken yet."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(message)
