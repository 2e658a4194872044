"""Leaves something alone for a while after it failed, and tries it again with one question."""

from collections.abc import Callable

_FAILURES = 3
_SECONDS = 1.0


class Fuse:
    """Opens at the third failure in a row; then lets one question a second through."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._next: float | None = None

    @property
    def is_open(self) -> bool:
        return self._next is not None

    def lets_through(self) -> bool:
        if self._next is None:
            return True
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + _SECONDS
        return True

    def failed(self) -> bool:
        """Whether this opened it."""
        self._failures += 1
        opens = self._next is None and self._failures >= _FAILURES
        if opens:
            self._next = self._clock() + _SECONDS
        return opens

    def succeeded(self) -> bool:
        """Whether this closed it."""
        closes = self._next is not None
        self._failures, self._next = 0, None
        return closes
