"""Heads of answers that were met before, byte for byte.

A system says the same before most of its answers. What the parser once made of these bytes, where they
began an answer and its whole body came along, it would make of them again.
"""

from typing import NamedTuple

from upstream.messages import Headers

_KEPT = 512
_LONGEST = 4_096


class Known(NamedTuple):
    """What a head says: of an answer of `length` bytes after which the connection goes on."""

    status: int
    headers: Headers
    length: int


class KnownHeads:
    """Those of one system. Which ones come again shows in time: all are forgotten at once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, Known] = {}

    def find(self, head: bytes) -> Known | None:
        return self._known.get(head)

    def meet(self, head: bytes, known: Known) -> None:
        if len(head) > _LONGEST:
            return
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[head] = known
