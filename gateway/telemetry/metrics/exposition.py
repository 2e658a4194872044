"""Counters, gauges and histograms, and their text exposition (version 0.0.4)."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
# Seconds; from an answer out of memory to a system that hangs.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels = tuple[str, ...]
Sample = tuple[Labels, float]


@dataclass(slots=True)
class Counter:
    """Grows only. `labels` are the names of what `counts` is kept by."""

    name: str
    told: str
    labels: Labels = ()
    counts: dict[Labels, float] = field(default_factory=dict)

    def add(self, *values: str, by: float = 1) -> None:
        self.counts[values] = self.counts.get(values, 0) + by

    def lines(self) -> Iterator[str]:
        return family(self.name, "counter", self.told, self.labels, self.counts.items())


@dataclass(slots=True)
class Histogram:
    """How long things took, in seconds."""

    name: str
    told: str
    labels: Labels = ()
    bounds: Sequence[float] = BUCKETS
    counts: dict[Labels, list[float]] = field(default_factory=dict)

    def observe(self, seconds: float, *values: str) -> None:
        found = self.counts.get(values)
        if found is None:
            found = self.counts[values] = [0.0] * (len(self.bounds) + 2)
        found[bisect_left(self.bounds, seconds)] += 1
        found[-1] += seconds

    def lines(self) -> Iterator[str]:
        yield from _head(self.name, "histogram", self.told)
        for values, counts in list(self.counts.items()):
            pairs = list(zip(self.labels, values, strict=True))
            total = 0.0
            for bound, count in zip((*self.bounds, inf), counts, strict=False):
                total += count
                yield _line(f"{self.name}_bucket", [*pairs, ("le", _number(bound))], total)
            yield _line(f"{self.name}_sum", pairs, counts[-1])
            yield _line(f"{self.name}_count", pairs, total)


def family(
    name: str,
    kind: Literal["counter", "gauge"],
    told: str,
    labels: Labels,
    samples: Iterable[Sample],
) -> Iterator[str]:
    yield from _head(name, kind, told)
    for values, value in list(samples):
        yield _line(name, list(zip(labels, values, strict=True)), value)


def gauge(name: str, told: str, samples: Mapping[Labels, float], *labels: str) -> Iterator[str]:
    return family(name, "gauge", told, labels, samples.items())


def _head(name: str, kind: str, told: str) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"


def _line(name: str, pairs: Sequence[tuple[str, str]], value: float) -> str:
    if not pairs:
        return f"{name} {_number(value)}"
    inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in pairs)
    return f"{name}{{{inner}}} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if value == inf:
        return "+Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
