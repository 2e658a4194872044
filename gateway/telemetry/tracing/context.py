"""W3C Trace Context: read from a request, or begun with it; the sampling is decided here."""

import hashlib
import random
import re

from starlette.types import Scope

from gateway.http.head import head_of
from ports.caller import Trace

_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_TRACE = re.compile(r"[0-9a-f]{32}")
# Printable, as the specification has it, and not longer than it wants to be passed on.
_STATE = re.compile(rb"[\x20-\x7e]{1,512}")
_NONE, _NO_SPAN = b"0" * 32, b"0" * 16
_NIL = "0" * 32
_VERSION_LENGTH = 55


def traceparent(scope: Scope) -> tuple[str, str, bool] | None:
    """Trace, parent span and whether it is sampled; None without one that is valid."""
    sent = head_of(scope).first.get(b"traceparent")
    if sent is None or (found := _PARENT.fullmatch(sent.strip())) is None:
        return None
    trace, span, flags = found.groups()
    if trace == _NONE or span == _NO_SPAN:
        return None
    if sent.startswith(b"00") and len(sent.strip()) != _VERSION_LENGTH:
        return None
    return trace.decode(), span.decode(), bool(int(flags, 16) & 1)


def new_trace_id() -> str:
    """Unique, and no secret: the system's own randomness would take its time."""
    return f"{random.getrandbits(128) or 1:032x}"


def trace_of(scope: Scope, request_id: str, share: float) -> Trace:
    """The request's trace with the gateway's span in it.

    A client's own decision on sampling holds; else `share` of the traces are sampled, by their id,
    so that all replicas decide alike.
    """
    span = f"{random.getrandbits(64) or 1:016x}"
    sent = traceparent(scope)
    if sent is None:
        trace = trace_id_of(request_id)
        return Trace(trace, span, None, _is_sampled(trace, share))
    trace, parent, is_sampled = sent
    state = head_of(scope).first.get(b"tracestate")
    told = state.decode("ascii") if state and _STATE.fullmatch(state) else None
    return Trace(trace, span, parent, is_sampled, told)


def trace_id_of(request_id: str) -> str:
    """The request's id where it can be a trace's, else one made of it."""
    if _TRACE.fullmatch(request_id) and request_id != _NIL:
        return request_id
    return hashlib.blake2b(request_id.encode(), digest_size=16).hexdigest()


def _is_sampled(trace: str, share: float) -> bool:
    return share > 0 and int(trace[-8:], 16) < share * 0x1_0000_0000
