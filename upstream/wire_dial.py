"""How a connection to a system is made: its addresses in turn, TLS where configured."""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence

import httpx2

from upstream.config import UpstreamConfig
from upstream.wire_connection import Connection
from upstream.wire_tls import Sessions, tls

# As long as other clients keep an address; after it a system that moved is found again.
_ADDRESSES_SECONDS = 10.0
_PORTS = {"http": 80, "https": 443}


class Dialer:
    """Makes connections to the host of one base URL."""

    def __init__(self, base: httpx2.URL, config: UpstreamConfig) -> None:
        self._host = base.raw_host.decode("ascii")
        self._port = base.port or _PORTS[base.scheme]
        self._seconds = config.connect_timeout_seconds
        self._tls = tls(config) if base.scheme == "https" else None
        self._sessions = Sessions(self._tls) if self._tls else None
        self._found: tuple[float, Sequence[str]] = (0.0, ())

    async def dial(self, protocol: Callable[[], Connection], until: float) -> Connection:
        """Raises OSError, or TimeoutError when neither is in time.

        `until` is a time of the loop's clock.
        """
        loop = asyncio.get_running_loop()
        until = min(until, loop.time() + self._seconds)
        async with asyncio.timeout_at(until):
            addresses = await self._addresses(loop)
            for number, address in enumerate(addresses, 1):
                # One that swallows packets may not use up the time of those after it.
                left = (until - loop.time()) / (len(addresses) - number + 1)
                try:
                    async with asyncio.timeout(left):
                        return await self._connect(loop, protocol, address)
                except OSError:  # the time of this address included
                    if self._sessions is not None:
                        self._sessions.forget()
                    if number == len(addresses):
                        self._found = (0.0, ())
                        raise
        raise OSError(f"no address of {self._host}")

    def proved(self, connection: Connection) -> None:
        """Told of a connection that has carried an answer."""
        if self._sessions is not None and (over := connection.tls()) is not None:
            self._sessions.keep(over)

    async def _connect(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: Callable[[], Connection],
        address: str,
    ) -> Connection:
        name = self._host.rstrip(".") if self._tls else None
        _, connection = await loop.create_connection(
            protocol, address, self._port, ssl=self._tls, server_hostname=name
        )
        return connection

    async def _addresses(self, loop: asyncio.AbstractEventLoop) -> Sequence[str]:
        """In the order the resolver prefers (RFC 6724)."""
        known_until, addresses = self._found
        if loop.time() < known_until:
            return addresses
        if _is_address(self._host):
            addresses, known_until = (self._host,), float("inf")
        else:
            told = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(str(one[4][0]) for one in told))
            known_until = loop.time() + _ADDRESSES_SECONDS
        self._found = (known_until, addresses)
        return addresses


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
