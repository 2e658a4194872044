"""What a system's own messages about changes are: how one is proven, and what it makes stale.

A connector declares a `WebhookVerifier`; which request reaches it, how fast it is answered and what
is purged is not its business.
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

MAX_TAG = 200
# How far a signed moment may be off, by all schemes that are known.
WINDOW_SECONDS = 300.0
_TAG = re.compile(r"[a-z][a-z-]{0,31}:[^\x00-\x20\x7f][^\x00-\x1f\x7f]*")
_MILLISECONDS = 1000


class ForgedError(Exception):
    """Not proven to be of the system, or too old to be believed. The text is for the log."""


class UnreadableError(Exception):
    """Proven, but not what the system is known to send."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came: names of headers in lower case, the body byte for byte.

    `urls` are the addresses that the sender may have called, `at` is the arrival in seconds since
    1970.
    """

    method: str
    urls: tuple[str, ...]
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Terms:
    """`secrets` are those in use (two while one follows the other).

    `window_seconds` is how far the sender's clock may be off; None where the scheme says it.
    """

    secrets: tuple[str, ...]
    window_seconds: float | None = None

    @property
    def proof_seconds(self) -> float:
        """For how long a proof over a moment could be accepted again: both ways, and a minute."""
        window = WINDOW_SECONDS if self.window_seconds is None else self.window_seconds
        return 2 * window + 60


@dataclass(frozen=True, slots=True)
class Change:
    """What became stale. `id` is the sender's name of the event, `at` when it happened.

    No tags: an event of a kind that is not known, or that nothing kept depends on.
    """

    tags: tuple[str, ...]
    at: datetime | None = None
    id: str | None = None
    kind: str = "unknown"


class WebhookVerifier(Protocol):
    """Pure: neither method waits for anything, and both stand any bytes."""

    def verify(self, delivery: Delivery, terms: Terms, /) -> str | None:
        """Raises ForgedError.

        Gives what a second delivery may not share (a signature over a moment), None where the
        system sends the very same message again when it got no answer.
        """
        ...

    def changes(self, delivery: Delivery, /) -> Sequence[Change]:
        """Raises UnreadableError. Called for proven deliveries only."""
        ...


def tag(kind: str, key: str) -> tuple[str, ...]:
    """The tag `kind:key`; none for a key that no record has."""
    text = f"{kind}:{key}"
    return (text,) if is_tag(text) else ()


def is_tag(text: str) -> bool:
    """Whether something may be kept under it: `product:SKU-1`, at most 200 characters."""
    return len(text) <= MAX_TAG and _TAG.fullmatch(text) is not None


def digest(secret: str | bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 of the parts put together."""
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, b"".join(parts), hashlib.sha256)


def as_base64(signature: bytes) -> str:
    return b64encode(signature).decode("ascii")


def same(expected: str, sent: str) -> bool:
    """In a time that does not tell where they differ; `sent` may hold any characters."""
    return hmac.compare_digest(expected.encode(), sent.encode("utf-8", "surrogatepass"))


def any_same(expected: Iterable[str], sent: Sequence[str]) -> bool:
    """Compares all of them, so that it takes no longer to find none."""
    found = [same(one, other) for one in expected for other in sent]
    return any(found)


def within(sent: str, unit: int, window_seconds: float, now: float) -> None:
    """Raises ForgedError for a moment that is none, or further off than the window either way.

    `unit`: how many of them a second has (1000 for milliseconds).
    """
    # 15 digits reach far beyond any clock, and longer ones cost more than they tell.
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 15):  # noqa: PLR2004
        raise ForgedError("its time is no number")
    if abs(now - int(sent) / unit) > window_seconds:
        raise ForgedError("its time is too far off")


def milliseconds(count: int) -> datetime | None:
    """The moment so many milliseconds after 1970; None beyond what a calendar holds."""
    try:
        return datetime.fromtimestamp(count / _MILLISECONDS, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def aware(moment: datetime | None) -> datetime | None:
    """A moment without a zone is UTC."""
    if moment is None:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
