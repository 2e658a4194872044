"""What a connector can tell of its own connection, beyond what every connection can be asked.

Version of the system, how long the credentials live, what they may see, what is left of a quota.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, Protocol, runtime_checkable

from ports.caller import Call
from ports.errors import UpstreamError

Outcome = Literal["passed", "warning", "failed", "skipped"]

SOON_DAYS = 14


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of an examination. `remedy` says what to do about it, if anything is to be done.

    `empty` marks a failure that is none where the system truly holds nothing yet.
    """

    step: str
    outcome: Outcome
    detail: str
    remedy: str = ""
    seconds: float = 0.0
    empty: bool = False


@runtime_checkable
class Diagnosed(Protocol):
    """A connector with steps of its own: `version`, `key life`, `rights <what>`, `quota`."""

    async def diagnose(self, *, call: Call) -> Sequence[Finding]:
        """Reads only. What cannot be asked is a finding too, not an error."""
        ...


@runtime_checkable
class Expiring(Protocol):
    """A connector whose system tells when the credentials in use end."""

    async def credentials_end(self, *, call: Call) -> datetime | None:
        """None where they have no end. Raises UpstreamError, also where it is not told."""
        ...


@runtime_checkable
class Offline(Protocol):
    """A connector that reads no network: its address means nothing."""

    @property
    def offline(self) -> bool: ...


async def examined(step: str, ask: Callable[[], Awaitable[Finding]], otherwise: str) -> Finding:
    """What `ask` finds, with its time; a system that does not tell is skipped, `otherwise`."""
    started = time.monotonic()
    try:
        found = await ask()
    except UpstreamError:
        found = Finding(step, "skipped", otherwise)
    return replace(found, seconds=time.monotonic() - started)


async def counted(
    resource: str, count: Callable[[], Awaitable[int | None]], right: str, *, needed: bool = True
) -> Finding:
    """How many rows the credentials see: none is as good as no right, whatever the status says.

    `right` names what grants it. Without `needed`, seeing nothing is only worth a warning.
    """
    step, started = f"rights {resource}", time.monotonic()
    try:
        rows = await count()
    except UpstreamError as error:
        detail = f"{error.code}: {error.detail or error.message}"
        found = Finding(step, "failed" if needed else "warning", detail, f"Grant {right}.")
    else:
        found = _of_rows(step, rows, right, needed=needed)
    return replace(found, seconds=time.monotonic() - started)


def _of_rows(step: str, rows: int | None, right: str, *, needed: bool) -> Finding:
    if rows is None:
        return Finding(step, "skipped", "the system does not tell how many there are")
    if rows:
        return Finding(step, "passed", f"{rows:,} rows")
    return Finding(
        step,
        "failed" if needed else "warning",
        "0 rows: a restricted key sees nothing, without any error",
        f"Grant {right}; or, if there truly are none yet, run with --allow-empty.",
        empty=True,
    )


def life(ends: datetime, what: str, renew: str, now: datetime | None = None) -> Finding:
    """How long credentials still live; `renew` says how they are renewed."""
    days = (ends - (now or datetime.now(UTC))).days
    detail = f"{what} ends on {ends:%Y-%m-%d}, in {days} days"
    if days < 0:
        return Finding("key life", "failed", f"{what} ended on {ends:%Y-%m-%d}", renew)
    if days < SOON_DAYS:
        return Finding("key life", "warning", detail, renew)
    return Finding("key life", "passed", detail)
