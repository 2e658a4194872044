"""How long calls to one upstream took lately, by port operation."""

from collections import deque
from typing import NamedTuple

WINDOW_SECONDS = 900.0
_KEPT = 256


class Pace(NamedTuple):
    """95 % of the latest `calls` took no longer than `seconds`."""

    seconds: float
    calls: int


class Paces:
    """The latest calls of each operation, tries and waits included."""

    def __init__(self) -> None:
        self._latest: dict[str, deque[tuple[float, float]]] = {}

    def note(self, operation: str, at: float, seconds: float) -> None:
        """`at` is in seconds of `time.monotonic()`."""
        latest = self._latest.get(operation)
        if latest is None:
            latest = self._latest[operation] = deque(maxlen=_KEPT)
        latest.append((at, seconds))

    def of(self, operation: str, until: float) -> Pace | None:
        """What was known then; None where nothing was called within the window before."""
        since, latest = until - WINDOW_SECONDS, self._latest.get(operation, ())
        return pace([seconds for at, seconds in latest if since <= at <= until])


def pace(seconds: list[float]) -> Pace | None:
    """None of nothing."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return Pace(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], len(ordered))
