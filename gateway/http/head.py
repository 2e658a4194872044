"""The headers of a request, looked through once for all layers that ask for some of them."""

from collections.abc import Mapping, MutableMapping
from itertools import chain
from typing import Any

from gateway.http.responses import Header

_KEY = "passerelle.head"


class Head:
    """`first` has the first value of each name. Where names are `repeated`, there are more.

    `size` in bytes is with the colon, the space and the end of the line of each.
    """

    __slots__ = ("first", "repeated", "sent", "size")

    def __init__(self, sent: list[Header], size: int | None = None) -> None:
        self.sent = sent
        if size is None:
            size = sum(map(len, chain.from_iterable(sent))) + 4 * len(sent)
        self.size = size
        self.first: Mapping[bytes, bytes] = dict(reversed(sent))
        self.repeated = len(self.first) != len(sent)

    def all(self, name: bytes) -> list[bytes]:
        """The values of a header; `name` in lower case."""
        if name not in self.first:
            return []
        if not self.repeated:
            return [self.first[name]]
        return [value for key, value in self.sent if key == name]


def head_of(scope: MutableMapping[str, Any]) -> Head:
    """That of the headers which the scope has now."""
    sent, known = scope["headers"], scope.get(_KEY)
    if known is not None and known.sent is sent:
        found: Head = known
        return found
    return note_head(scope)


def note_head(scope: MutableMapping[str, Any], size: int | None = None) -> Head:
    """For a server that knows the size already."""
    made = scope[_KEY] = Head(scope["headers"], size)
    return made
