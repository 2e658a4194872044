"""Gives kept answers again from where the server reads requests, without a task for each.

The application gives a kept answer once by its usual way. What it told then, but for what belongs to
that one request, is told to the next request with the same headers. Who asks is let in, charged,
watched and counted each time as on the usual way, which is taken by whatever is not plain here.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.http import cache_headers
from gateway.http.cache_headers import Holding
from gateway.http.head import head_of
from gateway.http.responses import Header
from gateway.telemetry.tracing.context import new_trace_id

if TYPE_CHECKING:
    from gateway.access.watch import Observed
    from gateway.access.wiring import Admitted
    from gateway.http.response_cache import Reply, ResponseCache
    from ports.caller import Caller

# Under this name the server's state holds it.
EXPRESS = "express"
# Under this one the state of a request tells what kept answer it is given.
GIVEN = "given"
_FORMS_KEPT = 1_000
# Those of this one request: its length says nothing of its answer, the others make it another one.
_APART = frozenset({b"content-length"})
_OWN = frozenset({b"x-request-id", b"traceparent", b"tracestate"})
# Told anew each time.
_ANEW = frozenset(
    {b"cache-control", b"age", b"cache-status", b"ratelimit", b"ratelimit-policy"}
    | {b"content-length", b"x-request-id"}
)

Key = tuple[bytes, object, tuple[Header, ...]]
"""Target, the other end of the connection, and headers: what an answer's own headers follow from."""


class Lets(Protocol):
    """The doors of the gateway, for what need not wait."""

    def language(self, sent: bytes | None, /) -> str: ...
    def admitted_now(self, headers: Headers, scope: Scope, /) -> "Admitted | None": ...
    def again_now(
        self, admitted: "Admitted", cost: int, observed: "Observed | None", /
    ) -> tuple[Header, ...] | None: ...


class _Form:
    """What requests with the same headers have in common; `lines` by whether they get gzip."""

    __slots__ = ("content_type", "headers", "language", "lines", "scope")

    def __init__(self, scope: Scope, language: str) -> None:
        first = head_of(scope).first
        self.scope: Scope = {"headers": scope["headers"], "client": scope.get("client")}
        self.headers = Headers(raw=scope["headers"])
        self.content_type = first.get(b"content-type", b"")
        self.language = language
        self.lines: dict[bool, bytes] = {}


class Express:
    """Of answers in `kept`. `reused` is told of each, `counted` the status and the seconds."""

    def __init__(
        self,
        doors: Lets,
        kept: "ResponseCache",
        reused: "Callable[[Caller, object], object]",
        counted: Callable[[int, float], object],
    ) -> None:
        self._doors = doors
        self._kept = kept
        self._reused = reused
        self._counted = counted
        self._clock = kept.clock
        self._forms: OrderedDict[Key, _Form] = OrderedDict()

    def key(self, target: bytes, client: object, headers: list[Header]) -> Key:
        return target, client, tuple([one for one in headers if one[0] not in _APART])

    def learn(
        self, key: Key, body: bytes, scope: Scope, headers: Sequence[Header], lines: bytes
    ) -> None:
        """Of any answer: its headers, and more of them as lines. Ours are those to kept ones."""
        head = head_of(scope)
        if scope["state"].get(GIVEN) != body or not _OWN.isdisjoint(head.first):
            return
        form = self._forms.get(key)
        if form is None:
            language = self._doors.language(head.first.get(b"accept-language"))
            form = self._forms[key] = _Form(scope, language)
            if len(self._forms) > _FORMS_KEPT:
                self._forms.popitem(last=False)
        is_gzip = any(name == b"content-encoding" for name, _ in headers)
        same = [one for one in headers if one[0].lower() not in _ANEW]
        form.lines[is_gzip] = b"".join([b"%s: %s\r\n" % one for one in same]) + lines

    def answer(self, key: Key, body: bytes) -> tuple[bytes, bytes] | None:
        """Lines of headers and a body for status 200; None: the application is to be asked."""
        form = self._forms.get(key)
        if form is None:
            return None
        place = ("POST", form.content_type, form.language, body)
        if not self._kept.is_asked(place):
            return None
        began = time.monotonic()
        admitted = self._doors.admitted_now(form.headers, form.scope)
        if admitted is None or (reply := self._kept.find(place, admitted.caller)) is None:
            return None
        told, lines = _body_of(reply, form)
        if lines is None:
            return None
        quota = self._doors.again_now(admitted, reply.cost, reply.observed)
        if quota is None:
            return None
        self._reused(admitted.caller, reply.source)
        lines += self._anew(reply, quota, len(told))
        self._counted(200, time.monotonic() - began)
        return lines, told

    def _anew(self, reply: "Reply", quota: tuple[Header, ...], length: int) -> bytes:
        now = self._clock()
        holding = Holding(now - reply.born, reply.until - now)
        return b"%s: %s\r\n%s: %s\r\n%s: %s\r\n%scontent-length: %d\r\nx-request-id: %s\r\n" % (
            *cache_headers.cache_control(holding, for_all=False),
            *cache_headers.age(holding),
            *cache_headers.hit(holding.remaining),
            b"".join([b"%s: %s\r\n" % one for one in quota]),
            length,
            new_trace_id().encode(),
        )


def _body_of(reply: "Reply", form: _Form) -> tuple[bytes, bytes | None]:
    """As long as no request has got it compressed, or plain, nobody knows how that is told."""
    if reply.gzipped is not None and (lines := form.lines.get(True)) is not None:
        return reply.gzipped, lines
    # What might be compressed is the application's to compress.
    return reply.body, None if True in form.lines else form.lines.get(False)
