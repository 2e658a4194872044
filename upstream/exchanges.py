"""What happened on the wire lately, per upstream: the source of `Query.systems`."""

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.messages import Request, Response

if TYPE_CHECKING:
    from upstream.limits import Bulkhead

WINDOW_SECONDS = 300.0
# Enough for 5 minutes at 60 calls a second; beyond it the oldest are forgotten first.
_KEPT = 18_000


class Exchange(NamedTuple):
    """One try of one call. `error` is a code of `ports.errors` or None.

    `tried` counts from 1; `span` is the try's own in a distributed trace.
    """

    operation: str
    seconds: float
    status: int | None
    error: str | None
    request_id: str
    tried: int = 1
    span: str | None = None


class Sink(Protocol):
    """Told of every try as it ends; must be quick and never raise."""

    def passed(
        self,
        exchange: Exchange,
        call: Call,
        request: Request | None,
        response: Response | None,
        failure: UpstreamError | None,
        /,
    ) -> None:
        """`request` is None for what the client asks for itself: credentials."""
        ...

    def misread(self, failure: UpstreamError, /) -> None:
        """The latest answer to an operation came well, and turned out not to be readable."""
        ...


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
    """The last five minutes of one upstream. `clock` gives monotonic seconds.

    `sink` is told of each try besides; `propagates`: systems are told the trace they serve.
    `bulkheads` are those of the upstream's clients.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        sink: Sink | None = None,
        propagates: bool = False,
    ) -> None:
        self._clock = clock
        self.sink = sink
        self.propagates = propagates
        self.bulkheads: list[Bulkhead] = []
        self._recent: deque[tuple[float, float, bool]] = deque(maxlen=_KEPT)
        self.started_at = datetime.now(UTC)
        self.changed_at = self.started_at
        self.last_failure: Failure | None = None
        self.failing = False
        self._last_success: float | None = None

    @property
    def last_success_at(self) -> datetime | None:
        if self._last_success is None:
            return None
        return datetime.fromtimestamp(self._last_success, UTC)

    def record(self, exchange: Exchange, message: str = "") -> None:
        """Notes one try; `message` is the public text of its error."""
        failed = exchange.error is not None
        self._recent.append((self._clock(), exchange.seconds, failed))
        now = time.time()
        if exchange.error is None:
            self._last_success = now
        else:
            at = datetime.fromtimestamp(now, UTC)
            self.last_failure = Failure(at, exchange.error, message, exchange.request_id)
        if self.failing is not failed:
            self.failing = failed
            self.changed_at = datetime.fromtimestamp(now, UTC)

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
