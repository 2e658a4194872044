"""One entry of the journal, and how it is made of what passed the wire."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.telemetry.journal.masking import Masking, text
from ports.caller import Call, Caller, CallerKind
from ports.errors import UpstreamError
from upstream.exchanges import Exchange
from upstream.messages import Request
from upstream.uses import Use

KEPT_ARGUMENTS = 16_384
KEPT_BODY = 16_384
KEPT_DETAIL = 500

MISS, BYPASS, OWN = "miss", "bypass", "own"
STALE, FALLBACK, FAILED = "stale", "fallback", "failed"


class Entry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A try of a call to a system; or, `tried` 0, answers that stood in for calls.

    `graphql` is the name of the operation that caused it. `asked` is the port operation with its
    `arguments` as JSON, `call` the request's own operation. `cache`: `miss` and `bypass` (a client
    wanted no kept answer), `own` (nobody's request caused it), `stale`, `fallback` and `failed`
    (`keys` that were answered by old answers, the oldest `age` seconds old, by another system, or
    not at all, be it that a circuit was open). Bodies are masked.
    """

    at: float
    upstream: str
    system: str
    call: str
    request_id: str = "-"
    trace: str | None = None
    span: str | None = None
    graphql: str | None = None
    subject: str = ""
    client: str = ""
    customer: str | None = None
    language: str = ""
    asked: str | None = None
    arguments: str | None = None
    keys: int = 0
    method: str | None = None
    path: str | None = None
    is_read: bool = True
    status: int | None = None
    error: str | None = None
    detail: str | None = None
    tried: int = 1
    milliseconds: float = 0.0
    sent: int = 0
    received: int = 0
    cache: str = MISS
    age: float | None = None
    request: str | None = None
    response: str | None = None
    id: int | None = None

    @property
    def time(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)


@dataclass(slots=True)
class Passed:
    """An exchange as the hot path leaves it; `body` only where it is to be kept."""

    at: float
    upstream: str
    system: str
    exchange: Exchange
    call: Call
    request: Request | None
    received: int
    body: bytes | None
    failure: UpstreamError | None


@dataclass(frozen=True, slots=True)
class Stood:
    """Answers that stood in for those of a system, or that there were none."""

    at: float
    system: str
    call: Call
    use: Use


def client_of(caller: Caller) -> str:
    """Bounded in number: keys by their names, people by their kind."""
    if caller.kind is CallerKind.APPLICATION:
        return caller.name or caller.subject
    return str(caller.kind.value).lower()


def entry_of(passed: Passed, masking: Masking) -> Entry:
    exchange, request = passed.exchange, passed.request
    operation, arguments, keys = _asked(passed.call)
    failure = passed.failure
    kept = passed.body is not None and request is not None
    payload = _payload(request) if request else b""
    return Entry(
        **_caused(passed.call),
        at=passed.at,
        upstream=passed.upstream,
        system=passed.system,
        call=exchange.operation,
        span=exchange.span,
        asked=operation,
        arguments=arguments,
        keys=keys,
        method=request.method if request else None,
        path=text(request.path.partition("?")[0]) if request else None,
        is_read=request.idempotent if request else False,
        status=exchange.status,
        error=failure.code if failure else exchange.error,
        detail=text(failure.detail)[:KEPT_DETAIL] if failure else None,
        tried=exchange.tried,
        milliseconds=round(exchange.seconds * 1000, 3),
        sent=len(payload),
        received=passed.received,
        cache=_cache(passed.call),
        request=masking.body(payload, operation or "", KEPT_BODY) if kept else None,
        response=masking.body(passed.body or b"", operation or "", KEPT_BODY) if kept else None,
    )


def stood_entry(stood: Stood) -> Entry:
    use = stood.use
    return Entry(
        **_caused(stood.call),
        at=stood.at,
        upstream=use.upstream,
        system=stood.system,
        call=use.operation,
        asked=use.operation,
        keys=use.stale or use.fallback or use.failed,
        tried=0,
        cache=STALE if use.stale else FALLBACK if use.fallback else FAILED,
        age=round(max(0.0, use.at - use.born), 1) if use.stale else None,
    )


def _caused(call: Call) -> dict[str, Any]:
    return {
        "request_id": call.request_id,
        "trace": call.trace.id if call.trace else None,
        "graphql": call.operation,
        "subject": text(call.caller.subject),
        "client": client_of(call.caller),
        "customer": call.caller.customer,
        "language": call.language,
    }


def _cache(call: Call) -> str:
    if call.asked is None:
        return OWN
    return BYPASS if call.max_age == 0 else MISS


def _asked(call: Call) -> tuple[str | None, str | None, int]:
    if call.asked is None:
        return None, None, 0
    operation, arguments = call.asked
    try:
        told = msgspec.json.encode(arguments)
    except (TypeError, ValueError):
        told = b"null"
    keys = arguments[0] if arguments else ()
    number = len(keys) if isinstance(keys, tuple | list) else 1
    kept = told[:KEPT_ARGUMENTS].decode(errors="ignore")
    return operation, text(kept) if "@" in kept else kept, number


def _payload(request: Request) -> bytes:
    if request.json is None:
        return request.body or b""
    try:
        return msgspec.json.encode(request.json)
    except (TypeError, ValueError):
        return b""
