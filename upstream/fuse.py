"""Leaves something alone for a while after it failed, and tries it again with one question."""

from collections.abc import Callable

_FAILURES = 3
_FIRST_SECONDS = 1.0
_LONGEST_SECONDS = 4.0


class Fuse:
    """Opens at the third failure in a row, for one second, then for up to four."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._seconds = 0.0
        self._next = 0.0

    def lets_through(self) -> bool:
        """Whether to ask. When open, only one question at a time, and not too often."""
        if not self._seconds:
            return True
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True

    def failed(self) -> bool:
        """Whether this opened it."""
        self._failures += 1
        if self._failures < _FAILURES:
            return False
        opened = not self._seconds
        self._seconds = min(self._seconds * 2 or _FIRST_SECONDS, _LONGEST_SECONDS)
        self._next = self._clock() + self._seconds
        return opened

    def succeeded(self) -> bool:
        """Whether this closed it."""
        closed = self._seconds > 0
        self._failures, self._seconds = 0, 0.0
        return closed
