"""The control plane: counts each system's calls, and breaks systems on request."""

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.world import Examples

_ID = re.compile(r"(?<=/)(?:\d{4,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=/|$)")
_MOST_PATHS = 2000
"Beyond so many different paths of one system, the rest is counted together."
_BROKEN_JSON = b'{"_embedded": {"items": [{"uuid": "'
_BROKEN_HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>Back soon</body>"


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a system misbehaves. `error_rate` is the share of requests that the rest applies to."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=600_000)] = 0
    error_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    hang: bool = False
    malformed: bool | Literal["json", "html"] = False
    truncate: bool = False
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    path: str = ""
    "Only paths that start so."

    @property
    def refuses(self) -> bool:
        """Whether it answers with an error status of its own."""
        if self.status is not None or self.retry_after is not None:
            return True
        return self.error_rate is not None and not (self.hang or self.malformed or self.truncate)


@dataclass(slots=True)
class _Installed:
    fault: Fault
    lifted: asyncio.Event = field(default_factory=asyncio.Event)
    seen: int = 0

    def strikes(self) -> bool:
        """Whether this request is one of the share; evenly spread, the same in every run."""
        rate = self.fault.error_rate
        if rate is None:
            return True
        before, self.seen = self.seen, self.seen + 1
        # Rounded: a rate of 0.1 strikes on the tenth request, whatever its binary form.
        return int(round(self.seen * rate, 9)) > int(round(before * rate, 9))


class Plane:
    """Stands before every system of the sandbox, and answers `/_control/…`."""

    def __init__(self, systems: tuple[str, ...], examples: Examples) -> None:
        self.systems = systems
        self.examples = examples
        self._calls: dict[str, Counter[str]] = {system: Counter() for system in systems}
        self._faults: dict[str, _Installed] = {}

    def guarding(self, system: str, inner: ASGIApp) -> ASGIApp:
        """`inner`, counted and broken as told. Its scope's path is the system's own."""
        calls = self._calls[system]

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            path = scope["path"]
            _count(calls, f"{scope['method']} {_ID.sub('{id}', path)}")
            installed = self._faults.get(system)
            if installed is None or not path.startswith(installed.fault.path):
                return await inner(scope, receive, send)
            return await _broken(installed, inner)(scope, receive, send)

        return guarded

    def calls(self) -> dict[str, dict[str, object]]:
        return {
            system: {"total": counted.total(), "by_path": dict(counted)}
            for system, counted in self._calls.items()
        }

    def forget_calls(self) -> None:
        for counted in self._calls.values():
            counted.clear()

    def faults(self) -> dict[str, Fault]:
        return {system: installed.fault for system, installed in self._faults.items()}

    def install(self, system: str, fault: Fault) -> None:
        self.lift(system)
        # The prefix of the system's own mount may be given or left out.
        path = fault.path.removeprefix(f"/{system}/")
        path = fault.path if path == fault.path else f"/{path}"
        self._faults[system] = _Installed(msgspec.structs.replace(fault, path=path))

    def lift(self, *systems: str) -> None:
        """Ends the faults of these systems, or of all; what hangs is let go."""
        for system in systems or self.systems:
            if installed := self._faults.pop(system, None):
                installed.lifted.set()


def _count(calls: Counter[str], key: str) -> None:
    calls[key if key in calls or len(calls) < _MOST_PATHS else "other"] += 1


def _broken(installed: _Installed, inner: ASGIApp) -> ASGIApp:
    fault = installed.fault
    broken = inner
    if installed.strikes():
        if fault.hang:
            return _hanging(installed.lifted)
        if fault.malformed:
            broken = _malformed(fault)
        elif fault.truncate:
            broken = _truncated(inner)
        elif fault.refuses:
            broken = _refusing(fault)
    return _delayed(broken, fault.delay_ms / 1000) if fault.delay_ms else broken


def _delayed(inner: ASGIApp, seconds: float) -> ASGIApp:
    """Delays the answer, not the call: a system's own limit on concurrency sees it running."""

    async def delayed(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(seconds)
            await send(message)

        await inner(scope, receive, sending)

    return delayed


def _hanging(lifted: asyncio.Event) -> ASGIApp:
    async def hanging(_scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_disconnected(receive))
        waiting = asyncio.create_task(lifted.wait())
        try:
            await asyncio.wait((gone, waiting), return_when=asyncio.FIRST_COMPLETED)
        finally:
            over = gone.done()
            gone.cancel()
            waiting.cancel()
        if not over:
            await reply(send, 503, b'{"message": "It hung, and was let go."}')

    return hanging


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _malformed(fault: Fault) -> ASGIApp:
    async def malformed(_scope: Scope, _receive: Receive, send: Send) -> None:
        if fault.malformed == "html":
            await reply(send, 200, _BROKEN_HTML, content_type="text/html; charset=utf-8")
        else:
            await reply(send, 200, _BROKEN_JSON)

    return malformed


def _truncated(inner: ASGIApp) -> ASGIApp:
    """The true answer with its true length, of which only half is sent."""

    async def truncated(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = bytearray()

        async def keeping(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await inner(scope, receive, keeping)
        kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        await send({**start, "headers": [*kept, (b"content-length", b"%d" % (len(body) + 1))]})
        # Never completed: the server closes the connection in the middle of the body.
        await send({"type": "http.response.body", "body": bytes(body[: len(body) // 2]),
                    "more_body": True})  # fmt: skip

    return truncated


def _refusing(fault: Fault) -> ASGIApp:
    status = fault.status or (429 if fault.retry_after is not None else 500)
    body = b'{"code": %d, "message": "The sandbox was told to fail."}' % status
    extra = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}

    async def refusing(_scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, status, body, **extra)

    return refusing


async def reply(
    send: Send, status: int, body: bytes, content_type: str = "application/json", **headers: str
) -> None:
    """A whole answer; underscores in the names of `headers` stand for hyphens."""
    pairs = {"content-type": content_type, "content-length": str(len(body)), **headers}
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
