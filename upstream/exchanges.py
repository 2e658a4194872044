"""What happened on the wire lately, per upstream: the source of `Query.systems`."""

import time
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import copysign, inf
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.messages import Request, Response

if TYPE_CHECKING:
    from upstream.limits import Bulkhead

WINDOW_SECONDS = 300.0
# Enough for 5 minutes at 60 calls a second; beyond it the oldest are forgotten first.
_KEPT = 18_000


class Exchange(msgspec.Struct, frozen=True, gc=False):
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
        self._recent = _Recent(_KEPT)
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
        self._recent.add(self._clock(), exchange.seconds, failed)
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
        told = list(self._recent.since(self._clock() - WINDOW_SECONDS))
        times = sorted(abs(seconds) * 1000 for seconds in told)
        failed = sum(1 for seconds in told if copysign(1.0, seconds) < 0)
        return Summary(
            len(times),
            failed,
            _quantile(times, 0.5),
            _quantile(times, 0.95),
            _quantile(times, 0.99),
        )


class _Recent:
    """The latest tries in memory that is taken once: what fills over minutes looks like a leak."""

    __slots__ = ("_at", "_next", "_seconds", "_size")

    def __init__(self, size: int) -> None:
        self._at = array("d", [-inf]) * size
        # Those of tries that failed are negative.
        self._seconds = array("d", [0.0]) * size
        self._next = 0
        self._size = size

    def add(self, at: float, seconds: float, failed: bool) -> None:  # noqa: FBT001 - noted as it is
        place = self._next
        self._at[place] = at
        self._seconds[place] = -seconds if failed else seconds
        self._next = place + 1 if place + 1 < self._size else 0

    def since(self, oldest: float) -> Iterator[float]:
        return (took for at, took in zip(self._at, self._seconds, strict=True) if at >= oldest)


def _quantile(ordered: list[float], share: float) -> float | None:
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)
