"""Refuses what the process cannot answer in time, so that it answers the rest.

The sign of overload is the event loop: work that is due waits for other work. A system that is
slow makes requests wait without keeping the loop from anything, and so sheds none.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.execution.errors import plain_entry
from gateway.http.incoming import header_text, request_id_of
from gateway.http.negotiation import MediaType, negotiate
from gateway.http.responses import NO_STORE, send_whole

OVERLOADED = "GATEWAY_OVERLOADED"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SheddingRules:
    """`most` requests are answered at once, 0: any number and nothing is ever refused.

    Once the loop has been late by `late_seconds` for `patience_seconds` without a pause, it is
    overloaded: a burst is worked off, a load that lasts is not. Then fewer are let in, step by
    step down to `least`, and of those that came together only what the loop can begin before it is
    as late again.
    """

    most: int = 2000
    least: int = 16
    late_seconds: float = 0.025
    patience_seconds: float = 1.0
    interval_seconds: float = 0.1
    retry_after_seconds: int = 1


class AdaptiveLimit:
    """How many requests may be under way, from how late the loop was lately.

    The smallest lateness of an interval counts: one large answer makes the loop late once, too
    much work makes it late always.
    """

    def __init__(self, rules: SheddingRules) -> None:
        self._rules = rules
        self._exact = float(rules.most)
        self._since: float | None = None
        self._smallest = float("inf")
        self.is_overloaded = False

    @property
    def limit(self) -> int:
        return int(self._exact)

    def observe(self, now: float, late: float, under_way: int) -> None:
        """One look at the loop; looks far apart begin a new interval."""
        rules = self._rules
        if self._since is None:
            self._since = now
        self._smallest = min(self._smallest, late)
        if self._smallest <= rules.late_seconds:
            wait = rules.interval_seconds
        else:
            wait = rules.interval_seconds if self.is_overloaded else rules.patience_seconds
        if now - self._since < wait:
            return
        if self._smallest > rules.late_seconds:
            self.is_overloaded = True
            self._exact = max(float(rules.least), min(self._exact, under_way) * 0.85)
        else:
            self._exact = min(float(rules.most), self._exact * 1.05 + 1)
            self.is_overloaded = self.is_overloaded and self._exact < rules.most
        self._since, self._smallest = now, float("inf")

    def rest(self) -> None:
        """Nothing is under way that could tell: the next interval begins anew."""
        self._since, self._smallest = None, float("inf")
        self._exact = float(self._rules.most)
        self.is_overloaded = False


class Shedding:
    """Around an application whose requests cost work. Others are to stand beside it."""

    def __init__(
        self, app: ASGIApp, rules: SheddingRules, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._rules = rules
        self._clock = clock
        self._adaptive = AdaptiveLimit(rules)
        self._look: asyncio.TimerHandle | None = None
        self._due = 0.0
        self.under_way = 0
        self.refused = 0
        # Those that never wait are done as soon as begun: what makes the loop late is how many
        # there were since the last look.
        self._done = 0
        self._is_shedding = False

    @property
    def limit(self) -> int:
        """How many may be under way now."""
        return self._adaptive.limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._rules.most:
            await self._app(scope, receive, send)
            return
        if self._is_too_much():
            await self._refuse(scope, send)
            return
        self.under_way += 1
        self._watch()
        try:
            await self._app(scope, receive, send)
        finally:
            self.under_way -= 1
            self._done += 1

    def _is_too_much(self) -> bool:
        if not self._adaptive.is_overloaded:
            return self.under_way >= self._rules.most
        taken = self.under_way + self._done
        is_late = taken > 0 and self._overdue() > self._rules.late_seconds
        return is_late or taken >= self._adaptive.limit

    def _overdue(self) -> float:
        """By how much the next look is late at this moment."""
        return max(0.0, self._clock() - self._due)

    def _watch(self) -> None:
        """Looks at the loop while anything is asked."""
        if self._look is not None:
            return
        pause = self._rules.interval_seconds / 5
        self._due = self._clock() + pause
        self._look = asyncio.get_running_loop().call_later(pause, self._looked)

    def _looked(self) -> None:
        self._look = None
        taken, self._done = self.under_way + self._done, 0
        self._adaptive.observe(self._clock(), self._overdue(), taken)
        if taken:
            self._watch()
        else:
            self._adaptive.rest()
            self._tell(is_shedding=False)

    async def _refuse(self, scope: Scope, send: Send) -> None:
        self.refused += 1
        self._tell(is_shedding=True)
        message = "Too much is asked of the gateway just now; try again shortly."
        entry = plain_entry(message, OVERLOADED, request_id_of(scope), retryable=True)
        media_type = negotiate(header_text(scope, b"accept") or "") or MediaType.JSON
        headers = (
            (b"content-type", media_type.value),
            (b"retry-after", b"%d" % self._rules.retry_after_seconds),
            NO_STORE,
        )
        body = orjson.dumps({"errors": [entry]})
        await send_whole(send, 503, body, headers, head=scope["method"] == "HEAD")

    def _tell(self, *, is_shedding: bool) -> None:
        if self._is_shedding is is_shedding:
            return
        self._is_shedding = is_shedding
        if is_shedding:
            log.warning("overloaded, refusing requests", limit=self.limit)
        else:
            log.info("no longer overloaded", refused=self.refused)
