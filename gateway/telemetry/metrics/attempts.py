"""What OpenTelemetry wants to know of HTTP beyond what `/metrics` tells: method, status, address."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from gateway.telemetry.metrics.exposition import Histogram
from upstream.exchanges import Exchange

OTHER = "_OTHER"
_METHODS = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE")
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Attempts:
    """Requests that came and calls that went out, by what the semantic conventions ask for.

    `addresses` are the base addresses of upstreams by name, `scheme` is the one that clients use.
    """

    def __init__(self, addresses: Mapping[str, str] | None = None, scheme: str = "http") -> None:
        self.scheme = scheme
        self.served = Histogram("http.server.request.duration", "", ("method", "status"))
        self.sent = Histogram(
            "http.client.request.duration",
            "",
            ("upstream", "operation", "method", "status", "error"),
        )
        self._places = {name: _place(url) for name, url in (addresses or {}).items()}

    def came(self, method: str, status: int, seconds: float) -> None:
        self.served.observe(seconds, known(method), str(status))

    def went(self, upstream: str, exchange: Exchange, method: str) -> None:
        status = "" if exchange.status is None else str(exchange.status)
        names = (upstream, exchange.operation, known(method), status, exchange.error or "")
        self.sent.observe(exchange.seconds, *names)

    def place(self, upstream: str) -> tuple[str, int] | None:
        """Host and port of its address."""
        return self._places.get(upstream)


def known(method: str) -> str:
    """Bounded, whatever clients send."""
    return method if method in _METHODS else OTHER


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
