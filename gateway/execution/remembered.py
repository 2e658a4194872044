"""What is worked out of operations of kept documents, remembered while it is used."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from gateway.operations.documents import Document

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_KEPT = 1_000


class Recent(Generic[K, T]):
    """Bounded; what was not used for longest goes first."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._known: OrderedDict[K, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: K) -> T | None:
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: K, value: T) -> None:
        self._known[key] = value
        if len(self._known) > self._kept:
            self._known.popitem(last=False)


class Remembered(Generic[T]):
    """By document and operation name."""

    def __init__(self, make: Callable[[], T], kept: int = _KEPT) -> None:
        self._make = make
        # The document is held too, so that its identity stays its own.
        self._known: Recent[tuple[int, str | None], tuple[Document, T]] = Recent(kept)

    def __len__(self) -> int:
        return len(self._known)

    def of(self, document: Document, name: str | None) -> T:
        key = (id(document), name)
        known = self._known.get(key)
        if known is None:
            known = (document, self._make())
            self._known.put(key, known)
        return known[1]
