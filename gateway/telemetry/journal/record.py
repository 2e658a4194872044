"""One entry of the journal, and how it is made of what passed the wire."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

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
_json = msgspec.json.Encoder().encode


class Entry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A try of a call to a system; or, `tried` 0, answers that stood in for calls.

    `graphql` is the name of the operation that caused it. `asked` is the port operation with its
    `arguments` as JSON, `call` the request's own operation. `cache`: `miss` and `bypass` (a client
    wanted no kept answer), `own` (nobody's request caused it), `stale`, `fallback` and `failed`
    (`keys` that were answered by old answers, the oldest `age` seconds old, by another system, or
    not at all, be it that a circuit was open); of `fallback` the `detail` is the system that
    answered. Bodies are masked.
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


class Good(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is kept of a try that went well: an entry without what only failures have.

    Most tries are of this kind, and there are thousands a second of them. The order of the fields
    is that of the file.
    """

    at: float
    upstream: str
    system: str
    call: str
    request_id: str
    trace: str | None
    span: str | None
    graphql: str | None
    subject: str
    client: str
    customer: str | None
    language: str
    asked: str | None
    arguments: bytes | None
    keys: int
    method: str | None
    path: str | None
    is_read: bool
    status: int | None
    tried: int
    seconds: float
    sent: int
    received: int
    cache: str

    error: ClassVar[None] = None

    @property
    def milliseconds(self) -> float:
        return self.seconds * 1000

    def entry(self, **more: Any) -> Entry:
        """The same as an entry, with `more` of its fields."""
        told = {name: getattr(self, name) for name in _SHARED}
        told["milliseconds"] = round(self.milliseconds, 3)
        if self.arguments is not None:
            told["arguments"] = self.arguments.decode(errors="ignore")
        return Entry(**{**told, **more})


pack = msgspec.msgpack.Encoder().encode
"""Of several tries that went well, one after another, the bytes that the file holds."""
unpack = msgspec.msgpack.Decoder(list[Good]).decode
"""Raises msgspec.DecodeError."""
_SHARED = tuple(one for one in Good.__struct_fields__ if one not in {"arguments", "seconds"})


class Passed(msgspec.Struct):
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

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be told of it but that it was."""
        return self.body is None and self.failure is None and self.exchange.error is None


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


def good_of(passed: Passed) -> Good:
    """As if it went well."""
    return good(
        passed.at,
        (passed.upstream, passed.system),
        passed.exchange,
        passed.call,
        passed.request,
        passed.received,
        told_of(passed.call.caller),
    )


def told_of(caller: Caller) -> tuple[str, str]:
    """What is kept of who asks: the masked subject, and the client."""
    return text(caller.subject), client_of(caller)


def good(  # noqa: PLR0913, PLR0917 - the parts of one entry, of which there are thousands a second
    at: float,
    named: tuple[str, str],
    exchange: Exchange,
    call: Call,
    request: Request | None,
    received: int,
    told: tuple[str, str],
) -> Good:
    """Of an upstream with its system, and of what `told_of` has of the caller.

    Positional, in the order of the fields: this is done for every try.
    """
    trace, asked = call.trace, call.asked
    arguments = None if asked is None else asked[1]
    is_plain = request is not None and request.json is None and request.body is None
    return Good(
        at,
        *named,
        exchange.operation,
        call.request_id,
        None if trace is None else trace.id,
        exchange.span,
        call.operation,
        *told,
        call.caller.customer,
        call.language,
        None if asked is None else asked[0],
        None if arguments is None else _arguments(arguments),
        0 if arguments is None else _number(arguments),
        None if request is None else request.method,
        None if request is None else text(request.path.partition("?")[0]),
        False if request is None else request.idempotent,
        exchange.status,
        exchange.tried,
        exchange.seconds,
        0 if request is None or is_plain else len(_payload(request)),
        received,
        OWN if asked is None else BYPASS if call.max_age == 0 else MISS,
    )


def entry_of(passed: Passed, masking: Masking) -> Entry:
    good, failure, request = good_of(passed), passed.failure, passed.request
    more: dict[str, Any] = {"error": passed.exchange.error}
    if failure is not None:
        more |= {"error": failure.code, "detail": masking.told(failure.detail)[:KEPT_DETAIL]}
    if passed.body is not None and request is not None:
        operation = good.asked or ""
        more["request"] = masking.body(_payload(request), operation, KEPT_BODY)
        more["response"] = masking.body(passed.body, operation, KEPT_BODY)
    return good.entry(**more)


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
        detail=None if use.stale else use.source,
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


def _number(arguments: tuple[Any, ...]) -> int:
    """How many keys there are; one where none are asked."""
    keys = arguments[0] if arguments else ()
    return len(keys) if isinstance(keys, tuple | list) else 1


def _arguments(arguments: tuple[Any, ...]) -> bytes:
    try:
        told = _json(arguments)
    except (TypeError, ValueError):
        told = b"null"
    if len(told) > KEPT_ARGUMENTS:
        told = told[:KEPT_ARGUMENTS]
    return text(told.decode(errors="ignore")).encode() if b"@" in told else told


def _payload(request: Request) -> bytes:
    if request.json is None:
        return request.body or b""
    try:
        return _json(request.json)
    except (TypeError, ValueError):
        return b""
