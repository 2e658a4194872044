"""The `send` of one request, to which layers add headers instead of each wrapping the next one.

Where the server takes an answer as a whole, it is given it so: one call, and one write.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from starlette.types import Message, Send

from gateway.http.responses import Header

_CONTENT_TYPE = b"content-type"
_SHAPES_KEPT = 256


class Wire(Protocol):
    """A server's `send` that can also take whole answers."""

    def takes_whole(self) -> bool:
        """Whether there is room for an answer just now."""
        ...

    def write(self, status: int, headers: list[Header], lines: bytes, body: bytes) -> None:
        """`lines` are more headers, as they are sent."""
        ...


class Block:
    """Headers, and the lines that they are."""

    __slots__ = ("headers", "lines")

    def __init__(self, headers: tuple[Header, ...] = ()) -> None:
        self.headers = headers
        self.lines = b"".join([b"%s: %s\r\n" % one for one in headers])


class _Shape:
    """What answers with the same names of headers get."""

    __slots__ = ("has_server", "kind", "to_all", "to_pages")

    def __init__(self, names: tuple[bytes, ...], lacking: "Lacking") -> None:
        present = [name.lower() for name in names]
        # The last of two, as before a browser.
        found = [at for at, name in enumerate(present) if name == _CONTENT_TYPE]
        self.kind = found[-1] if found else None
        self.has_server = b"server" in present
        self.to_all = Block(tuple(one for one in lacking.to_all if one[0] not in present))
        self.to_pages = Block(tuple(one for one in lacking.to_pages if one[0] not in present))


class Lacking:
    """What answers get that do not say it for themselves; `is_page` tells by the content type."""

    __slots__ = ("_is_page", "_shapes", "to_all", "to_pages")

    def __init__(
        self,
        to_all: tuple[Header, ...],
        to_pages: tuple[Header, ...],
        is_page: Callable[[bytes], bool],
    ) -> None:
        self.to_all = to_all
        self.to_pages = to_pages
        self._is_page = is_page
        self._shapes: dict[tuple[bytes, ...], _Shape] = {}

    def of(self, own: list[Header]) -> Block:
        """Takes `Server` out of `own`."""
        names = tuple([name for name, _ in own])
        shape = self._shapes.get(names)
        if shape is None:
            shape = _Shape(names, self)
            if len(self._shapes) < _SHAPES_KEPT:
                self._shapes[names] = shape
        kind = b"" if shape.kind is None else own[shape.kind][1]
        if shape.has_server:
            own[:] = [one for one in own if one[0].lower() != b"server"]
        return shape.to_pages if self._is_page(kind) else shape.to_all


class Answering:
    """`lacking` is what the answer gets last; `started` once any of it was sent."""

    __slots__ = ("_added", "_began", "_lacking", "_send", "_wire", "started")

    def __init__(self, send: Send, lacking: Lacking | None = None) -> None:
        self._send = send
        self._wire = cast("Wire", send) if hasattr(send, "takes_whole") else None
        self._lacking = lacking
        self._added: tuple[Header, ...] = ()
        self._began: Callable[[int], object] | None = None
        self.started = False

    def add(self, headers: tuple[Header, ...]) -> None:
        """Of a layer: what layers further in add comes before it."""
        self._added = headers + self._added

    def when_begun(self, told: Callable[[int], object]) -> None:
        """`told` is given the status of the answer, once. For one layer."""
        self._began = told

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            lines = self._begin(message["status"], own)
            message["headers"] = own if lines is None else [*own, *lines.headers]
        return self._send(message)

    def whole(self, status: int, own: list[Header], body: bytes) -> bool:
        """Whether the server took it; else it is to be sent as messages. `own` is added to."""
        wire = self._wire
        if wire is None or not wire.takes_whole():
            return False
        block = self._begin(status, own)
        wire.write(status, own, b"" if block is None else block.lines, body)
        return True

    def _begin(self, status: int, own: list[Header]) -> Block | None:
        self.started = True
        if self._began is not None:
            self._began(status)
        own += self._added
        return None if self._lacking is None else self._lacking.of(own)


def answering(send: Send) -> Answering:
    """The one of a layer further out, or one around `send`."""
    return send if type(send) is Answering else Answering(send)
