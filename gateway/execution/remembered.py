"""What is worked out of an operation of a kept document, remembered while it is used."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from gateway.operations.documents import Document

T = TypeVar("T")

_KEPT = 1_000


class Remembered(Generic[T]):
    """By document and operation name. Bounded; what was not used for longest goes first."""

    def __init__(self, make: Callable[[], T], kept: int = _KEPT) -> None:
        self._make = make
        self._kept = kept
        # The document is held too, so that its identity stays its own.
        self._known: OrderedDict[tuple[int, str | None], tuple[Document, T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def of(self, document: Document, name: str | None) -> T:
        key = (id(document), name)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            return known[1]
        made = self._make()
        self._known[key] = (document, made)
        if len(self._known) > self._kept:
            self._known.popitem(last=False)
        return made
