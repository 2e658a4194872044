"""Figures as the points of OTLP's metrics, in its JSON encoding."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.telemetry.metrics.exposition import Counter, Histogram, Labels
from gateway.telemetry.tracing.otlp import attributes
from gateway.telemetry.tracing.spans import Value

_DELTA, _CUMULATIVE = 1, 2

Attributes = dict[str, Any]
Metric = dict[str, Any]
Described = Callable[[Labels], Mapping[str, Value]]
Previous = Mapping[tuple[str, Labels], Sequence[float]]
"""What was told last, by the metric's name and the labels."""
Span = tuple[int, int]
"""From when to when, in Unix nanoseconds."""


@dataclass(frozen=True, slots=True)
class Points:
    """One counter or histogram under its name there; `told` makes attributes of its labels."""

    name: str
    unit: str
    description: str
    of: Counter | Histogram
    told: Described


@dataclass(frozen=True, slots=True)
class Gauge:
    """Values of this moment with their attributes."""

    name: str
    unit: str
    description: str
    values: Sequence[tuple[Mapping[str, Value], float]]


def metrics_of(
    points: Iterable[Points], before: Previous, span: Span, *, is_delta: bool
) -> tuple[list[Metric], Previous]:
    """The metrics, less `before`; and what they were without that. Empty ones are left out."""
    metrics, seen = list[Metric](), dict[tuple[str, Labels], Sequence[float]]()
    temporality = _DELTA if is_delta else _CUMULATIVE
    for one in points:
        found = []
        for labels, counts in _counts(one.of):
            seen[one.name, labels] = counts
            new = _less(counts, before.get((one.name, labels)))
            if any(new):
                found.append(_point(one, labels, new, span))
        if not found:
            continue
        told: Metric = {"aggregationTemporality": temporality, "dataPoints": found}
        if isinstance(one.of, Counter):
            told["isMonotonic"] = True
        kind = "sum" if isinstance(one.of, Counter) else "histogram"
        metrics.append({**_head(one), kind: told})
    return metrics, seen


def gauge_metric(gauge: Gauge, now: int) -> Metric:
    found = [
        {"attributes": attributes(told), "timeUnixNano": str(now), "asDouble": value}
        for told, value in gauge.values
    ]
    return {**_head(gauge), "gauge": {"dataPoints": found}}


def encoded(metrics: Sequence[Metric], resource: Sequence[Attributes]) -> dict[str, Any]:
    """An ExportMetricsServiceRequest."""
    told = {"scope": {"name": "passerelle"}, "metrics": list(metrics)}
    return {
        "resourceMetrics": [{"resource": {"attributes": list(resource)}, "scopeMetrics": [told]}]
    }


def _head(one: Points | Gauge) -> Metric:
    return {"name": one.name, "unit": one.unit, "description": one.description}


def _counts(of: Counter | Histogram) -> list[tuple[Labels, Sequence[float]]]:
    """Copies: the figures go on while these are told."""
    if isinstance(of, Counter):
        return [(labels, (count,)) for labels, count in list(of.counts.items())]
    return [(labels, tuple(counts)) for labels, counts in list(of.counts.items())]


def _less(counts: Sequence[float], before: Sequence[float] | None) -> Sequence[float]:
    if before is None:
        return counts
    return [count - was for count, was in zip(counts, before, strict=True)]


def _point(one: Points, labels: Labels, counts: Sequence[float], span: Span) -> dict[str, Any]:
    point = {
        "attributes": attributes(one.told(labels)),
        "startTimeUnixNano": str(span[0]),
        "timeUnixNano": str(span[1]),
    }
    if isinstance(one.of, Counter):
        return {**point, "asInt": str(int(counts[0]))}
    buckets = [int(count) for count in counts[:-1]]
    return {
        **point,
        "count": str(sum(buckets)),
        "sum": counts[-1],
        "bucketCounts": [str(count) for count in buckets],
        "explicitBounds": list(one.of.bounds),
    }
