"""What is said of the harness's figures."""

import importlib
from typing import Any

import pytest


@pytest.fixture
def ratios() -> Any:
    return importlib.import_module("ratios")


@pytest.fixture
def without() -> Any:
    return importlib.import_module("without")


def server(kind: str, **cpu_ms: float) -> dict[str, Any]:
    measured = {name: {"cpu": cpu, "p50": cpu, "p99": 2 * cpu} for name, cpu in cpu_ms.items()}
    return {"kind": kind, "q": measured}


RESULTS = {
    "yoga": server("bff", Q1=0.5, Q2=2.0),
    "mercurius": server("bff", Q1=0.2, Q2=4.0),
    "apollo+cache": server("bff cache", Q1=0.1),
    "floor": server("floor", Q1=0.01, Q2=0.01),
    "hive": {"kind": "gw", "error": "does not run"},
    "live": server("ours", Q1=0.4, Q2=1.0),
    "cached": server("ours", Q1=0.2, Q2=0.5),
}


def test_live_is_compared_with_live_and_cached_with_cached(ratios: Any) -> None:
    found = {(one.query, one.mode): one for one in ratios.comparisons(RESULTS)}

    assert set(found) == {("Q1", "live"), ("Q2", "live"), ("Q1", "cached"), ("Q2", "cached")}
    q1 = found["Q1", "live"]
    assert q1.ours == pytest.approx(2500)
    assert q1.best == "mercurius"
    assert q1.ratios == pytest.approx({"mercurius": 0.5, "yoga": 1.25})
    assert found["Q2", "live"].best == "yoga"
    assert found["Q1", "cached"].ratios == pytest.approx({"apollo+cache": 0.5})
    assert found["Q2", "cached"].ratios == {}


def test_each_query_and_mode_is_one_line(ratios: Any) -> None:
    lines = ratios.ratio_lines(ratios.comparisons(RESULTS))

    assert len(lines) == 4
    assert "0.50 x the best (mercurius); 0.50 mercurius, 1.25 yoga" in lines[0]
    assert "no peer to compare with" in lines[3]


def test_latencies_are_told_by_server(ratios: Any) -> None:
    assert "live            Q1 p50 0.4 p99 0.8  Q2 p50 1.0 p99 2.0" in ratios.latencies(RESULTS)


def test_what_can_be_taken_out_is_there(without: Any) -> None:
    for changes in without.FEATURES.values():
        for path, name, _stand_in in changes:
            module, _, owner = path.partition(":")
            assert hasattr(getattr(importlib.import_module(module), owner), name)


def test_what_is_gone_cannot_be_taken_out(without: Any) -> None:
    with pytest.raises(without.GoneError):
        without.take_out("upstream.exchanges:Exchanges", "gone", lambda: None)
