"""CPU that one call to a system costs: our own wire beside the clients it was chosen against.

The system is a process of its own that sends ready bytes, so that all CPU counted here is the
client's. `raw` is the floor: one parser on one connection, no promise kept.

Usage: python benchmarks/wire.py [--keep-memory]
With --keep-memory freed blocks stay with the process (glibc), so that long answers do not fetch
their memory from the kernel anew.
"""

import asyncio
import ctypes
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import httptools
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ports.caller import Call, Caller, CallerKind
from upstream.any_transport import network
from upstream.config import UpstreamConfig
from upstream.http import HttpClient, Identity, Request

ROUNDS = 5
CALLS = {"/small": 6000, "/large": 640}
AT_ONCE = (1, 16)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)

Ask = Callable[[str], Awaitable[object]]


def answer(body: bytes) -> bytes:
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nserver: bench\r\n"
        b"date: Mon, 01 Jan 2026 00:00:00 GMT\r\ncontent-length: %d\r\n\r\n"
    )
    return head % len(body) + body


RECORD = b'{"sku": "SCR-4X40", "name": "Wood screw 4 x 40 mm", "price": "12.50"}'
ANSWERS = {
    "/small": answer(RECORD),
    "/large": answer(b"[" + b",".join([RECORD] * (400_000 // len(RECORD))) + b"]"),
}


class System(asyncio.Protocol):
    """Answers each request of a connection by its path."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        path = data.split(b" ", 2)[1].decode()
        self.transport.write(ANSWERS[path])  # type: ignore[attr-defined]


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(System, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Raw(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.told.set_result(b"".join(self.parts))

    def ask(self, path: str) -> asyncio.Future[bytes]:
        self.parts: list[bytes] = []
        self.told: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        request = b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % path.encode()
        self.transport.write(request)  # type: ignore[attr-defined]
        return self.told


def raw(port: int) -> Ask:
    kept: list[Raw] = []

    async def ask(path: str) -> bytes:
        loop = asyncio.get_running_loop()
        one = kept.pop() if kept else (await loop.create_connection(Raw, "127.0.0.1", port))[1]
        told = await one.ask(path)
        kept.append(one)
        return told

    return ask


def bare_aiohttp(session: aiohttp.ClientSession, url: str) -> Ask:
    async def ask(path: str) -> bytes:
        async with session.get(url + path) as response:
            return await response.read()

    return ask


def through(client: HttpClient) -> Ask:
    """All that a connector's call passes: limits, credentials, one timer, the journal."""
    caller = Caller(subject="bench", kind=CallerKind.STAFF)

    async def ask(path: str) -> bytes:
        call = Call(caller, "en", time.monotonic() + 10)
        return (await client.send(Request("o", path), call=call)).body

    return ask


async def cost(ask: Ask, path: str, at_once: int) -> float:
    """CPU microseconds a call."""
    each = CALLS[path] // at_once

    async def one_after_the_other() -> None:
        for _ in range(each):
            await ask(path)

    began = time.process_time()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return (time.process_time() - began) / (each * at_once) * 1e6


async def compare(port: int) -> None:
    url = f"http://127.0.0.1:{port}"
    config = UpstreamConfig(kind="bench", base_url=url)
    identity = Identity("bench", "ERP")
    lean = HttpClient(identity, config)
    over_httpx2 = HttpClient(identity, config, transport=network(config))
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    )
    ways = {
        "raw": raw(port),
        "HttpClient, own wire": through(lean),
        "aiohttp alone": bare_aiohttp(session, url),
        "HttpClient, httpx2 + aiohttp": through(over_httpx2),
    }
    print("| answer | at once | " + " | ".join(ways) + " |")
    print("|---" * (len(ways) + 2) + "|")
    for path in CALLS:
        size = f"{len(ANSWERS[path]):,} bytes"
        for at_once in AT_ONCE:
            best = dict.fromkeys(ways, float("inf"))
            for _ in range(ROUNDS):
                for name, ask in ways.items():
                    best[name] = min(best[name], await cost(ask, path, at_once))
            row = " | ".join(f"{us:.0f}" for us in best.values())
            print(f"| {size} | {at_once} | {row} |", flush=True)
    await session.close()
    await lean.aclose()
    await over_httpx2.aclose()


def keep_memory() -> None:
    libc = ctypes.CDLL(None)
    for option, most in ((M_MMAP_THRESHOLD, 32 << 20), (M_TRIM_THRESHOLD, 64 << 20)):
        assert libc.mallopt(option, most) == 1


def main() -> None:
    if "--keep-memory" in sys.argv:
        keep_memory()
    system = subprocess.Popen(
        [sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert system.stdout is not None
        uvloop.run(compare(int(system.stdout.readline())))
    finally:
        system.terminate()
        system.wait()


if __name__ == "__main__":
    uvloop.run(serve()) if sys.argv[1:] == ["serve"] else main()
