"""How long a system wants to be left alone: `Retry-After`, in either form (RFC 9110 §10.2.3)."""

import time
from datetime import datetime
from email.utils import parsedate_to_datetime

from upstream.webhooks import aware

# Whoever asks for longer is asked again sooner; the number is one that any client can read.
LONGEST_SECONDS = 86_400.0
_DIGITS = 9


def wished(text: str, sent: str = "") -> float | None:
    """Seconds; None where nothing is wished, or nothing that can be read.

    A moment counts from `sent`, the answer's own `Date`: the system's clock may be wrong, but it is
    the same one. Without it, it counts from our time.
    """
    if not text:
        return None
    if text.isascii() and text.isdigit():
        seconds = int(text) if len(text) <= _DIGITS else LONGEST_SECONDS
        return min(LONGEST_SECONDS, float(seconds))
    moment = _moment(text)
    if moment is None:
        return None
    began = _moment(sent)
    now = time.time() if began is None else began.timestamp()
    return min(LONGEST_SECONDS, max(0.0, moment.timestamp() - now))


def _moment(text: str) -> datetime | None:
    try:
        return aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
