"""The whole sandbox as one application: a path per system, and the control plane."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.control import Control
from sandbox.plane import Plane, reply
from sandbox.seed import build
from sandbox.world import World

SYSTEMS = ("akeneo", "odoo", "hubspot", "dhl", "ups", "oauth")


def app(world: World | None = None, *, base_url: str) -> ASGIApp:
    """The sandbox at `base_url`, the root that every link of its systems starts with."""
    with _uncollected():
        world = world or build()
        plane = Plane(SYSTEMS, world.examples)
        root = base_url.rstrip("/")
        mounts: dict[str, ASGIApp] = {"_control": Control(plane)}
        for system in SYSTEMS:
            dialect = import_module(f"sandbox.{system}")
            mounts[system] = plane.guarding(system, dialect.app(world, f"{root}/{system}"))
        # RFC 8414 §3.1: an issuer with a path is described below the root of its host.
        mounts[".well-known"] = mounts["oauth"]
        return _dispatch(mounts)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: of so many new objects none is garbage (a third of the time)."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _dispatch(mounts: dict[str, ASGIApp]) -> ASGIApp:
    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1000})
        name, _, _ = scope["path"].removeprefix("/").partition("/")
        if (mounted := mounts.get(name)) is None:
            return await reply(send, 404, b'{"error": "No such system."}')
        prefix = f"/{name}"
        inner = dict(scope, path=scope["path"][len(prefix) :] or "/")
        if raw := scope.get("raw_path"):
            inner["raw_path"] = raw[len(prefix) :] or b"/"
        return await mounted(inner, receive, send)

    return dispatch


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def serve(port: int, host: str = "127.0.0.1") -> None:
    """Runs the sandbox until it is interrupted."""
    import uvicorn

    sandbox = app(base_url=f"http://{host}:{port}")
    gc.freeze()  # the world lives as long as the process
    uvicorn.run(
        sandbox,
        host=host,
        port=port,
        lifespan="off",
        access_log=False,
        log_level="warning",
        # A fault that hangs must not keep the process from ending.
        timeout_graceful_shutdown=1,
    )
