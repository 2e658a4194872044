"""An ASGI application on a listening socket, until Ctrl-C or SIGTERM."""

import gc
import socket
import sys
from collections.abc import Callable

import structlog
import uvicorn
from starlette.types import ASGIApp

from gateway.app import build
from gateway.cli.listening import BACKLOG, end_on_signals, listen
from gateway.settings import Settings
from gateway.telemetry import logs

# Load balancers close idle connections after 60 s, and have to be the first to do so.
KEEP_ALIVE_SECONDS = 75
GRACE_SECONDS = 10
_FAST = sys.platform != "win32"

log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """The gateway in front of real systems."""
    logs.configure(settings.server.log_format)
    end_on_signals()
    listener = listen(settings.server.host, settings.server.port)
    run(build(settings), listener, lambda: log.info("listening", address=settings.server.root))


def run(app: ASGIApp, listener: socket.socket, started: Callable[[], None]) -> None:
    """`started` is called once, as soon as requests are answered."""
    config = uvicorn.Config(
        app,
        http="httptools" if _FAST else "auto",
        loop="uvloop" if _FAST else "auto",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
    )
    # What is there now lives as long as the process; looking at it again and again costs pauses.
    gc.collect()
    gc.freeze()
    _Server(config, started).run(sockets=[listener])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_start()
