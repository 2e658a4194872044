"""What happened on the wire lately, per upstream: the source of `Query.systems`."""

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

WINDOW_SECONDS = 300.0
# Enough for 5 minutes at 60 calls a second; beyond it the oldest are forgotten first.
_KEPT = 18_000


class Exchange(NamedTuple):
    """One try of one call. `error` is a code of `ports.errors` or None."""

    operation: str
    seconds: float
    status: int | None
    error: str | None
    request_id: str


class Failure(NamedTuple):
    at: datetime
    code: str
    message: str
    request_id: str


class Summary(NamedTuple):
    """Latencies in milliseconds over the last five minutes; None where nothing was called."""

    calls: int
    failed: int
    p50: float | None
    p95: float | None
    p99: float | None


class Exchanges:
    """The last five minutes of one upstream. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: deque[tuple[float, float, bool]] = deque(maxlen=_KEPT)
        self.started_at = datetime.now(UTC)
        self.changed_at = self.started_at
        self.last_success_at: datetime | None = None
        self.last_failure: Failure | None = None
        self.failing = False

    def record(self, exchange: Exchange, message: str = "") -> None:
        """Notes one try; `message` is the public text of its error."""
        now = datetime.now(UTC)
        self._recent.append((self._clock(), exchange.seconds, exchange.error is not None))
        if exchange.error is None:
            self.last_success_at = now
        else:
            self.last_failure = Failure(now, exchange.error, message, exchange.request_id)
        if self.failing is not (exchange.error is not None):
            self.failing = exchange.error is not None
            self.changed_at = now

    def summary(self) -> Summary:
        oldest = self._clock() - WINDOW_SECONDS
        while self._recent and self._recent[0][0] < oldest:
            self._recent.popleft()
        times = sorted(seconds * 1000 for _, seconds, _ in self._recent)
        failed = sum(1 for _, _, bad in self._recent if bad)
        return Summary(
            len(times),
            failed,
            _quantile(times, 0.5),
            _quantile(times, 0.95),
            _quantile(times, 0.99),
        )


def _quantile(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
