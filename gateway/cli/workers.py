"""Several processes on one port: each its own event loop, the system shares connections out.

A worker that ends is started anew; a parent that ends takes its workers with it, however it ends.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

import structlog

from gateway.cli.listening import listen, reserve

# A worker that ends sooner is not started again at once.
_SOON_SECONDS = 5.0
_GRACE_SECONDS = 15.0

log = structlog.get_logger(__name__)

Work = Callable[[], None]


def supervise(count: int, host: str, port: int, work: Work) -> NoReturn:
    """Runs `work` in `count` processes until Ctrl-C or SIGTERM; then ends with 0.

    Ends with one line and 1 when the address cannot be had.
    """
    if not hasattr(os, "fork") or not hasattr(socket, "SO_REUSEPORT"):
        sys.exit("This system cannot share a port: run one worker.")
    # Fails when somebody listens there already; the workers could not tell.
    listen(host, port).close()
    with reserve(host, port):
        sys.exit(_Workers(count, work).run())


class _Workers:
    def __init__(self, count: int, work: Work) -> None:
        self._count = count
        self._work = work
        self._started: dict[int, float] = {}
        self._ending = False
        # Workers hear by its end that their parent is gone.
        self._heard, self._alive = os.pipe()

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        for _ in range(self._count):
            self._start()
        while self._started:
            self._wait_for_one()
        return 0

    def _start(self) -> None:
        process = os.fork()
        if process == 0:
            self._run_worker()
        self._started[process] = time.monotonic()

    def _run_worker(self) -> NoReturn:
        os.close(self._alive)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        threading.Thread(target=_end_with_parent, args=(self._heard,), daemon=True).start()
        code: object = 1
        try:
            self._work()
            code = 0
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 0 if code is None else 1)

    def _wait_for_one(self) -> None:
        process, status = os.wait()
        began = self._started.pop(process, None)
        if began is None or self._ending:
            return
        log.error("worker ended", process=process, status=os.waitstatus_to_exitcode(status))
        if (soon := began + _SOON_SECONDS - time.monotonic()) > 0:
            time.sleep(min(1.0, soon))
        if not self._ending:
            self._start()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
        signal.signal(signal.SIGALRM, self._kill)
        signal.setitimer(signal.ITIMER_REAL, _GRACE_SECONDS)
        self._tell(signal.SIGTERM)

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        self._tell(signal.SIGKILL)

    def _tell(self, number: signal.Signals) -> None:
        for process in tuple(self._started):
            with suppress(ProcessLookupError):
                os.kill(process, number)


def _end_with_parent(heard: int) -> None:
    os.read(heard, 1)
    os.kill(os.getpid(), signal.SIGTERM)
