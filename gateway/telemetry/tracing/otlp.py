"""Sends spans to a collector: OTLP over HTTP in its JSON encoding, by a thread of its own.

A collector that is slow or gone costs spans, which are counted, and nothing else.
"""

import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Self

import msgspec
import structlog

from gateway.telemetry.tracing.spans import Span, Value

QUEUE = 4_096
BATCH = 512
FLUSH_SECONDS = 1.0
SECONDS = 5.0
_ERROR = 2
_NANOSECONDS = 1_000_000_000

log = structlog.get_logger(__name__)


class Exporter:
    """As a context it sends; at its end, what is left once more. `endpoint` is the base address.

    `headers` go with each request (an authorization at the collector's).
    """

    def __init__(
        self, endpoint: str, headers: Mapping[str, str] | None = None, name: str = "passerelle"
    ) -> None:
        self._address = f"{endpoint.rstrip('/')}/v1/traces"
        self._headers = {"content-type": "application/json", **(headers or {})}
        self._name = name
        self._queue: deque[Span] = deque()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_well = True
        self.sent = 0
        self.dropped = 0

    def put(self, span: Span) -> None:
        if len(self._queue) >= QUEUE:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(span)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(SECONDS)

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_SECONDS):
            self.flush()
        self.flush()

    def flush(self) -> None:
        while self._queue:
            spans = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
            if not self._send(spans):
                self.dropped += len(spans)
                return
            self.sent += len(spans)

    def _send(self, spans: Sequence[Span]) -> bool:
        request = urllib.request.Request(  # noqa: S310 - http(s), as configuration checks
            self._address, msgspec.json.encode(encoded(spans, self._name)), self._headers
        )
        try:
            with OPENER.open(request, timeout=SECONDS) as answer:
                answer.read(65_536)
        except (OSError, urllib.error.URLError, ValueError) as problem:
            if self._is_well:
                log.warning("traces cannot be sent", reason=type(problem).__name__)
            self._is_well = False
            return False
        self._is_well = True
        return True


# Neither a proxy of the environment nor a redirection gets the authorization.
class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)


def encoded(spans: Sequence[Span], name: str) -> dict[str, Any]:
    """An ExportTraceServiceRequest."""
    resource = {"attributes": attributes({"service.name": name})}
    scope = {"name": "passerelle"}
    told = {"scope": scope, "spans": [_span(one) for one in spans]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [told]}]}


def _span(span: Span) -> dict[str, Any]:
    told: dict[str, Any] = {
        "traceId": span.trace,
        "spanId": span.span,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(int(span.began * _NANOSECONDS)),
        "endTimeUnixNano": str(int(span.ended * _NANOSECONDS)),
        "attributes": attributes(span.attributes),
    }
    if span.parent is not None:
        told["parentSpanId"] = span.parent
    if span.error is not None:
        told["status"] = {"code": _ERROR, "message": span.error}
    return told


def attributes(told: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in told.items()]


def _value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"stringValue": value}
