"""How many calls a vendor lets through in a while."""

import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Rate:
    calls: int
    seconds: float


class Bucket:
    """A token bucket: full at first, refilled evenly, never above its rate's number of calls."""

    __slots__ = ("_clock", "_filled_at", "_tokens", "rate")

    def __init__(self, rate: Rate, clock: Clock = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._tokens = float(rate.calls)
        self._filled_at = clock()

    @property
    def remaining(self) -> int:
        return int(self._tokens)

    def take(self) -> bool:
        """Take one call; False: there is none left."""
        now = self._clock()
        refill = (now - self._filled_at) * self.rate.calls / self.rate.seconds
        self._tokens = min(float(self.rate.calls), self._tokens + refill)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
