"""The control plane's own endpoints, below `/_control`."""

import msgspec
from starlette.types import Receive, Scope, Send

from sandbox.plane import Fault, Plane, reply

_MOST_BYTES = 64 * 1024


class Control:
    """`calls`, `faults` and `examples` of one plane, as an ASGI application."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        subject, _, system = scope["path"].removeprefix("/").partition("/")
        if system and (subject != "faults" or system not in self._plane.systems):
            return await _refuse(send, 404, f"No such thing; systems: {self._plane.systems}")
        if subject == "faults":
            return await self._faults(scope["method"], system, receive, send)
        return await self._reading(scope["method"], subject, send)

    async def _reading(self, method: str, subject: str, send: Send) -> None:
        if (method, subject) == ("GET", "calls"):
            return await _answer(send, self._plane.calls())
        if (method, subject) == ("DELETE", "calls"):
            self._plane.forget_calls()
            return await reply(send, 204, b"")
        if (method, subject) == ("GET", "examples"):
            return await _answer(send, self._plane.examples)
        known = subject in {"calls", "examples"}
        return await _refuse(send, 405 if known else 404, "GET calls, GET examples, DELETE calls")

    async def _faults(self, method: str, system: str, receive: Receive, send: Send) -> None:
        if method == "GET":
            faults = self._plane.faults()
            return await _answer(send, faults.get(system) if system else faults)
        if method == "DELETE":
            self._plane.lift(*(system,) if system else ())
            return await reply(send, 204, b"")
        if method != "PUT" or not system:
            return await _refuse(send, 405, "GET, DELETE, or PUT /_control/faults/<system>")
        try:
            fault = _fault(await body_of(receive, _MOST_BYTES))
        except ValueError as wrong:  # what msgspec raises is one, too
            return await _refuse(send, 400, str(wrong))
        self._plane.install(system, fault)
        return await _answer(send, fault)


def _fault(body: bytes) -> Fault:
    """Raises ValueError. A null is as good as an absent key."""
    told = msgspec.json.decode(body, type=dict[str, object])
    return msgspec.convert({key: each for key, each in told.items() if each is not None}, Fault)


async def body_of(receive: Receive, most: int) -> bytes:
    """The request's body. Raises ValueError beyond `most` bytes."""
    parts = bytearray()
    more = True
    while more:
        message = await receive()
        parts += message.get("body", b"")
        more = message.get("more_body", False)
        if len(parts) > most:
            raise ValueError("The body is too large")
    return bytes(parts)


async def _answer(send: Send, content: object) -> None:
    await reply(send, 200, msgspec.json.encode(content))


async def _refuse(send: Send, status: int, message: str) -> None:
    await reply(send, status, msgspec.json.encode({"error": message}))
