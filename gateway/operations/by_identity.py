"""What was made of an object that never changes, found by which object it is.

The library's documents hash by all that is in them, so that a look-up by value walks the whole
document each time.
"""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
T = TypeVar("T")

_KEPT = 1_024


class ByIdentity(Generic[K, T]):
    """A function whose results are kept, the latest `kept` of them with what they were made of."""

    def __init__(self, make: Callable[[K], T], kept: int = _KEPT) -> None:
        self._make = make
        self._kept = kept
        # Each object is held, so that no other one can get its identity meanwhile.
        self._known: OrderedDict[int, tuple[K, T]] = OrderedDict()

    def __call__(self, one: K) -> T:
        known = self._known.get(id(one))
        if known is not None:
            return known[1]
        made = self._make(one)
        self._known[id(one)] = one, made
        if len(self._known) > self._kept:
            self._known.popitem(last=False)
        return made
