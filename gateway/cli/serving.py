"""An ASGI application on a listening socket, until Ctrl-C or SIGTERM."""

import gc
import socket
import sys
from collections.abc import Callable
from dataclasses import replace

import structlog
import uvicorn
from starlette.types import ASGIApp

from gateway.app import build
from gateway.cli.listening import BACKLOG, end_on_signals, listen
from gateway.cli.memory import Tidying, keep_memory
from gateway.http.server import protocol
from gateway.http.status_wiring import STOPPING
from gateway.settings import Settings
from gateway.telemetry import logs

GRACE_SECONDS = 10
# Answers under way are thousands of objects in no cycle; by default they would all be looked at
# after every 700 more of them. Errors and refused documents do leave cycles, some hundred objects
# each: what piles up of those before it is looked for is resident memory. To look at the middle
# generation four times as often cost an answer of a thousand products a quarter of its time.
_COLLECTING = (25_000, 20, 100)
# Files that are open besides clients' connections: those to systems, stores, the log.
OTHER_FILES = 512
# How long a thread that examines a long document may keep the event loop from its turn.
TURN_SECONDS = 0.001
_FAST = sys.platform != "win32"

log = structlog.get_logger(__name__)


def serve(settings: Settings, workers: int = 1) -> None:
    """The gateway in front of real systems, in so many processes."""
    logs.configure(settings.server.log_format)
    end_on_signals()
    host, port = settings.server.host, settings.server.port
    if workers == 1:
        _serve(settings, listen(host, port))
        return
    from gateway.cli.workers import supervise

    supervise(workers, host, port, lambda: _serve(settings, listen(host, port, shared=True)))


def _serve(settings: Settings, listener: socket.socket) -> None:
    root = settings.server.root
    run(build(settings), listener, settings, lambda: log.info("listening", address=root))


def run(
    app: ASGIApp, listener: socket.socket, settings: Settings, started: Callable[[], None]
) -> None:
    """`started` is called once, as soon as requests are answered."""
    http = settings.http
    rules = http.rules(settings.limits.body_bytes)
    config = uvicorn.Config(
        app,
        http=protocol(replace(rules, connections=_room_for(rules.connections))),
        loop="uvloop" if _FAST else "auto",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(http.trusted_proxies),
        forwarded_allow_ips=list(http.trusted_proxies),
        timeout_keep_alive=http.keep_alive_seconds,
        timeout_graceful_shutdown=GRACE_SECONDS,
        backlog=BACKLOG,
    )
    sys.setswitchinterval(TURN_SECONDS)
    keep_memory()
    # What is there now lives as long as the process; looking at it again and again costs pauses.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTING)
    gc.enable()
    _Server(config, started).run(sockets=[listener])


def _room_for(connections: int) -> int:
    """How many of them the system lets the process have, which is asked for as many."""
    if not _FAST:
        return connections
    import resource

    most, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if most < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        log.warning("fewer connections than configured", connections=most - OTHER_FILES)
    return max(1, min(connections, most - OTHER_FILES))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_start = on_start
        self._tidying = Tidying()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tidying.start()
            self._on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._tidying.stop()
        # Answers without an end would be waited for.
        end = self.lifespan.state.get(STOPPING)
        if end is not None:
            end()
        await super().shutdown(sockets)
