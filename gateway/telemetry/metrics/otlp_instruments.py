"""The figures under OpenTelemetry's names, with the attributes of its semantic conventions."""

from collections.abc import Iterable, Iterator, Mapping

from gateway.telemetry.metrics.attempts import Attempts
from gateway.telemetry.metrics.exposition import Labels
from gateway.telemetry.metrics.figures import UNNAMED, Figures
from gateway.telemetry.metrics.otlp_points import Described, Gauge, Points
from gateway.telemetry.metrics.state import STATES
from gateway.telemetry.tracing.spans import Value
from upstream.connector import Upstream

_FAILED = 500


def points(figures: Figures, attempts: Attempts) -> Iterator[Points]:
    """Names of the conventions where there are any; ours begin with `passerelle.`."""

    def sent(labels: Labels) -> Mapping[str, Value]:
        return _sent(labels, attempts)

    def served(labels: Labels) -> Mapping[str, Value]:
        return _served(labels, attempts.scheme)

    yield Points(attempts.served.name, "s", "Until the answer began.", attempts.served, served)
    yield Points(attempts.sent.name, "s", "Tries of calls to systems.", attempts.sent, sent)
    yield Points(
        "passerelle.graphql.operation.duration",
        "s",
        "Until an operation was answered, without kept answers.",
        figures.operation_seconds,
        _operation,
    )
    for name, counter, unit in (
        ("passerelle.graphql.operations", figures.operations, "{operation}"),
        ("passerelle.graphql.errors", figures.errors, "{error}"),
        ("passerelle.upstream.retries", figures.retries, "{retry}"),
        ("passerelle.upstream.misread", figures.misread, "{answer}"),
        ("passerelle.cache.answers", figures.answers, "{key}"),
    ):
        yield Points(name, unit, counter.told, counter, _named(counter.labels))


def gauges(upstreams: Iterable[Upstream]) -> list[Gauge]:
    circuits, inside, waiting = [], [], []
    for one in upstreams:
        told: dict[str, Value] = {"passerelle.upstream": one.name}
        for operation, state in one.circuits.states().items():
            circuits.append(({**told, "passerelle.port.operation": operation}, STATES[state]))
        bulkheads = one.exchanges.bulkheads
        inside.append((told, float(sum(each.inside for each in bulkheads))))
        waiting.append((told, float(sum(each.waiting for each in bulkheads))))
    found = [
        Gauge("passerelle.circuit.state", "1", "0 closed, 1 half-open, 2 open.", circuits),
        Gauge("passerelle.upstream.in_flight", "{call}", "Calls under way.", inside),
        Gauge("passerelle.upstream.queue", "{call}", "Calls that wait for a place.", waiting),
    ]
    return [one for one in found if one.values]


def _served(labels: Labels, scheme: str) -> Mapping[str, Value]:
    method, status = labels
    told: dict[str, Value] = {
        "http.request.method": method,
        "url.scheme": scheme,
        "http.route": "/graphql",
        "http.response.status_code": int(status),
    }
    if int(status) >= _FAILED:
        told["error.type"] = status
    return told


def _sent(labels: Labels, attempts: Attempts) -> Mapping[str, Value]:
    upstream, operation, method, status, error = labels
    told: dict[str, Value] = {"http.request.method": method, "passerelle.upstream": upstream}
    told["passerelle.upstream.operation"] = operation
    if (place := attempts.place(upstream)) is not None:
        told["server.address"], told["server.port"] = place
    if status:
        told["http.response.status_code"] = int(status)
    if error:
        told["error.type"] = error
    return told


def _operation(labels: Labels) -> Mapping[str, Value]:
    return {} if labels[0] == UNNAMED else {"graphql.operation.name": labels[0]}


_NAMES = {
    "upstream": "passerelle.upstream",
    "operation": "passerelle.operation",
    "outcome": "passerelle.outcome",
    "code": "error.type",
    "result": "passerelle.cache.result",
}


def _named(labels: Labels) -> Described:
    names = [_NAMES[one] for one in labels]
    return lambda values: dict(zip(names, values, strict=True))
