"""Answers requests like earlier ones from where the server reads them, without the layers between.

The application answers a request once by its usual way. What that told by headers, but for what
belongs to the one request, is told to the next with the same headers. Who asks is let in, charged,
watched and counted each time as on the usual way, which is taken by whatever is not plain here: a
kept answer is given without a task, any other is worked out by the endpoint itself.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope

from gateway.http import cache_headers
from gateway.http.cache_headers import Holding
from gateway.http.head import head_of
from gateway.http.responses import Header
from gateway.telemetry.tracing.context import new_trace_id

if TYPE_CHECKING:
    from gateway.access.watch import Observed
    from gateway.access.wiring import Admitted
    from gateway.http.cycle import Cycle
    from gateway.http.endpoint import Endpoint, Outcome
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
_OK = 200
# Those of this one request: its length says nothing of its answer, the others make it another one,
# as does what its client wants of caches.
_APART = frozenset({b"content-length"})
_OWN = frozenset({b"x-request-id", b"traceparent", b"tracestate", b"cache-control"})
# Told anew each time.
ANEW = frozenset(
    {b"cache-control", b"age", b"cache-status", b"ratelimit", b"ratelimit-policy"}
    | {b"content-length", b"x-request-id"}
)
# Of a scope, what is the same for all requests with the same headers from the same place.
_SHARED = ("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string")
_IDENTITY = (b"", b"identity")

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
    """What requests with the same headers have in common; `lines` by whether they get a `coding`."""

    __slots__ = (
        "coding",
        "content_type",
        "headers",
        "is_coded",
        "key",
        "language",
        "lines",
        "scope",
    )

    def __init__(self, key: Key, scope: Scope, language: str) -> None:
        first = head_of(scope).first
        self.key = key
        self.scope: Scope = {name: scope[name] for name in _SHARED}
        self.scope |= {"headers": scope["headers"], "client": scope.get("client")}
        self.scope["root_path"] = scope.get("root_path", "")
        head_of(self.scope)
        self.headers = Headers(raw=scope["headers"])
        self.content_type = first.get(b"content-type", b"")
        self.is_coded = first.get(b"accept-encoding", b"") not in _IDENTITY
        self.language = language
        self.lines: dict[bool, bytes] = {}
        self.coding: bytes | None = None


class Met(NamedTuple):
    """What the bytes of a request's head say: its form, and the length of its body."""

    form: Form
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

    def key(self, target: bytes, client: object, headers: list[Header]) -> Key:
        return target, client, tuple([one for one in headers if one[0] not in _APART])

    def form(self, key: Key) -> Form | None:
        return self._forms.get(key)

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
        head = head_of(scope)
        if not scope["state"].get(PLAIN) or not _OWN.isdisjoint(head.first):
            return
        form = self._forms.get(key)
        if form is None:
            language = self._doors.language(head.first.get(b"accept-language"))
            form = self._forms[key] = Form(key, scope, language)
            if len(self._forms) > _FORMS_KEPT:
                self._forms.popitem(last=False)
        coding = next((value for name, value in headers if name == b"content-encoding"), None)
        is_coded = coding is not None
        if is_coded:
            # The same headers get the same one always.
            form.coding = coding
        same = [one for one in headers if one[0].lower() not in ANEW]
        form.lines[is_coded] = b"".join([b"%s: %s\r\n" % one for one in same]) + lines

    def answer(self, form: Form, body: bytes) -> tuple[bytes, bytes] | None:
        """Lines of headers and a body for status 200; None: there is no such answer."""
        kept = self._kept
        if kept is None:
            return None
        place = ("POST", form.content_type, form.language, body)
        if not kept.is_asked(place):
            return None
        began = time.monotonic()
        admitted = self._doors.admitted_now(form.headers, form.scope)
        if admitted is None or (reply := kept.find(place, admitted.caller)) is None:
            return None
        told, lines = _body_of(reply, form)
        if lines is None:
            return None
        quota = self._doors.again_now(admitted, reply.cost, reply.observed)
        if quota is None:
            return None
        self._reused(admitted.caller, reply.source)
        lines += _anew(reply, kept.clock(), quota, len(told))
        self._counted(_OK, time.monotonic() - began)
        return lines, told

    def takes(self, form: Form, body: bytes) -> bool:
        """Whether such a request may be worked out here."""
        # Without an endpoint's own lines there would be nothing to gain; an array is for others.
        return (
            False in form.lines and body[:1] == b"{" and len(body) <= self._endpoint.max_body_bytes
        )

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
        if self._is_told_by(form, outcome) and cycle.takes_whole():
            length, request_id = len(outcome.body), scope["state"]["request_id"].encode()
            own = b"content-length: %d\r\nx-request-id: %s\r\n" % (length, request_id)
            cycle.write(_OK, list(outcome.headers), form.lines[False] + own, outcome.body)
            self._counted(_OK, time.monotonic() - began)
        else:
            scope["state"][OUTCOME] = outcome
            cycle.learns = partial(self.learn, form.key)
            await app(scope, receive, cycle)

    def _is_told_by(self, form: Form, outcome: "Outcome") -> bool:
        """Whether the form's lines are the answer's."""
        if not outcome.is_plain or False not in form.lines:
            return False
        return not (form.is_coded and self._endpoint.may_code(outcome))


def _anew(reply: "Reply", now: float, quota: tuple[Header, ...], length: int) -> bytes:
    holding = Holding(now - reply.born, reply.until - now)
    return b"%s: %s\r\n%s: %s\r\n%s: %s\r\n%scontent-length: %d\r\nx-request-id: %s\r\n" % (
        *cache_headers.cache_control(holding, for_all=False),
        *cache_headers.age(holding),
        *cache_headers.hit(holding.remaining),
        b"".join([b"%s: %s\r\n" % one for one in quota]),
        length,
        new_trace_id().encode(),
    )


def _body_of(reply: "Reply", form: Form) -> tuple[bytes, bytes | None]:
    """As long as no request has got it compressed, or plain, nobody knows how that is told."""
    if form.coding is not None and (lines := form.lines.get(True)) is not None:
        coded = reply.coded.get(form.coding)
        if coded is not None:
            return coded, lines
    # What might be compressed is the application's to compress.
    return reply.body, None if True in form.lines else form.lines.get(False)
