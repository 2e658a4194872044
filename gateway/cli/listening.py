"""Addresses to listen on, and how a process that listens ends."""

import signal
import socket
import sys

BACKLOG = 2048


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; `shared` with others that share it too, connection by connection.

    Ends the process with one line and 1 when the address cannot be had.
    """
    listener = _bound(host, port, shared=shared)
    listener.listen(BACKLOG)
    return listener


def reserve(host: str, port: int) -> socket.socket:
    """Keeps a shared address, also while nobody listens there. Ends the process as `listen`."""
    return _bound(host, port, shared=True)


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        sys.exit(f"Cannot listen on {host}: {error.strerror}.")
    try:
        # A port that was in use a moment ago is free; one that is in use is still refused.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        sys.exit(f"Cannot listen on {host} port {port}: {error.strerror}.")
    return bound


def end_on_signals() -> None:
    """Ctrl-C and SIGTERM end the process with 0, through its `finally` blocks.

    The server has its own handlers while it runs, and raises the signal again when it has ended.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)


def _end(*_: object) -> None:
    sys.exit(0)
