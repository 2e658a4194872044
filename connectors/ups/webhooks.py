"""Events of UPS Track Alert: proven by the credential agreed with UPS, one parcel each.

Nothing is signed, so the address has to be https and the credential long.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from upstream.webhooks import (
    Change,
    Delivery,
    ForgedError,
    Terms,
    UnreadableError,
    any_same,
    tag,
    within,
)

_BEARER = "bearer "


class _Status(msgspec.Struct, gc=False):
    type: str | None = None
    code: str | None = None


class _Event(msgspec.Struct, rename="camel", gc=False):
    tracking_number: str
    activity_status: _Status
    gmt_activity_date: str | None = None
    gmt_activity_time: str | None = None


_EVENT = msgspec.json.Decoder(_Event)


class UpsWebhooks:
    """The credential comes in a header of its own, or as a bearer token."""

    def verify(self, delivery: Delivery, terms: Terms, /) -> str | None:
        authorization = delivery.headers.get("authorization", "")
        if authorization.lower().startswith(_BEARER):
            authorization = authorization[len(_BEARER) :].strip()
        sent = [delivery.headers.get("credential", ""), authorization]
        if not any_same(terms.secrets, [one for one in sent if one]):
            raise ForgedError("its credential is not ours")
        if terms.window_seconds is not None:
            _in_time(delivery, terms.window_seconds)
        return None

    def changes(self, delivery: Delivery, /) -> Sequence[Change]:
        return changes(delivery.body)


def changes(body: bytes) -> Sequence[Change]:
    """The one parcel that moved. Raises UnreadableError for what is no tracking event.

    An event has no id, so its bytes are what it is known by.
    """
    event = _decoded(body)
    tags = tag("shipment", event.tracking_number)
    kind = f"tracking.{event.activity_status.type or 'unknown'}"
    return [Change(tags, _moment(event), sha256(body).hexdigest(), kind)]


def _decoded(body: bytes) -> _Event:
    try:
        return _EVENT.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as problem:
        raise UnreadableError(str(problem)) from problem


def _in_time(delivery: Delivery, window_seconds: float) -> None:
    """Only where an installation asks for it: UPS reports what was scanned hours ago."""
    try:
        at = _moment(_decoded(delivery.body))
    except UnreadableError as problem:
        raise ForgedError("it does not tell its time") from problem
    if at is None:
        raise ForgedError("it does not tell its time")
    within(str(max(0, int(at.timestamp()))), 1, window_seconds, delivery.at)


def _moment(event: _Event) -> datetime | None:
    """The moment in GMT; None where the event has only the place's own time."""
    written = f"{event.gmt_activity_date or ''}{event.gmt_activity_time or ''}"
    try:
        return datetime.strptime(written, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


WEBHOOKS = UpsWebhooks()
