"""What to do about each way in which a system fails to answer."""

from ports.errors import (
    BadInputError,
    MalformedError,
    PortError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)

_DETAIL = 300

CREDENTIALS = (
    "Put valid credentials into the environment (docs/configuration.md names the variables); a key "
    "may have ended or belong to another database or environment."
)
RIGHTS = "Grant the rights that the connector's README lists."
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (
        ThrottledError,
        "Wait for the quota, and set rate_per_second to what the vendor grants this connection.",
    ),
    (
        TimedOutError,
        (
            "Look why the system is slow; only if it always is, raise timeout_seconds and "
            "graphql.deadline_seconds."
        ),
    ),
    (TimeoutError, "Look why the system is slow; only if it always is, raise the deadline."),
    (
        MalformedError,
        (
            "Check that base_url is the root of the API and that no proxy or login page answers "
            "in its place; else the system's version is not one that the connector knows."
        ),
    ),
    (UnavailableError, "Look into the system's own log: it is down or fails on this request."),
    (RefusedError, RIGHTS),
    (BadInputError, "Report it: the connector refused what it gave itself."),
)


def remedy(problem: BaseException) -> str:
    for kind, text in _REMEDIES:
        if isinstance(problem, kind):
            return text
    return "Report it with this text: it is a fault of the connector."


def described(problem: BaseException) -> str:
    """In one line, with what the system said."""
    match problem:
        case UpstreamError():
            text = f"{problem.code} in {problem.operation}: {problem.detail or problem.message}"
        case PortError():
            text = f"{problem.code}: {problem.message}"
        case TimeoutError():
            text = "no answer before the deadline"
        case _:
            text = f"{type(problem).__name__}: {problem}"
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= _DETAIL else f"{line[:_DETAIL]}..."
