"""What the allocator does with memory that is free: some is kept for reuse, the rest given back."""

import asyncio
import ctypes
from collections.abc import Callable
from contextlib import suppress

# Of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 64 << 20
_PADDING_BYTES = 8 << 20
_EVERY_SECONDS = 30.0


def keep_memory() -> None:
    """Has glibc keep up to 64 MiB that are free, which it else fetches anew page by page.

    An answer of 400 KB otherwise costs up to five times as much. Other libraries do as they do.
    """
    with suppress(OSError, AttributeError, TypeError):
        allocator = ctypes.CDLL(None)
        allocator.mallopt(_MMAP_THRESHOLD, 32 << 20)
        allocator.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def give_back() -> None:
    """Returns free pages to the system, those in the midst of the heap too; nothing without glibc."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(_PADDING_BYTES))


class Tidying:
    """Gives back now and then, beside the loop: what one bad minute needed is not held for ever."""

    def __init__(
        self, give_back: Callable[[], object] = give_back, seconds: float = _EVERY_SECONDS
    ) -> None:
        self._give_back = give_back
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._seconds, self._due)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        asyncio.get_running_loop().run_in_executor(None, self._give_back)
        self.start()
