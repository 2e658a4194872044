"""API keys as they are kept, and what every place that keeps them promises.

KeyStoreError: the store cannot be asked now.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from gateway.access.key_format import KeyKind


class KeyStoreError(Exception):
    """The store is down, locked or cannot be read. The text is for operators, not for clients."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of a key; the key itself is not.

    Keys of one `client` replace each other by rotation. `customers` None means all of them, no
    `origins` means any caller. `last_used_at` is coarse: written once a minute at most.
    """

    id: str
    client: str
    name: str
    kind: KeyKind
    digest: bytes
    pepper_id: str
    created_at: datetime
    scopes: frozenset[str] = frozenset()
    customers: frozenset[str] | None = frozenset()
    customer: str | None = None
    rate_class: str = "default"
    origins: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> str:
        """`live`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "live"


Decide = Callable[[Sequence[ApiKey]], Sequence[ApiKey]]


class KeyStore(Protocol):
    """Every method may raise KeyStoreError."""

    async def find(self, digests: Sequence[bytes]) -> ApiKey | None:
        """The key with the first of the digests that is known; without its last use."""

    async def keys(self) -> Sequence[ApiKey]:
        """All of them, the oldest first, with their last use."""

    async def change(self, client: str, decide: Decide) -> None:
        """Gives `decide` a client's keys and keeps those that it returns, in one transaction.

        `decide` may be called again when somebody else was faster. What it raises changes nothing
        and comes through. The last use is not changed.
        """

    async def note_use(self, times: Mapping[str, datetime]) -> None:
        """Last uses by the keys' ids."""

    async def aclose(self) -> None: ...


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(ApiKey)


def encoded(key: ApiKey) -> bytes:
    """As JSON, without its last use, which changes on its own."""
    return _encoder.encode(with_use(key, None))


def decoded(text: bytes | str) -> ApiKey:
    """Raises KeyStoreError when the text is no key: a newer version or another hand wrote it."""
    try:
        return _decoder.decode(text)
    except msgspec.DecodeError as error:
        raise KeyStoreError("a key in the store cannot be read") from error


def with_use(key: ApiKey, last_used_at: datetime | None) -> ApiKey:
    return msgspec.structs.replace(key, last_used_at=last_used_at)


def oldest_first(keys: Sequence[ApiKey]) -> Sequence[ApiKey]:
    return sorted(keys, key=lambda key: (key.created_at, key.id))
