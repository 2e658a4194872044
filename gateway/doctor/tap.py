"""What passes between a connector and its system while it is examined."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.drift import Recording, route
from upstream.exchanges import Exchange
from upstream.messages import Request, Response

_UNAUTHORIZED = 401


@dataclass(slots=True)
class Tap:
    """An `upstream.exchanges.Sink` that counts and remembers. `recording` learns good answers."""

    recording: Recording | None = None
    calls: int = 0
    refused: bool = False
    """Whether the credentials were refused, here or by the token endpoint."""
    headers: dict[str, str] = field(default_factory=dict)
    """Of every answer the latest of each name."""

    def passed(
        self,
        exchange: Exchange,
        _call: Call,
        request: Request | None,
        response: Response | None,
        _failure: UpstreamError | None,
        /,
    ) -> None:
        self.calls += 1
        if request is None:
            self.refused = True
        if response is None:
            return
        self._answered(exchange, request, response)

    def misread(self, _failure: UpstreamError, /) -> None:
        """What cannot be read is told by the step that asked."""

    def _answered(self, exchange: Exchange, request: Request | None, response: Response) -> None:
        self.headers.update(_lowered(response.headers))
        if response.status == _UNAUTHORIZED:
            self.refused = True
        is_good = exchange.error is None and response.status < 300  # noqa: PLR2004
        if is_good and self.recording is not None and request is not None:
            self.recording.learn(route(request.operation, request.path), response.body)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
