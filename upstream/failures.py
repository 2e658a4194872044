"""What goes wrong on the way to a system and back, read as a branch of `ports.errors`."""

from ports.errors import MalformedError, TimedOutError, UnavailableError
from upstream.credentials import TokenError
from upstream.limits import CrowdedError, QueueFullError, QueueTimedOutError
from upstream.messages import ErrorType


class WireError(Exception):
    """A request that cannot be sent, or no answer to it; `kind` is what this means."""

    def __init__(self, kind: ErrorType, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class StaleError(WireError):
    """A connection used before that was closed before any byte of the answer."""

    def __init__(self) -> None:
        super().__init__(UnavailableError, "a connection that had ended")


class CutShortError(WireError):
    """An answer that ended in its midst: more likely an accident of the way than of the system."""

    def __init__(self) -> None:
        super().__init__(MalformedError, "a body that was cut short")


def meaning(raised: BaseException) -> ErrorType | None:
    """None for what is no failure of the system: mistakes of our own, cancelled calls."""
    match raised:
        case WireError() | TokenError():
            return raised.kind
        case CrowdedError():
            return QueueFullError if raised.full else QueueTimedOutError
        case TimeoutError():
            return TimedOutError
        case OSError():
            return UnavailableError
        case _:
            return None
