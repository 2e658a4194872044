"""Signed messages of any system: HMAC-SHA256 over a moment and the body, headers as configured.

The defaults are those of the Standard Webhooks specification. The body names what became stale:
`{"tags": ["product:SKU-1"], "id": "...", "time": "..."}`, alone, in a list, or under `data`.
"""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

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
    aware,
    digest,
    is_tag,
    within,
)

_ENCODED_SECRET = "whsec_"  # noqa: S105 - what stands before a secret


class _Tags(msgspec.Struct):
    tags: list[str] = []


class _Event(msgspec.Struct):
    tags: list[str] = []
    id: str | int | None = None
    time: datetime | None = None
    timestamp: datetime | None = None
    type: str | None = None
    data: _Tags | None = None


_EVENTS = msgspec.json.Decoder(list[_Event] | _Event)


@dataclass(frozen=True, slots=True)
class SignedWebhooks:
    """What is signed: id, moment and body with dots between, less what has no header here.

    `signature_prefix` stands before each signature (`v1,`, `sha256=`); several are apart by spaces.
    Without a `timestamp_header` nothing tells a new message from one sent again.
    """

    signature_header: str = "webhook-signature"
    timestamp_header: str | None = "webhook-timestamp"
    id_header: str | None = "webhook-id"
    signature_prefix: str = "v1,"
    encoding: Literal["base64", "hex"] = "base64"

    def verify(self, delivery: Delivery, terms: Terms, /) -> str | None:
        head = b"".join(self._signed_header(delivery, name) for name in self._headers())
        if self.timestamp_header is not None:
            window = WINDOW_SECONDS if terms.window_seconds is None else terms.window_seconds
            within(delivery.headers[self.timestamp_header], 1, window, delivery.at)
        expected = [
            self._written(digest(_key(secret), head, delivery.body)) for secret in terms.secrets
        ]
        if not any_same(expected, self._sent(delivery)):
            raise ForgedError("its signature is not of our secret")
        # Of several signatures any may be repeated; the first of our secret names the message.
        return expected[0] if self.timestamp_header is not None else None

    def changes(self, delivery: Delivery, /) -> Sequence[Change]:
        try:
            found = _EVENTS.decode(delivery.body)
        except (msgspec.DecodeError, ValueError, RecursionError) as problem:
            raise UnreadableError(str(problem)) from problem
        if isinstance(found, list):
            return [_change(event, None) for event in found]
        return [_change(found, delivery.headers.get(self.id_header or ""))]

    def _headers(self) -> tuple[str, ...]:
        return tuple(name for name in (self.id_header, self.timestamp_header) if name is not None)

    @staticmethod
    def _signed_header(delivery: Delivery, name: str) -> bytes:
        sent = delivery.headers.get(name)
        if not sent:
            raise ForgedError("a header that is signed is missing")
        return sent.encode() + b"."

    def _sent(self, delivery: Delivery) -> list[str]:
        signatures = delivery.headers.get(self.signature_header, "").split(" ")[:8]
        prefix = self.signature_prefix
        found = [one.removeprefix(prefix) for one in signatures if one.startswith(prefix)]
        return [one.lower() for one in found] if self.encoding == "hex" else found

    def _written(self, signature: bytes) -> str:
        return signature.hex() if self.encoding == "hex" else as_base64(signature)


def _key(secret: str) -> bytes:
    """Secrets of the specification are base64 behind a prefix; others are used as they are."""
    if secret.startswith(_ENCODED_SECRET):
        try:
            return b64decode(secret.removeprefix(_ENCODED_SECRET), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def _change(event: _Event, sent_id: str | None) -> Change:
    tags = [*event.tags, *(event.data.tags if event.data else ())]
    wrong = [one for one in tags if not is_tag(one)]
    if wrong:
        raise UnreadableError("a tag is not of the form kind:key")
    id_ = sent_id if event.id is None else str(event.id)
    at = aware(event.time or event.timestamp)
    return Change(tuple(dict.fromkeys(tags)), at, id_, event.type or "tags")
