"""The sandbox as a process of its own; as a part of the demo it ends with its parent."""

import os
import signal
import sys
import threading

from gateway.cli.listening import end_on_signals, listen
from sandbox.app import serve


def run(host: str, port: int, *, until_input_ends: bool) -> None:
    """Until a signal, or until standard input ends: a pipe whose other end has died."""
    end_on_signals()
    listen(host, port).close()
    if until_input_ends:
        threading.Thread(target=_end_with_input, daemon=True).start()
    serve(port, host)


def _end_with_input() -> None:
    # Unbuffered: a thread that holds a buffer's lock would spoil the interpreter's end.
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
