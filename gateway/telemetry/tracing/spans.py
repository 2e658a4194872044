"""Spans of sampled traces, in the words of OpenTelemetry's semantic conventions.

One span for an operation, one for each try of a call to a system; none for fields. Query strings
and documents are not told.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.exchanges import Exchange
from upstream.messages import Request

SERVER, CLIENT = 2, 3
Value = str | int | bool


@dataclass(frozen=True, slots=True)
class Span:
    """`began` and `ended` are Unix times in seconds; `error` is the type of what went wrong."""

    trace: str
    span: str
    parent: str | None
    name: str
    kind: int
    began: float
    ended: float
    error: str | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict)


def call_span(
    upstream: str,
    exchange: Exchange,
    call: Call,
    request: Request | None,
    failure: UpstreamError | None,
) -> Span | None:
    """None for what is in no sampled trace."""
    trace = call.trace
    if trace is None or not trace.is_sampled or exchange.span is None:
        return None
    ended = time.time()
    error = failure.code if failure else exchange.error
    told = _call_attributes(exchange, call, request)
    told["passerelle.upstream"] = upstream
    if error is not None:
        told["error.type"] = error
    method = request.method if request else "GET"
    return Span(
        trace.id,
        exchange.span,
        trace.span,
        f"{method} {upstream} {exchange.operation}",
        CLIENT,
        ended - exchange.seconds,
        ended,
        error,
        told,
    )


def _call_attributes(exchange: Exchange, call: Call, request: Request | None) -> dict[str, Value]:
    told: dict[str, Value] = {"passerelle.upstream.operation": exchange.operation}
    if request is not None:
        told["http.request.method"] = request.method
        told["url.path"] = request.path.partition("?")[0]
    if exchange.status is not None:
        told["http.response.status_code"] = exchange.status
    if exchange.tried > 1:
        told["http.request.resend_count"] = exchange.tried - 1
    if call.asked is not None:
        operation, arguments = call.asked
        told["passerelle.port.operation"] = operation
        if arguments and isinstance(arguments[0], tuple | list):
            told["passerelle.batch.size"] = len(arguments[0])
    return told


def operation_span(call: Call, kind: str | None, seconds: float, errors: int) -> Span | None:
    """`kind` is `query` or `mutation`, None for what is no valid operation."""
    trace = call.trace
    if trace is None or not trace.is_sampled:
        return None
    ended = time.time()
    told: dict[str, Value] = {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "passerelle.request_id": call.request_id,
    }
    if kind is not None:
        told["graphql.operation.type"] = kind
    if call.operation is not None:
        told["graphql.operation.name"] = call.operation
    if errors:
        told["passerelle.graphql.errors"] = errors
    return Span(
        trace.id,
        trace.span,
        trace.parent,
        kind or "GraphQL Operation",
        SERVER,
        ended - seconds,
        ended,
        "graphql" if errors else None,
        told,
    )
