"""A peer on a real socket of this machine that answers byte for byte what a test wrote."""

import asyncio
import gzip
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from pydantic import SecretStr

from ports.caller import Call, Caller, CallerKind
from upstream.config import UpstreamConfig
from upstream.credentials import Grant
from upstream.http import Identity

IDENTITY = Identity("erp-fr", "ERP")


@dataclass(frozen=True)
class Received:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """A whole answer made from what was asked."""

    make: Callable[[Received], bytes]


Writing = Callable[[asyncio.StreamWriter], Awaitable[None]]
Answer = bytes | Reply | Writing


@dataclass
class Loopback:
    """`answers` are given in turn, by path where it is named; the last one again and again."""

    url: str
    answers: dict[str, list[Answer]]
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0

    def targets(self) -> list[str]:
        return [one.target for one in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while (request := await _read(reader)) is not None:
                self.received.append(request)
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    if not await self._answer(request, writer):
                        return
                finally:
                    self.at_once -= 1
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: Received, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        path = request.target.partition("?")[0]
        answers = self.answers.get(path) or self.answers["*"]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Reply):
            answer = answer.make(request)
        if not isinstance(answer, bytes):
            await answer(writer)
            return False
        writer.write(answer)
        await writer.drain()
        return True


@asynccontextmanager
async def serving(
    *answers: Answer,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    **by_path: Sequence[Answer],
) -> AsyncIterator[Loopback]:
    """A peer; keys of `by_path` are paths without their first slash."""
    told = {f"/{path}": list(some) for path, some in by_path.items()}
    told["*"] = list(answers) or [good()]
    peer = Loopback("", told)
    tasks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks[asyncio.ensure_future(peer.serve(reader, writer))] = writer

    server = await asyncio.start_server(accept, host, 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    authority = f"[{host}]" if ":" in host else host
    peer.url = f"{'https' if tls else 'http'}://{authority}:{port}"
    try:
        yield peer
    finally:
        server.close()
        for task, writer in tasks.items():
            task.cancel()
            writer.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in tasks.values():
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    method, target, _ = first.split(" ")
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body)


def good(body: bytes = b'{"n": 1}', status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer; header names have `_` for `-`."""
    told = {"content-type": "application/json", "content-length": str(len(body))}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def zipped(body: bytes, *, times: int = 1) -> bytes:
    for _ in range(times):
        body = gzip.compress(body)
    return good(body, content_encoding=", ".join(["gzip"] * times))


async def silent(_writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def gone(writer: asyncio.StreamWriter) -> None:
    writer.close()


def half(answer: bytes) -> Writing:
    """All but the last bytes, then the connection ends."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(answer[:-3])
        await writer.drain()
        writer.close()

    return write


def stuck(answer: bytes) -> Writing:
    """All but the last bytes, then nothing more."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(answer[:-3])
        await writer.drain()
        await asyncio.Event().wait()

    return write


def config(url: str, **settings: object) -> UpstreamConfig:
    told = {"kind": "x", "base_url": url, "tries": 1, **settings}
    return UpstreamConfig.model_validate(told)


def call(seconds: float = 10.0) -> Call:
    caller = Caller(subject="test", kind=CallerKind.STAFF, customers=None)
    return Call(caller, "en", time.monotonic() + seconds, request_id="r-1")


def grant(path: str = "/token", **parameters: str) -> Grant:
    told = parameters or {"grant_type": "client_credentials"}
    return Grant(path, "client", SecretStr("s3cret"), told)
