"""What one upstream's client tells: each try goes to the journal and to the figures."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from gateway.telemetry.journal.record import Passed
from gateway.telemetry.journal.writer import Journal, Waiting, body_of
from gateway.telemetry.metrics.figures import Figures
from gateway.telemetry.tracing.spans import Span, call_span
from ports.caller import Call
from ports.errors import UpstreamError
from ports.operation import operations
from upstream.exchanges import Exchange
from upstream.messages import Request, Response

# Answers are read right after they came.
_REMEMBERED = 4


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
        self._upstream, self._system = named
        self._trace = trace
        self._journal = journal
        self._figures = figures
        self._latest: deque[tuple[Response, Passed, Waiting]] = deque(maxlen=_REMEMBERED)

    def passed(
        self,
        exchange: Exchange,
        call: Call,
        request: Request | None,
        response: Response | None,
        failure: UpstreamError | None,
    ) -> None:
        if self._figures is not None:
            self._figures.exchange(self._upstream, exchange)
        if self._trace is not None:
            span = call_span(self._upstream, exchange, call, request, failure)
            if span is not None:
                self._trace(span)
        if self._journal is not None:
            self._journaled(self._journal, exchange, call, request, response, failure)

    def _journaled(  # noqa: PLR0913, PLR0917 - those of `passed`
        self,
        journal: Journal,
        exchange: Exchange,
        call: Call,
        request: Request | None,
        response: Response | None,
        failure: UpstreamError | None,
    ) -> None:
        body, received = None, 0
        if response is not None:
            received = len(response.body)
            if failure is not None or journal.capturing:
                is_kept = failure is not None or self._upstream in journal.capturing
                body = body_of(response.body) if is_kept else None
        elif failure is not None:
            body = b""
        now = time.time()
        told = Passed(
            now, self._upstream, self._system, exchange, call, request, received, body, failure
        )
        waiting = journal.put(told)
        if response is not None:
            self._latest.append((response, told, waiting))

    def misread(self, failure: UpstreamError) -> None:
        """Marks the entry of the answer, which is still waiting to be written.

        Of an answer with several records that cannot be read, the first one is told.
        """
        for answer, passed, waiting in reversed(self._latest):
            if passed.exchange.operation == failure.operation:
                if passed.failure is not None:
                    return
                passed.failure, passed.body = failure, body_of(answer.body)
                if self._journal is not None:
                    self._journal.instead(waiting, passed)
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
