"""Figures pushed to a collector, held strictly against what OTLP's JSON encoding may be."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.settings.journal import JournalSettings
from gateway.settings.metrics import MetricsSettings, TracingSettings
from gateway.telemetry.instruments import Instruments
from gateway.telemetry.metrics.attempts import Attempts
from gateway.telemetry.metrics.figures import Figures
from gateway.telemetry.metrics.otlp import Place, Push
from gateway.telemetry.metrics.otlp_instruments import gauges, points
from gateway.telemetry.metrics.otlp_points import Gauge
from ports.caller import Call, Caller, CallerKind
from tests.upstream.loopback import gone, good, serving
from upstream.connector import Upstream
from upstream.exchanges import Exchange, Exchanges
from upstream.uses import Use

CALL = Call(Caller("a", CallerKind.USER), "en", 1.0)
HEAD = {"name", "unit", "description"}


def figures_at_work() -> tuple[Figures, Attempts]:
    figures = Figures()
    attempts = figures.attempts = Attempts({"erp": "https://erp.example/api"}, "https")
    work(figures)
    return figures, attempts


def work(figures: Figures) -> None:
    figures.request("POST", 200, 0.02)
    figures.request("BREW", 500, 20)
    figures.operation_seconds.observe(0.2, "Listing")
    figures.operations.add("Listing", "ok")
    figures.exchange("erp", Exchange("orders", 0.2, 200, None, "r"), "POST")
    figures.exchange("erp", Exchange("orders", 5.0, None, "UPSTREAM_TIMEOUT", "r", 2), "")
    figures.use(CALL, Use("erp", "orders.orders", (), cached=2, live=3))


def pushing(
    url: str, temporality: Any = "cumulative", values: Callable[[], list[Gauge]] = list
) -> tuple[Push, Figures]:
    figures, attempts = figures_at_work()
    resource = {"service.name": "shop", "service.instance.id": "i1"}
    place = Place(url, {"authorization": "Bearer x"}, 60, temporality, resource)
    return Push(place, lambda: points(figures, attempts), values), figures


def attributes_of(told: Any) -> dict[str, Any]:
    found = {}
    for one in told:
        assert one.keys() == {"key", "value"}
        ((kind, value),) = one["value"].items()
        assert kind in {"stringValue", "intValue"}
        assert isinstance(value, str)  # 64-bit numbers are text there
        found[one["key"]] = int(value) if kind == "intValue" else value
    assert len(found) == len(told)
    return found


def checked(body: bytes) -> dict[str, list[dict[str, Any]]]:
    """The points by metric, once their form is as it must be."""
    told = json.loads(body)
    assert told.keys() == {"resourceMetrics"}
    (resource,) = told["resourceMetrics"]
    assert attributes_of(resource["resource"]["attributes"])["service.name"] == "shop"
    (scope,) = resource["scopeMetrics"]
    names = [one["name"] for one in scope["metrics"]]
    assert len(names) == len(set(names))
    return {one["name"]: list(_points(one)) for one in scope["metrics"]}


def _points(metric: dict[str, Any]) -> Iterator[dict[str, Any]]:
    (kind,) = metric.keys() - HEAD
    held = metric[kind]
    assert kind in {"sum", "gauge", "histogram"}
    assert held.get("aggregationTemporality") in ({None} if kind == "gauge" else {1, 2})
    assert held.get("isMonotonic") is (True if kind == "sum" else None)
    seen = []
    for point in held["dataPoints"]:
        named = attributes_of(point["attributes"])
        assert named not in seen
        seen.append(named)
        if kind != "gauge":
            assert int(point["startTimeUnixNano"]) <= int(point["timeUnixNano"])
        if kind == "histogram":
            buckets, bounds = point["bucketCounts"], point["explicitBounds"]
            assert len(buckets) == len(bounds) + 1
            assert bounds == sorted(set(bounds))
            assert point["count"] == str(sum(map(int, buckets)))
        yield {**point, "named": named, "temporality": held.get("aggregationTemporality")}


async def test_what_a_collector_gets() -> None:
    async with serving(good(b"{}")) as collector:
        push, _ = pushing(collector.url)
        await asyncio.to_thread(push.flush)
        (received,) = collector.received

    assert received.target == "/v1/metrics"
    assert received.headers["authorization"] == "Bearer x"
    assert received.headers["content-type"] == "application/json"
    told = checked(received.body)
    assert [one["named"] for one in told["http.server.request.duration"]] == [
        {
            "http.request.method": "POST",
            "url.scheme": "https",
            "http.route": "/graphql",
            "http.response.status_code": 200,
        },
        {
            "http.request.method": "_OTHER",
            "url.scheme": "https",
            "http.route": "/graphql",
            "http.response.status_code": 500,
            "error.type": "500",
        },
    ]
    well, late = told["http.client.request.duration"]
    place = {"server.address": "erp.example", "server.port": 443}
    assert place.items() <= well["named"].items()
    assert well["named"]["http.response.status_code"] == 200
    assert late["named"]["error.type"] == "UPSTREAM_TIMEOUT"
    assert "http.response.status_code" not in late["named"]
    (operation,) = told["passerelle.graphql.operation.duration"]
    assert operation["named"] == {"graphql.operation.name": "Listing"}
    results = told["passerelle.cache.answers"]
    assert {one["named"]["passerelle.cache.result"]: one["asInt"] for one in results} == {
        "hit": "2",
        "miss": "3",
    }


@pytest.mark.parametrize(
    ("temporality", "number", "expected"),
    [("cumulative", 2, ["2", "4", "4"]), ("delta", 1, ["2", "2", None])],
)
async def test_both_temporalities(
    temporality: str, number: int, expected: list[str | None]
) -> None:
    async with serving(good(b"{}")) as collector:
        push, figures = pushing(collector.url, temporality)
        await asyncio.to_thread(push.flush)
        work(figures)
        await asyncio.to_thread(push.flush)
        await asyncio.to_thread(push.flush)
        bodies = [checked(one.body) for one in collector.received]

    retries = [told.get("passerelle.cache.answers") for told in bodies]
    hits = [one[0] if one else None for one in retries]
    assert [one and one["asInt"] for one in hits] == expected
    assert hits[0] is not None
    assert hits[1] is not None
    assert hits[0]["temporality"] == number
    starts = [hits[0]["startTimeUnixNano"], hits[1]["startTimeUnixNano"]]
    if temporality == "delta":
        assert starts[1] == hits[0]["timeUnixNano"]
    else:
        assert starts[0] == starts[1]


async def test_what_a_failed_push_missed_the_next_one_tells() -> None:
    async with serving(gone, gone, good(b"{}")) as collector:
        push, figures = pushing(collector.url, "delta")
        with capture_logs() as logs:
            await asyncio.to_thread(push.flush)
            work(figures)
            await asyncio.to_thread(push.flush)
        await asyncio.to_thread(push.flush)
        told = checked(collector.received[-1].body)

    assert (push.failed, push.sent) == (2, 1)
    assert [one["event"] for one in logs] == ["metrics cannot be sent"]
    assert told["passerelle.cache.answers"][0]["asInt"] == "4"


async def test_states_of_this_moment() -> None:
    from connectors.registry import manifests

    upstream = Upstream("erp", manifests()["odoo"], Exchanges())
    circuit = upstream.circuits.of("orders.search")
    circuit.succeeded(circuit.begin())
    upstream.circuits.of("stock.availability")
    async with serving(good(b"{}")) as collector:
        push, _ = pushing(collector.url, values=lambda: gauges([upstream]))
        await asyncio.to_thread(push.flush)
        told = checked(collector.received[0].body)

    (state,) = told["passerelle.circuit.state"]
    assert state["named"]["passerelle.port.operation"] == "orders.search"
    assert state["asDouble"] == 0
    assert told["passerelle.upstream.queue"][0]["asDouble"] == 0


class Sections:
    journal = JournalSettings(enabled=False)
    tracing = TracingSettings(service="shop")

    def __init__(self, **metrics: Any) -> None:
        self.metrics = MetricsSettings(enabled=False, **metrics)


def test_nothing_is_pushed_unless_wished() -> None:
    instruments = Instruments(Sections())
    instruments.pushed([], {}, "http://shop.example")

    assert (instruments.push, instruments.figures) == (None, None)


async def test_instruments_push_at_their_end() -> None:
    async with serving(good(b"{}")) as collector:
        instruments = Instruments(Sections(endpoint=collector.url))
        instruments.pushed([], {}, "http://shop.example")
        instruments.__enter__()
        instruments.answered(200, 0.1)
        await asyncio.to_thread(instruments.__exit__, None, None, None)
        (received,) = collector.received

    resource = json.loads(received.body)["resourceMetrics"][0]["resource"]
    named = attributes_of(resource["attributes"])
    assert named.keys() == {"service.name", "service.version", "service.instance.id"}
    assert len(checked(received.body)["http.server.request.duration"]) == 1
