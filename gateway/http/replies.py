"""Answers requests from kept bytes where it may, and tells caches how long each answer holds.

Before a kept answer is given, its caller is let in and charged as if it had been worked out.
"""

import re
from collections.abc import Callable
from math import inf
from typing import Protocol, cast

import msgspec

from gateway.access.watch import Observed
from gateway.execution.answer import Answer
from gateway.execution.audience import audience
from gateway.execution.provenance import NotedContext, Provenance
from gateway.http import cache_headers
from gateway.http.cache_headers import Holding
from gateway.http.doors import Admission
from gateway.http.head import head_of
from gateway.http.incoming import Incoming
from gateway.http.response_cache import Asked, Clock, Reply, ResponseCache
from gateway.http.responses import NO_STORE, Header
from gateway.operations.request import GraphQLRequest
from ports.caller import Caller

# What a client says that wants no kept answer (RFC 9111 §5.2.1).
_UNWANTED = (b"no-cache", b"no-store")
_OLDEST = re.compile(rb"(?:^|[\s,])max-age=([0-9]+)", re.IGNORECASE)


Reused = Callable[[Caller, object], object]
"""Told who is given a kept answer again, and of which source."""


class Admits(Protocol):
    """The doors of the gateway."""

    def language(self, sent: bytes | None, /) -> str: ...
    async def admission(self, incoming: Incoming, /) -> Admission: ...
    async def again(
        self, admission: Admission, cost: int, observed: Observed | None, /
    ) -> tuple[Header, ...]: ...


class Asking(msgspec.Struct, frozen=True):
    """A request on its way. `place` is where its answer is kept, None for one that never is.

    `oldest`: no kept answer of more seconds is wanted.
    """

    incoming: Incoming
    place: Asked | None
    oldest: float = inf


class Found(msgspec.Struct, frozen=True):
    """A kept answer, with the headers that are this request's."""

    reply: Reply
    headers: tuple[Header, ...]


class Told(msgspec.Struct, frozen=True):
    """What an answer that was worked out tells caches; `etag` if it may be asked for again."""

    headers: tuple[Header, ...] = (NO_STORE,)
    etag: bytes | None = None


class Replies:
    """`clock` is the cache's. `kept` None: nothing is kept, but caches are told all the same."""

    def __init__(
        self,
        doors: Admits,
        clock: Clock,
        kept: ResponseCache | None = None,
        reused: Reused | None = None,
    ) -> None:
        self._reused = reused
        self._doors = doors
        self._clock = clock
        self._kept = kept

    def asking(self, incoming: Incoming, sent: bytes) -> Asking:
        scope = incoming.scope
        headers = head_of(scope).first
        if self._kept is None or b"content-encoding" in headers:
            return Asking(incoming, None)
        wanted = headers.get(b"cache-control")
        oldest = inf
        if wanted is not None:
            if any(word in wanted.lower() for word in _UNWANTED):
                return Asking(incoming, None)
            if (told := _OLDEST.search(wanted)) is not None:
                oldest = float(told[1])
        language = self._doors.language(headers.get(b"accept-language"))
        if scope["method"] != "POST":
            return Asking(incoming, ("GET", b"", language, sent), oldest)
        return Asking(incoming, ("POST", headers.get(b"content-type", b""), language, sent), oldest)

    async def found(self, asking: Asking) -> Found | None:
        """Raises what the doors raise, if there is an answer for anybody."""
        place = asking.place
        if self._kept is None or place is None or not self._kept.is_asked(place):
            return None
        admission = await self._doors.admission(asking.incoming)
        caller = admission.admitted.caller
        reply = self._kept.find(place, caller)
        if reply is None or self._clock() - reply.born >= asking.oldest:
            return None
        quota = await self._doors.again(admission, reply.cost, reply.observed)
        if self._reused is not None:
            self._reused(caller, reply.source)
        now = self._clock()
        holding = Holding(now - reply.born, reply.until - now)
        for_all = cache_headers.is_for_all(asking.incoming.scope, caller)
        headers = (
            cache_headers.cache_control(holding, for_all=for_all),
            cache_headers.age(holding),
            cache_headers.hit(holding.remaining),
            *quota,
        )
        return Found(reply, headers)

    async def told(
        self,
        asking: Asking,
        context: NotedContext,
        request: GraphQLRequest,
        answer: Answer,
        body: bytes,
    ) -> Told:
        """Of an answer that was worked out, which is kept if it may be."""
        made, scope = context.made, asking.incoming.scope
        if not made.is_query:
            return Told((NO_STORE, cache_headers.forwarded(made.uses, "fwd=method")))
        now = self._clock()
        until, born = _span(made, now, answer)
        holding = Holding(max(0.0, now - born), until - now)
        for_all = cache_headers.is_for_all(scope, context.call.caller)
        control = cache_headers.cache_control(holding, for_all=for_all)
        is_get = scope["method"] != "POST" and control is not NO_STORE
        etag = cache_headers.etag_of(body) if is_get else None
        is_wanted = asking.place is not None and not _asks_now(context)
        why = "fwd=miss" if is_wanted else "fwd=request"
        if is_wanted and asking.place and _may_be_kept(made, request, answer):
            admission = await self._doors.admission(asking.incoming)
            reply = _reply(made, admission, body, (born, until))
            reply.etag, reply.observed = etag, cast("Observed | None", context.observed)
            if self._keep(asking.place, reply, made):
                why = "fwd=miss; stored"
        reused = not answer.errors and any(use.cached or use.stale for use in made.uses)
        ages = (cache_headers.age(holding),) if reused else ()
        return Told((control, *ages, cache_headers.forwarded(made.uses, why)), etag)

    def hold_coded(self, asking: Asking, reply: Reply, coded: tuple[bytes, bytes]) -> None:
        if self._kept is not None and asking.place is not None:
            self._kept.hold_coded(asking.place, reply, coded)

    def _keep(self, place: Asked, reply: Reply, made: Provenance) -> bool:
        return self._kept is not None and self._kept.keep(place, reply, made.began)


def _span(made: Provenance, now: float, answer: Answer) -> tuple[float, float]:
    """When the answer ends, and when its oldest part was asked; now where nothing is known."""
    # An explanation is of one run.
    if answer.errors or not made.uses or "explain" in (answer.extensions or ()):
        return now, now
    until = min(use.until for use in made.uses)
    return until, min(now, *(use.born for use in made.uses))


def _asks_now(context: NotedContext) -> bool:
    """Whether `@fresh` asks systems for what is true now, if only of a field."""
    if context.call.max_age == 0:
        return True
    return any(terms.max_age == 0 for terms in context.fresh.values())


def _may_be_kept(made: Provenance, request: GraphQLRequest, answer: Answer) -> bool:
    if answer.errors or answer.request_error or answer.extensions or not made.uses:
        return False
    # One that is sent with its hash is to be registered each time.
    if request.query is not None and request.document_id is not None:
        return False
    return _stays_true(made)


def _stays_true(made: Provenance) -> bool:
    """An age is another one a second later; what was read now is `CACHED` the next time."""
    if made.mentions("age"):
        return False
    return not made.mentions("state") or not any(use.live for use in made.uses)


def _reply(made: Provenance, admission: Admission, body: bytes, span: tuple[float, float]) -> Reply:
    born, until = span
    return Reply(
        body=body,
        audience=audience(made, admission.admitted.caller),
        born=born,
        until=until,
        cost=made.cost,
        tags=frozenset(tag for use in made.uses for tag in use.tags()),
        source=made.source,
    )
