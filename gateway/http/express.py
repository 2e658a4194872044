"""Answers requests like earlier ones from where the server reads them, without the layers between.

The application answers a request once by its usual way. What that told by headers, but for what
belongs to the one request, is told to the next with the same headers. Who asks is let in, charged,
watched and counted each time as on the usual way, which is taken by whatever is not plain here: a
kept answer is given without a task, any other is worked out by the endpoint itself.
"""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope

from gateway.http import cache_headers
from gateway.http.cache_headers import Holding
from gateway.http.compression import coding_of, is_guessable
from gateway.http.head import head_of, note_head
from gateway.http.responses import Header
from gateway.telemetry.tracing.context import new_trace_id

if TYPE_CHECKING:
    from gateway.access.watch import Observed
    from gateway.access.wiring import Admitted
    from gateway.http.cycle import Cycle
    from gateway.http.endpoint import Endpoint
    from gateway.http.response_cache import Reply, ResponseCache
    from gateway.http.shedding import Shedding
    from ports.caller import Caller

# Under this name the server's state holds it.
EXPRESS = "express"
# Under these the state of a request tells what it is answered with, and that nothing but what is
# told anew depends on more than its headers.
OUTCOME, PLAIN = "outcome", "plain"
_FORMS_KEPT = 1_000
_HEADS_KEPT = 4_000
# While forms hardly ever come again, one in so many powers of two is learned.
_HOPELESS_BITS = 4
_OK = 200
# Those of one request, of which the headers of its answer tell nothing but its id.
_OWN = frozenset({b"x-request-id", b"traceparent", b"tracestate"})
_APART = frozenset({b"content-length", *_OWN})
# Who sends these may not want a kept answer, or asks in words that are read first.
_PARTICULAR = frozenset({b"cache-control", b"content-encoding"})
# Told anew each time.
ANEW = frozenset(
    {b"cache-control", b"age", b"cache-status", b"ratelimit", b"ratelimit-policy"}
    | {b"content-length", b"x-request-id"}
)
# Of a scope, what is the same for all requests with the same headers from the same place.
SHARED = ("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string")

Key = tuple[bytes, object, tuple[Header, ...]]
"""Target, the other end of the connection, and headers: what an answer's own headers follow from."""


class Lets(Protocol):
    """The doors of the gateway, for what need not wait."""

    def language(self, sent: bytes | None, /) -> str: ...
    def admitted_now(self, headers: Headers, scope: Scope, /) -> "Admitted | None": ...
    def again_now(
        self, admitted: "Admitted", cost: int, observed: "Observed | None", /
    ) -> tuple[Header, ...] | None: ...


class Form:
    """What requests with the same headers have in common; `lines` by whether they get `coding`."""

    __slots__ = (
        "coding",
        "content_type",
        "headers",
        "key",
        "language",
        "lines",
        "scope",
        "takes_kept",
    )

    def __init__(self, key: Key, scope: Scope, language: str) -> None:
        self.key = key
        self.scope: Scope = {name: scope[name] for name in SHARED}
        self.scope |= {"headers": scope["headers"], "client": scope.get("client")}
        self.scope["root_path"] = scope.get("root_path", "")
        self.headers = Headers(raw=scope["headers"])
        first = head_of(scope).first
        self.content_type = first.get(b"content-type", b"")
        self.takes_kept = _PARTICULAR.isdisjoint(first)
        self.language = language
        self.lines: dict[bool, bytes] = {}
        coding = coding_of(scope)
        self.coding = None if coding is None or is_guessable(scope) else coding.name

    def meet(self, headers: list[Header], length: int) -> "Met | None":
        """A head of this form that says nothing which only one request would."""
        if any(name in _OWN for name, _ in headers):
            return None
        scope = {**self.scope, "headers": headers}
        note_head(scope)
        return Met(self, scope, length)


class Met(NamedTuple):
    """What the bytes of a request's head say: its form, all of its scope, the length of its body."""

    form: Form
    scope: Scope
    length: int


class Work(NamedTuple):
    """Who works out answers, and who says whether there is time for it."""

    endpoint: "Endpoint"
    shedding: "Shedding"


class Express:
    """Of answers in `kept`, where any are. `reused` is told of each, `counted` of all answers.

    The latter is told the status and the seconds.
    """

    def __init__(
        self,
        doors: Lets,
        kept: "ResponseCache | None",
        work: Work,
        reused: "Callable[[Caller, object], object]",
        counted: Callable[[int, float], object],
    ) -> None:
        self._doors = doors
        self._kept = kept
        self._endpoint, self._shedding = work
        self._reused = reused
        self._counted = counted
        self._forms: OrderedDict[Key, Form] = OrderedDict()
        self._heads: OrderedDict[tuple[bytes, object], Met] = OrderedDict()
        # Since so many forms were learned, how often one was found.
        self._learned = self._found = 0
        self._is_hopeless = False

    def key(self, target: bytes, client: object, headers: list[Header]) -> Key:
        return target, client, tuple([one for one in headers if one[0] not in _APART])

    def form(self, key: Key) -> Form | None:
        found = self._forms.get(key)
        if found is not None:
            self._found += 1
        return found

    def met(self, head: bytes, client: object) -> Met | None:
        """What these very bytes of a head were found to say before."""
        return self._heads.get((head, client))

    def meet(self, head: bytes, client: object, met: Met) -> None:
        """To be told of the whole head of a request whose body has a length that it tells."""
        self._heads[head, client] = met
        if len(self._heads) > _HEADS_KEPT:
            self._heads.popitem(last=False)

    def learn(self, key: Key, scope: Scope, headers: Sequence[Header], lines: bytes) -> None:
        """Of any answer: its headers, and more of them as lines. Ours are those to plain ones."""
        if not scope["state"].get(PLAIN):
            return
        form = self._forms.get(key)
        if form is None:
            if self._is_hopeless and random.getrandbits(_HOPELESS_BITS):
                return
            language = self._doors.language(head_of(scope).first.get(b"accept-language"))
            form = self._forms[key] = Form(key, scope, language)
            self._remember()
        is_coded = any(name == b"content-encoding" for name, _ in headers)
        same = [one for one in headers if one[0].lower() not in ANEW]
        form.lines[is_coded] = b"".join([b"%s: %s\r\n" % one for one in same]) + lines

    def _remember(self) -> None:
        """Of clients each of whose requests has headers of its own, there is little to learn."""
        if len(self._forms) > _FORMS_KEPT:
            self._forms.popitem(last=False)
        self._learned += 1
        if self._learned >= _FORMS_KEPT:
            self._is_hopeless = self._found < self._learned
            self._learned = self._found = 0

    def answer(self, form: Form, body: bytes, request_id: str | None) -> tuple[bytes, bytes] | None:
        """Lines of headers and a body for status 200; None: there is no such answer.

        `request_id` None: the request has none of its own.
        """
        kept = self._kept
        if kept is None or not form.takes_kept:
            return None
        place = ("POST", form.content_type, form.language, body)
        if not kept.is_asked(place):
            return None
        began = time.monotonic()
        admitted = self._doors.admitted_now(form.headers, form.scope)
        if admitted is None or (reply := kept.find(place, admitted.caller)) is None:
            return None
        told = self._body_of(reply, form)
        if told is None or (lines := form.lines.get(told is not reply.body)) is None:
            return None
        quota = self._doors.again_now(admitted, reply.cost, reply.observed)
        if quota is None:
            return None
        self._reused(admitted.caller, reply.source)
        lines += _anew(reply, kept.clock(), quota)
        lines += _sent(told, request_id or new_trace_id())
        self._counted(_OK, time.monotonic() - began)
        return lines, told

    def _body_of(self, reply: "Reply", form: Form) -> bytes | None:
        """None: it is to be compressed first."""
        if form.coding is None or not self._endpoint.is_coded(len(reply.body)):
            return reply.body
        return reply.coded.get(form.coding)

    def takes(self, body: bytes) -> bool:
        """Whether a request of a known form may be worked out here, as one that is no array."""
        return body[:1] == b"{" and len(body) <= self._endpoint.max_body_bytes

    def lets_in(self) -> bool:
        """Whether there is room for one more request, which is counted then."""
        return self._shedding.lets_in()

    async def work(
        self, form: Form, app: ASGIApp, scope: Scope, receive: Receive, cycle: "Cycle"
    ) -> None:
        """Answers as `app` would, which is asked to tell whatever is not plain."""
        began, body = time.monotonic(), bytes(cycle.body)
        try:
            await self._shedding.begin()
            try:
                outcome = await self._endpoint.outcome(scope, body)
            finally:
                self._shedding.end()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if cycle.disconnected and task is not None and task.uncancel() == 0:
                return  # nobody is left to be told
            raise
        coding = self._endpoint.coding(scope, outcome)
        lines = form.lines.get(coding is not None) if outcome.is_plain else None
        if lines is None or not cycle.takes_whole():
            scope["state"][OUTCOME] = outcome
            cycle.learns = partial(self.learn, form.key)
            await app(scope, receive, cycle)
            return
        told = outcome.body if coding is None else await self._endpoint.coded(outcome, coding)
        request_id: str = scope["state"]["request_id"]
        cycle.write(_OK, list(outcome.headers), lines + _sent(told, request_id), told)
        self._counted(_OK, time.monotonic() - began)


def _anew(reply: "Reply", now: float, quota: tuple[Header, ...]) -> bytes:
    holding = Holding(now - reply.born, reply.until - now)
    return b"%s: %s\r\n%s: %s\r\n%s: %s\r\n%s" % (
        *cache_headers.cache_control(holding, for_all=False),
        *cache_headers.age(holding),
        *cache_headers.hit(holding.remaining),
        b"".join([b"%s: %s\r\n" % one for one in quota]),
    )


def _sent(body: bytes, request_id: str) -> bytes:
    return b"content-length: %d\r\nx-request-id: %s\r\n" % (len(body), request_id.encode())
