"""Pushes the figures to a collector: OTLP over HTTP in its JSON encoding, by a thread of its own.

Nothing waits in a queue: each push tells what the figures are by then. A collector that is slow or
gone costs pushes, which are counted, and nothing else: the next one tells what they missed.
"""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import msgspec
import structlog

from gateway.telemetry.metrics.otlp_points import (
    Attributes,
    Gauge,
    Points,
    Previous,
    encoded,
    gauge_metric,
    metrics_of,
)
from gateway.telemetry.tracing.otlp import OPENER, attributes

SECONDS = 5.0
Temporality = Literal["cumulative", "delta"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where figures are sent, how often, and as whose."""

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict)
    every_seconds: float = 60.0
    temporality: Temporality = "cumulative"
    resource: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{self.endpoint.rstrip('/')}/v1/metrics"


class Push:
    """As a context it sends every so often; at its end once more."""

    def __init__(
        self,
        place: Place,
        points: Callable[[], Iterable[Points]],
        gauges: Callable[[], list[Gauge]],
    ) -> None:
        self._place = place
        self._points = points
        self._gauges = gauges
        self._began = time.time_ns()
        # Of delta temporality: what was told last, and when.
        self._before: Previous = {}
        self._since = self._began
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_well = True
        self.sent = 0
        self.failed = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="otlp metrics", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(self._place.every_seconds):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Sends what the figures are now. Raises nothing."""
        try:
            now, is_delta = time.time_ns(), self._place.temporality == "delta"
            before = self._before if is_delta else {}
            since = self._since if is_delta else self._began
            metrics, seen = metrics_of(self._points(), before, (since, now), is_delta=is_delta)
            metrics += [gauge_metric(one, now) for one in self._gauges()]
            self._send(encoded(metrics, self._resource()))
        except (OSError, urllib.error.URLError, ValueError, RuntimeError) as problem:
            self.failed += 1
            if self._is_well:
                log.warning("metrics cannot be sent", reason=type(problem).__name__)
            self._is_well = False
            return
        self._before, self._since = seen, now
        self.sent += 1
        self._is_well = True

    def _resource(self) -> list[Attributes]:
        return attributes(self._place.resource)

    def _send(self, told: Mapping[str, Any]) -> None:
        headers = {"content-type": "application/json", **self._place.headers}
        request = urllib.request.Request(  # noqa: S310 - http(s), as configuration checks
            self._place.address, msgspec.json.encode(told), headers
        )
        with OPENER.open(request, timeout=SECONDS) as answer:
            answer.read(65_536)
