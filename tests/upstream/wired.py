"""A connection whose other side is a test: what it sends is written by hand."""

import asyncio
from typing import cast

from upstream.messages import Response
from upstream.wire_connection import Connection


class Socket(asyncio.Transport):
    """Takes what is written, and ends when it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.unsent = 0
        self.ended = False

    def write(self, data: object) -> None:
        self.written += cast("bytes", data)

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = True


class Wired:
    """A connection just made; answers are at most `limit` bytes."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self.socket = Socket()
        self.gone: list[Connection] = []
        self.freed: list[Connection] = []
        loop = asyncio.get_running_loop()
        self.connection = Connection(loop, limit, self.gone.append, self.freed.append)
        self.connection.connection_made(self.socket)

    async def ask(self, seconds: float = 60) -> asyncio.Task[Response]:
        """A call that has been written and waits for its answer."""
        asking = asyncio.create_task(self._asked(seconds))
        await asyncio.sleep(0)
        return asking

    async def _asked(self, seconds: float) -> Response:
        until = asyncio.get_running_loop().time() + seconds
        try:
            return await self.connection.ask(b"GET / HTTP/1.1\r\n\r\n", until)
        except BaseException:
            self.connection.abandon()
            raise

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.socket.ended:
                self.connection.data_received(piece)

    def end(self, cause: Exception | None = None) -> None:
        """The other side closes, or the network breaks."""
        if cause is None:
            self.connection.eof_received()
        self.connection.connection_lost(cause)
