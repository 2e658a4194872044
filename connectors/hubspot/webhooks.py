"""Events of a HubSpot app: signature v3 with its five minutes, and lists of changed objects.

An event names a record id; which customer number that is, only what is kept can tell.
"""

from collections.abc import Sequence

import msgspec

from upstream.webhooks import (
    WINDOW_SECONDS,
    Change,
    Delivery,
    ForgedError,
    Terms,
    UnreadableError,
    any_same,
    as_base64,
    digest,
    milliseconds,
    tag,
    within,
)

_MILLISECONDS = 1000
_SIGNATURE = "x-hubspot-signature-v3"
_MOMENT = "x-hubspot-request-timestamp"
# HubSpot writes these characters of an address out before it signs.
_WRITTEN_OUT = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'",
    "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_TYPES = {"0-1": "contact", "0-2": "company", "0-115": "owner"}


class _Event(msgspec.Struct, rename="camel", gc=False):
    """`eventId` alone is not unique, so an event is known by all that tells it from others."""

    subscription_type: str
    object_id: int | str | None = None
    event_id: int | None = None
    subscription_id: int | None = None
    occurred_at: int | None = None
    object_type_id: str | None = None
    property_name: str | None = None
    primary_object_id: int | None = None
    from_object_id: int | None = None
    to_object_id: int | None = None
    merged_object_ids: list[int] = []
    new_object_id: int | None = None


_EVENTS = msgspec.json.Decoder(list[_Event])


class HubSpotWebhooks:
    """HMAC-SHA256 in base64 over method, address, body and moment."""

    def verify(self, delivery: Delivery, terms: Terms, /) -> str | None:
        moment = delivery.headers.get(_MOMENT, "")
        window = WINDOW_SECONDS if terms.window_seconds is None else terms.window_seconds
        within(moment, _MILLISECONDS, window, delivery.at)
        sent = delivery.headers.get(_SIGNATURE, "")
        method, end = delivery.method.encode(), moment.encode()
        expected = [
            as_base64(digest(secret, method, url.encode(), delivery.body, end))
            for secret in terms.secrets
            for url in _addresses(delivery.urls)
        ]
        if not any_same(expected, [sent]):
            raise ForgedError("its signature is not of our secrets")
        return sent  # what is sent again has a moment of its own, and so another signature

    def changes(self, delivery: Delivery, /) -> Sequence[Change]:
        return changes(delivery.body)


def changes(body: bytes) -> Sequence[Change]:
    """A change for each event. Raises UnreadableError for what is no list of events."""
    try:
        events = _EVENTS.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as problem:
        raise UnreadableError(str(problem)) from problem
    return [_change(event) for event in events]


def _addresses(urls: Sequence[str]) -> list[str]:
    """Each address as it was called and with its escapes written out."""
    return list(dict.fromkeys(one for url in urls for one in (url, _written_out(url))))


def _written_out(url: str) -> str:
    for escape, letter in _WRITTEN_OUT.items():
        url = url.replace(escape, letter).replace(escape.lower(), letter)
    return url


def _change(event: _Event) -> Change:
    parts = (
        event.event_id,
        event.subscription_id,
        event.occurred_at,
        event.subscription_type,
        event.object_id,
        event.property_name,
    )
    at = milliseconds(event.occurred_at) if event.occurred_at is not None else None
    id_ = None if event.event_id is None else "/".join(map(str, parts))
    return Change(_tags(event), at, id_, event.subscription_type)


def _tags(event: _Event) -> tuple[str, ...]:
    """Records that what is kept knows by their ids; of contacts only their company shows."""
    kind, _, what = event.subscription_type.partition(".")
    if kind == "object":  # generic subscriptions name the type beside
        kind = _TYPES.get(event.object_type_id or "", "")
    if what == "" or kind not in {"company", "contact"}:
        return ()
    ids = [
        event.object_id,
        event.primary_object_id,
        event.from_object_id,
        event.to_object_id,
        event.new_object_id,
        *event.merged_object_ids,
    ]
    found = [one for id_ in ids if id_ is not None for one in tag("reference", str(id_))]
    return tuple(dict.fromkeys(found))


WEBHOOKS = HubSpotWebhooks()
