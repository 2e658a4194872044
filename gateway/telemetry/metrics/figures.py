"""What is counted while the gateway works. All of it is bounded, whatever clients send."""

from collections.abc import Iterator

from gateway.telemetry.metrics.attempts import Attempts
from gateway.telemetry.metrics.exposition import Counter, Histogram
from ports.caller import Call
from upstream.exchanges import Exchange
from upstream.uses import Use

OTHER = "other"
UNNAMED = "unnamed"
_LONGEST_NAME = 100


class Names:
    """The first so many names of operations; all others are one.

    Strangers, who may invent names, take up half of the places at most.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, None] = {}

    def of(self, name: str | None, *, stranger: bool) -> str:
        if name is None:
            return UNNAMED
        if name in self._known:
            return name
        most = self._most // 2 if stranger else self._most
        if len(self._known) >= most or len(name) > _LONGEST_NAME:
            return OTHER
        self._known[name] = None
        return name


class Figures:
    """`operations`: how many names of GraphQL operations are told apart."""

    def __init__(self, operations: int = 100) -> None:
        self.names = Names(operations)
        self.requests = Counter(
            "passerelle_http_requests_total", "Requests to the GraphQL endpoint.", ("status",)
        )
        self.request_seconds = Histogram(
            "passerelle_http_request_duration_seconds", "Until the answer began."
        )
        self.operations = Counter(
            "passerelle_graphql_operations_total",
            "Operations; outcome ok, partial (with errors), refused, or kept (a reused answer).",
            ("operation", "outcome"),
        )
        self.operation_seconds = Histogram(
            "passerelle_graphql_operation_duration_seconds",
            "Until an operation was answered, without kept answers.",
            ("operation",),
        )
        self.errors = Counter(
            "passerelle_graphql_errors_total", "Errors in answers, by code.", ("code",)
        )
        # Beside the others, where they are pushed.
        self.attempts: Attempts | None = None
        self._count_calls()

    def request(self, method: str, status: int, seconds: float) -> None:
        self.requests.add(str(status))
        self.request_seconds.observe(seconds)
        if self.attempts is not None:
            self.attempts.came(method, status, seconds)

    def _count_calls(self) -> None:
        self.calls = Counter(
            "passerelle_upstream_calls_total",
            "Tries of calls to systems; class is ok or the code of the failure.",
            ("upstream", "operation", "class"),
        )
        self.call_seconds = Histogram(
            "passerelle_upstream_call_duration_seconds",
            "Tries of calls to systems.",
            ("upstream", "operation"),
        )
        self.misread = Counter(
            "passerelle_upstream_misread_total",
            "Answers that came well and could not be read.",
            ("upstream", "operation"),
        )
        self.retries = Counter(
            "passerelle_upstream_retries_total", "Tries after the first.", ("upstream", "operation")
        )
        self.answers = Counter(
            "passerelle_cache_answers_total",
            "Keys answered: hit, miss, stale (an old answer stood in), fallback, failed.",
            ("upstream", "operation", "result"),
        )

    def exchange(self, upstream: str, exchange: Exchange, method: str = "") -> None:
        if self.attempts is not None:
            self.attempts.went(upstream, exchange, method)
        self.calls.add(upstream, exchange.operation, exchange.error or "ok")
        self.call_seconds.observe(exchange.seconds, upstream, exchange.operation)
        if exchange.tried > 1:
            self.retries.add(upstream, exchange.operation)

    def use(self, _: Call, use: Use) -> None:
        """An `Observe` of the cache."""
        add, upstream, operation = self.answers.add, use.upstream, use.operation
        if use.cached:
            add(upstream, operation, "hit", by=use.cached)
        if use.live:
            add(upstream, operation, "miss", by=use.live)
        if use.stale:
            add(upstream, operation, "stale", by=use.stale)
        if use.failed:
            add(upstream, operation, "failed", by=use.failed)
        if use.fallback:
            add(upstream, operation, "fallback", by=use.fallback)

    def lines(self) -> Iterator[str]:
        for one in (
            self.requests,
            self.request_seconds,
            self.operations,
            self.operation_seconds,
            self.errors,
            self.calls,
            self.call_seconds,
            self.misread,
            self.retries,
            self.answers,
        ):
            yield from one.lines()
