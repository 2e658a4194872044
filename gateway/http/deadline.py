"""How long an operation may take: what the configuration allows, or less where a client says so."""

import re

from starlette.datastructures import Headers

from gateway.operations.request import RequestError

HEADER = "X-Request-Timeout-Ms"

_MILLISECONDS = re.compile(r"0*[1-9][0-9]{0,8}", re.ASCII)


def deadline_seconds(headers: Headers, configured: float) -> float:
    """The shorter of the two. Raises RequestError 400 for a header that cannot be meant."""
    sent = headers.getlist(HEADER)
    if not sent:
        return configured
    # Two are one list to HTTP, and a list is no number.
    text = ", ".join(sent).strip()
    if not _MILLISECONDS.fullmatch(text):
        message = f"`{HEADER}` must be a whole number of milliseconds from 1 to 999999999."
        raise RequestError(400, message, "BAD_REQUEST")
    return min(configured, int(text) / 1000)
