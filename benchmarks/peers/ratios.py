"""What the harness's figures say of ours: ratios to every peer, latencies."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MODES = ("live", "cached")
QUERIES = ("Q1", "Q2", "Q3", "Q4")
_NO_PEERS = frozenset({"ours", "floor", "limit"})

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Our capacity a core in one query and mode, and how many times that of each peer it is."""

    query: str
    mode: str
    ours: float
    ratios: Mapping[str, float]

    @property
    def best(self) -> str:
        """The peer that comes nearest, or is ahead most."""
        return min(self.ratios, key=lambda peer: self.ratios[peer])


def comparisons(results: Results) -> list[Comparison]:
    """Live beside peers that keep nothing, cached beside those that do."""
    return [
        Comparison(query, mode, ours, _ratios(results, query, mode, ours))
        for mode in MODES
        for query in QUERIES
        if (ours := capacity(results.get(mode, {}), query)) is not None
    ]


def ratio_lines(found: Iterable[Comparison]) -> list[str]:
    return [_line(one) for one in found]


def latencies(results: Results) -> list[str]:
    """p50 and p99 in milliseconds, by server."""
    return [
        f"{name:14}" + "".join(_latency(query, told) for query, told in one["q"].items())
        for name, one in results.items()
        if "q" in one
    ]


def capacity(server: Mapping[str, Any], query: str) -> float | None:
    """Requests a second of one whole core; None where the query was not measured."""
    measured = server.get("q", {}).get(query, {})
    if not measured.get("cpu"):
        return None
    return float(1000 / measured["cpu"])


def _ratios(results: Results, query: str, mode: str, ours: float) -> dict[str, float]:
    found = {
        name: ours / theirs
        for name in _peers(results, cached=mode == "cached")
        if (theirs := capacity(results[name], query)) is not None
    }
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _peers(results: Results, *, cached: bool) -> Sequence[str]:
    kinds = {name: str(one["kind"]).split() for name, one in results.items() if "q" in one}
    return [
        name
        for name, words in kinds.items()
        if words[0] not in _NO_PEERS and ("cache" in words) is cached
    ]


def _line(one: Comparison) -> str:
    start = f"{one.query} {one.mode:7}{one.ours:8.0f}/s a core"
    if not one.ratios:
        return f"{start}  (no peer to compare with)"
    others = ", ".join(f"{ratio:.2f} {peer}" for peer, ratio in one.ratios.items())
    return f"{start}  {one.ratios[one.best]:.2f} x the best ({one.best}); {others}"


def _latency(query: str, told: Mapping[str, Any]) -> str:
    if "p50" not in told:
        return f"  {query} {str(told.get('ok'))[:30]}"
    return f"  {query} p50 {told['p50']:.1f} p99 {told['p99']:.1f}"
