"""One try of one request: when it began, and as which span of the caller's trace."""

import random
import time

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.exchanges import Exchange
from upstream.messages import Request, Response

_CREDENTIALS = "credentials"


class Try:
    """`request` is None where credentials are asked for; `tried` counts from 1."""

    __slots__ = ("call", "request", "span", "started", "tried")

    def __init__(self, request: Request | None, call: Call, tried: int = 1) -> None:
        self.request = request
        self.call = call
        self.tried = tried
        self.started = time.monotonic()
        # Not secret: a name among the spans of one trace.
        self.span = f"{random.getrandbits(64):016x}" if call.trace else None

    def lines(self) -> str:
        """What tells the system its place in the trace, as lines of headers."""
        trace = self.call.trace
        if trace is None:
            return ""
        flags = "01" if trace.is_sampled else "00"
        line = f"traceparent: 00-{trace.id}-{self.span}-{flags}\r\n"
        return line if trace.state is None else f"{line}tracestate: {trace.state}\r\n"

    @property
    def operation(self) -> str:
        return _CREDENTIALS if self.request is None else self.request.operation

    def ended(self, response: Response | None, failure: UpstreamError | None) -> Exchange:
        return Exchange(
            self.operation,
            time.monotonic() - self.started,
            None if response is None else response.status,
            None if failure is None else failure.code,
            self.call.request_id,
            self.tried,
            self.span,
        )
