"""Traces: read as W3C has it, and sent to a collector as OpenTelemetry has it."""

import asyncio
import json
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from gateway.http.incoming import request_id_of
from gateway.telemetry.tracing.context import trace_id_of, trace_of
from gateway.telemetry.tracing.otlp import QUEUE, Exporter
from gateway.telemetry.tracing.spans import Span, operation_span
from ports.caller import Call, Caller, CallerKind, Trace
from tests.upstream.loopback import gone, good, serving

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def scope(**headers: str) -> dict[str, Any]:
    sent = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    return {"type": "http", "headers": sent}


@pytest.mark.parametrize(
    ("sent", "is_sampled"),
    [
        (f"00-{TRACE}-{PARENT}-01", True),
        (f"00-{TRACE}-{PARENT}-00", False),
        (f"00-{TRACE}-{PARENT}-03", True),
        (f"cc-{TRACE}-{PARENT}-01-what-comes-later", True),
        (f" 00-{TRACE}-{PARENT}-01 ", True),
    ],
)
def test_a_request_in_a_trace(sent: str, *, is_sampled: bool) -> None:
    told = scope(traceparent=sent, tracestate="vendor=1")
    trace = trace_of(told, request_id_of(told), 0.0)

    assert (trace.id, trace.parent, trace.is_sampled) == (TRACE, PARENT, is_sampled)
    assert trace.state == "vendor=1"
    assert trace.span not in {PARENT, "0" * 16}
    assert request_id_of(told) == TRACE


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "nonsense",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}",
    ],
)
def test_what_is_no_trace_begins_one(sent: str) -> None:
    told = scope(traceparent=sent, tracestate="vendor=1")
    request_id = request_id_of(told)
    trace = trace_of(told, request_id, 0.0)

    assert trace.id == request_id != TRACE
    assert len(request_id) == 32
    assert (trace.parent, trace.state, trace.is_sampled) == (None, None, False)


def test_a_clients_own_id_stands_beside_its_trace() -> None:
    told = scope(x_request_id="mine-1", traceparent=f"00-{TRACE}-{PARENT}-01")

    assert request_id_of(told) == "mine-1"
    assert trace_of(told, "mine-1", 0.0).id == TRACE


def test_an_id_that_is_no_traces_makes_one() -> None:
    assert trace_id_of(TRACE) == TRACE
    assert trace_id_of("mine") == trace_id_of("mine") != trace_id_of("other")
    assert len(trace_id_of("mine")) == 32
    assert trace_id_of("0" * 32) != "0" * 32


def test_the_share_is_decided_by_the_trace() -> None:
    ids = [trace_id_of(str(number)) for number in range(1_000)]
    sampled = [trace_of(scope(), one, 0.2).is_sampled for one in ids]

    assert sampled == [trace_of(scope(), one, 0.2).is_sampled for one in ids]
    assert 100 < sum(sampled) < 300
    assert all(trace_of(scope(), one, 1.0).is_sampled for one in ids)


def span(**told: Any) -> Span:
    return Span(TRACE, PARENT, None, "query", 2, 1.0, 1.5, **told)


def test_an_operations_span() -> None:
    call = Call(Caller("a", CallerKind.USER), "en", 1.0, "r1", "Basket")
    assert operation_span(call, "query", 0.1, 0) is None
    for is_sampled in (False, True):
        trace = Trace(TRACE, "1" * 16, PARENT, is_sampled)
        made = operation_span(msgspec.structs.replace(call, trace=trace), "query", 0.1, 2)
        assert (made is not None) is is_sampled

    assert made is not None
    assert (made.parent, made.error) == (PARENT, "graphql")
    assert made.attributes["graphql.operation.name"] == "Basket"
    assert made.attributes["graphql.operation.type"] == "query"


async def test_spans_are_sent_to_a_collector() -> None:
    async with serving(good(b"{}")) as collector:
        with Exporter(collector.url, {"authorization": "Bearer x"}, "shop") as exporter:
            exporter.put(span(error="UPSTREAM_TIMEOUT", attributes={"a": "b", "n": 1, "t": True}))
            await asyncio.to_thread(exporter.flush)
        (received,) = collector.received

    assert received.target == "/v1/traces"
    assert received.headers["authorization"] == "Bearer x"
    (resource,) = json.loads(received.body)["resourceSpans"]
    assert resource["resource"]["attributes"][0]["value"] == {"stringValue": "shop"}
    (told,) = resource["scopeSpans"][0]["spans"]
    assert (told["traceId"], told["spanId"], told["kind"]) == (TRACE, PARENT, 2)
    assert (told["startTimeUnixNano"], told["endTimeUnixNano"]) == ("1000000000", "1500000000")
    assert told["status"] == {"code": 2, "message": "UPSTREAM_TIMEOUT"}
    assert {"key": "n", "value": {"intValue": "1"}} in told["attributes"]
    assert exporter.sent == 1


async def test_a_collector_that_is_gone_costs_spans_alone() -> None:
    async with serving(gone) as collector:
        exporter = Exporter(collector.url)
        with capture_logs() as logs:
            for _ in range(2):
                exporter.put(span())
                await asyncio.to_thread(exporter.flush)

    assert (exporter.sent, exporter.dropped) == (0, 2)
    assert [one["event"] for one in logs] == ["traces cannot be sent"]


async def test_a_redirection_is_not_followed() -> None:
    async with serving(good(b""), stolen=[good(b"")]) as other:
        moved = good(b"", "302 Found", location=f"{other.url}/stolen")
        async with serving(moved) as collector:
            exporter = Exporter(collector.url, {"authorization": "Bearer x"})
            exporter.put(span())
            with capture_logs():
                await asyncio.to_thread(exporter.flush)

    assert other.received == []
    assert exporter.dropped == 1


def test_the_queue_is_bounded() -> None:
    exporter = Exporter("http://127.0.0.1:9")
    for _ in range(QUEUE + 3):
        exporter.put(span())

    assert exporter.dropped == 3
