"""What one upstream's client tells: each try goes to the journal and to the figures."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.telemetry.journal.record import Passed, good, told_of
from gateway.telemetry.journal.writer import Journal, Waiting, body_of
from gateway.telemetry.metrics.figures import Figures
from gateway.telemetry.tracing.spans import Span, call_span
from ports.caller import Call, Caller
from ports.errors import UpstreamError
from ports.operation import operations
from upstream.exchanges import Exchange
from upstream.messages import Request, Response

# Answers are read right after they came.
_REMEMBERED = 4
# Callers whose names are not masked anew for each call.
_CALLERS_KEPT = 1_000

_Latest = tuple[Response, Exchange, Call, Request | None, Waiting]


class UpstreamSink:
    """The `Sink` of one upstream, named with its kind of system. `figures` count every try.

    `trace` is told of those in sampled traces.
    """

    def __init__(
        self,
        named: tuple[str, str],
        journal: Journal | None,
        figures: Figures | None = None,
        trace: Callable[[Span], None] | None = None,
    ) -> None:
        self._named = named
        self._upstream, self._system = named
        self._trace = trace
        self._journal = journal
        self._figures = figures
        self._latest: deque[_Latest] = deque(maxlen=_REMEMBERED)
        self._callers: dict[str, tuple[Caller, tuple[str, str]]] = {}

    def passed(
        self,
        exchange: Exchange,
        call: Call,
        request: Request | None,
        response: Response | None,
        failure: UpstreamError | None,
    ) -> None:
        if self._figures is not None:
            method = "" if request is None else request.method
            self._figures.exchange(self._upstream, exchange, method)
        if self._trace is not None:
            span = call_span(self._upstream, exchange, call, request, failure)
            if span is not None:
                self._trace(span)
        journal = self._journal
        if journal is None:
            return
        if failure is None and response is not None and self._upstream not in journal.capturing:
            self._went_well(journal, exchange, call, request, response)
        else:
            self._journaled(journal, exchange, call, request, response, failure)

    def _went_well(
        self,
        journal: Journal,
        exchange: Exchange,
        call: Call,
        request: Request | None,
        response: Response,
    ) -> None:
        """Of most: without what an entry of a failure is made of."""
        known = self._callers.get(call.caller.subject)
        if known is None or known[0] is not call.caller:
            known = self._learn(call.caller)
        received, now = len(response.body), time.time()
        with journal.careful():
            one = good(now, self._named, exchange, call, request, received, known[1])
            self._latest.append((response, exchange, call, request, journal.put(one)))

    def _learn(self, caller: Caller) -> tuple[Caller, tuple[str, str]]:
        if len(self._callers) >= _CALLERS_KEPT:
            self._callers.clear()
        known = self._callers[caller.subject] = caller, told_of(caller)
        return known

    def _journaled(  # noqa: PLR0913, PLR0917 - those of `passed`
        self,
        journal: Journal,
        exchange: Exchange,
        call: Call,
        request: Request | None,
        response: Response | None,
        failure: UpstreamError | None,
    ) -> None:
        waiting = journal.put(self._passed(exchange, call, request, response, failure))
        if response is not None:
            self._latest.append((response, exchange, call, request, waiting))

    def _passed(
        self,
        exchange: Exchange,
        call: Call,
        request: Request | None,
        response: Response | None,
        failure: UpstreamError | None,
    ) -> Passed:
        """With the body of the answer, or that there was none."""
        body = b"" if response is None else body_of(response.body)
        received = 0 if response is None else len(response.body)
        now = time.time()
        return Passed(
            now, self._upstream, self._system, exchange, call, request, received, body, failure
        )

    def misread(self, failure: UpstreamError) -> None:
        """Marks the entry of the answer, which is still waiting to be written.

        Of an answer with several records that cannot be read, the first one is told.
        """
        for place in range(len(self._latest) - 1, -1, -1):
            answer, exchange, call, request, waiting = self._latest[place]
            if exchange.operation != failure.operation:
                continue
            if isinstance(waiting, Passed) and waiting.failure is not None:
                return
            passed = self._passed(exchange, call, request, answer, failure)
            passed.at = waiting.at
            if self._journal is not None:
                self._journal.instead(waiting, passed)
            self._latest[place] = answer, exchange, call, request, passed
            break
        if self._figures is not None:
            self._figures.misread.add(self._upstream, failure.operation)


class Asking:
    """A port whose calls tell what was asked: its operations, the same answers."""

    def __init__(self, role: str, protocol: type, port: object) -> None:
        self._port = port
        for method in operations(protocol):
            setattr(self, method, _telling(f"{role}.{method}", getattr(port, method)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def _telling(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    replace = msgspec.structs.replace

    def told(*arguments: Any, call: Call) -> Any:
        return method(*arguments, call=replace(call, asked=(name, arguments)))

    return told
