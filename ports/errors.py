"""Everything that can go wrong between a question and its answer, in the words of the graph.

    PortError                     code                     retryable
    ├── UpstreamError             (a system answered badly or not at all)
    │   ├── TransientError
    │   │   ├── UnavailableError  UPSTREAM_UNAVAILABLE     yes
    │   │   ├── TimedOutError     UPSTREAM_TIMEOUT         yes
    │   │   └── ThrottledError    UPSTREAM_THROTTLED       yes
    │   └── PermanentError
    │       ├── MalformedError    UPSTREAM_MALFORMED       no
    │       └── RefusedError      UPSTREAM_REFUSED         no
    ├── NotConfiguredError        SYSTEM_NOT_CONFIGURED    no
    ├── BadInputError             BAD_USER_INPUT           no
    └── ForbiddenError            FORBIDDEN                no

`message` is ours and may be shown to a client. What the system said stays in `detail`, for the
log and the journal, never for a client.
"""

from typing import ClassVar


class PortError(Exception):
    """Root of the tree. Attributes: code, message, system, upstream, retryable, retry_after."""

    code: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False
    system: str | None = None
    upstream: str | None = None
    retry_after: float | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UpstreamError(PortError):
    """A system did not give what was asked.

    `operation` is the upstream operation (`catalog.products`), `detail` what is known beyond the
    public message: status, the vendor's own words. Never contains credentials.
    """

    reason: ClassVar[str] = "failed"

    def __init__(
        self,
        *,
        system: str,
        upstream: str,
        operation: str,
        detail: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{system} ({upstream}) {self.reason}.")
        self.system = system
        self.upstream = upstream
        self.operation = operation
        self.detail = detail
        self.retry_after = retry_after


class TransientError(UpstreamError):
    """The same question may succeed later."""

    retryable = True


class UnavailableError(TransientError):
    """No connection, a connection lost, or the system says it is out of order."""

    code = "UPSTREAM_UNAVAILABLE"
    reason = "is not available"


class TimedOutError(TransientError):
    """No answer within the time of a try or of the whole operation."""

    code = "UPSTREAM_TIMEOUT"
    reason = "did not answer in time"


class ThrottledError(TransientError):
    """The system asks for fewer calls; `retry_after` holds its wish in seconds, if it told one."""

    code = "UPSTREAM_THROTTLED"
    reason = "limits how often it may be asked"


class PermanentError(UpstreamError):
    """Asking again gives the same answer."""


class MalformedError(PermanentError):
    """An answer that is not what the vendor specifies: type, key, encoding, length."""

    code = "UPSTREAM_MALFORMED"
    reason = "gave an answer that cannot be read"


class RefusedError(PermanentError):
    """Credentials, rights or the request itself were refused."""

    code = "UPSTREAM_REFUSED"
    reason = "refused the request"


class NotConfiguredError(PortError):
    """The role that would answer is served by no upstream of this installation."""

    code = "SYSTEM_NOT_CONFIGURED"

    def __init__(self, system: str, role: str) -> None:
        super().__init__(f"No system is configured for {role}.")
        self.system = system
        self.role = role


class BadInputError(PortError):
    """An argument that cannot be meant; `message` says what is wrong and what is accepted."""

    code = "BAD_USER_INPUT"


class ForbiddenError(PortError):
    """The caller may not have this field or act for this customer."""

    code = "FORBIDDEN"
