"""The ways in which a peer fails, and the error that each must become, whatever the port."""

from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)

FAILURES: dict[str, type[UpstreamError]] = {
    "unavailable": UnavailableError,
    "throttled": ThrottledError,
    "late": TimedOutError,
    "refused": RefusedError,
    "malformed": MalformedError,
}


def failure(name: str, operation: str = "fake.operation") -> UpstreamError:
    """The error itself, for a fake that has no peer to fail."""
    return FAILURES[name](system="ERP", upstream="erp", operation=operation, detail=name)
