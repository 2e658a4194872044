"""From an API key to its caller.

A verified key is believed for less than a second before its store is asked again, so that a
revoked one stops within a second on every replica; between, verifying is a keyed hash and a look-up.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol

import structlog

from gateway.access.errors import AccessError
from gateway.access.key_format import LENGTH, KeyKind, Peppers, well_formed
from gateway.access.key_store import ApiKey, KeyStore, KeyStoreError
from gateway.access.key_use import LastUses
from gateway.access.remembered import Clock, Collapse, Remembered
from gateway.access.watch import Event
from ports.caller import Caller, CallerKind

# Below the second that a revoked key may go on, for the time that a read takes.
BELIEVED_SECONDS = 0.75
UNKNOWN_SECONDS = 10
RETRY_SECONDS = 1
CAPACITY = 10_000
UNAVAILABLE = "SERVICE_UNAVAILABLE"

log = structlog.get_logger(__name__)


class Watch(Protocol):
    """Where what looks like an attack is told."""

    def note(self, event: str, *, caller: str, **facts: object) -> None: ...


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """How keys are verified. For `grace_seconds` known keys go on when their store is down."""

    grace_seconds: float = 60
    test_keys: bool = True
    clock: Clock = field(default_factory=Clock)


@dataclass(frozen=True, slots=True)
class _Known:
    key: ApiKey
    caller: Caller
    read_at: float
    ends_at: float
    "Seconds since 1970."


@dataclass(frozen=True, slots=True)
class _Unavailable:
    """The store could not be asked."""


class KeyVerifier:
    """Owns its store and closes it."""

    def __init__(
        self, store: KeyStore, peppers: Peppers, watch: Watch, terms: KeyTerms | None = None
    ) -> None:
        self._store = store
        self._peppers = peppers
        self._watch = watch
        self._terms = terms or KeyTerms()
        self._steady = self._terms.clock.steady
        self._known: Remembered[bytes, _Known | None] = Remembered(CAPACITY, self._steady)
        # Apart, so that guesses cannot push out what is known.
        self._unknown: Remembered[bytes, bool] = Remembered(CAPACITY, self._steady)
        self._reads: Collapse[bytes, _Known | _Unavailable | None] = Collapse()
        self._uses = LastUses(store, self._terms.clock)
        self._down_until = 0.0
        self._salt = secrets.token_bytes(32)
        self._rate_classes: dict[str, str] = {}

    @property
    def rate_classes(self) -> Mapping[str, str]:
        """Rate class by `Caller.subject`, of the keys verified so far."""
        return self._rate_classes

    async def verify(self, key: str, *, origin: str | None) -> Caller | None:
        """The caller of a key, None when it is not accepted.

        Why a key that exists is not accepted is told to the watch.

        `origin` is the request's `Origin`, None without one. Raises AccessError 503 when the store
        is down and the key was not verified within the grace.
        """
        found = await self._found(key)
        if found is None:
            return None
        objection = self._objection(found, origin)
        if objection is None:
            self._uses.note(found.key.id)
            return found.caller
        # Not as the key's own subject: its rightful holder is not to be throttled for this.
        refused = f"refused:{found.caller.subject}"
        facts = {"key_id": found.key.id, "why": objection, "origin": origin or ""}
        self._watch.note(Event.LOGIN_FAILURE, caller=refused, **facts)
        return None

    def verified_now(self, key: str, *, origin: str | None) -> Caller | None:
        """As `verify`, of what was read lately; None where that would wait or refuse."""
        if len(key) != LENGTH or not key.isascii():
            return None
        found = self._known.get(self._named(key))
        if found is None or self._steady() - found.read_at >= BELIEVED_SECONDS:
            return None
        if self._objection(found, origin) is not None:
            return None
        self._uses.note(found.key.id)
        return found.caller

    def _named(self, key: str) -> bytes:
        """What a key is remembered by in this process: a third of the time of its stored digest."""
        return blake2b(key.encode(), digest_size=16, key=self._salt).digest()

    async def aclose(self) -> None:
        await self._reads.aclose()
        await self._uses.aclose()
        await self._store.aclose()

    async def _found(self, key: str) -> _Known | None:
        if len(key) != LENGTH or not key.isascii():
            return None
        digest = self._named(key)
        known = self._known.get(digest)
        if known is not None and self._steady() - known.read_at < BELIEVED_SECONDS:
            return known
        if known is None and not well_formed(key):
            return None
        return await self._asked(digest, key, known)

    async def _asked(self, digest: bytes, key: str, known: _Known | None) -> _Known | None:
        if self._unknown.get(digest):
            return None
        found: _Known | _Unavailable | None = _Unavailable()
        if self._steady() >= self._down_until:
            found = await self._reads.run(digest, lambda: self._read(digest, key))
        if not isinstance(found, _Unavailable):
            return found
        if known is not None and self._steady() - known.read_at < self._terms.grace_seconds:
            return known
        message = "API keys cannot be verified at the moment; try again later."
        raise AccessError(503, message, UNAVAILABLE, ((b"retry-after", b"%d" % RETRY_SECONDS),))

    async def _read(self, digest: bytes, key: str) -> _Known | _Unavailable | None:
        """Believed from when the question was put, as the answer may be as old as that."""
        asked_at = self._steady()
        try:
            found = await self._store.find(self._peppers.digests(key))
        except KeyStoreError as error:
            if self._steady() >= self._down_until:
                log.warning("store of API keys unavailable", reason=str(error))
            self._down_until = self._steady() + RETRY_SECONDS
            return _Unavailable()
        if found is None:
            if self._known.get(digest) is not None:
                self._known.put(digest, None, UNKNOWN_SECONDS)  # deleted: no grace for it
            self._unknown.put(digest, value=True, seconds=UNKNOWN_SECONDS)
            return None
        known = _Known(found, caller_of(found), asked_at, _ends_at(found))
        self._known.put(digest, known, max(self._terms.grace_seconds, BELIEVED_SECONDS))
        self._rate_classes[known.caller.subject] = found.rate_class
        return known

    def _objection(self, known: _Known, origin: str | None) -> str | None:
        key = known.key
        if key.revoked_at is not None:
            return "revoked"
        if known.ends_at <= self._terms.clock.wall():
            return "expired"
        if key.origins and origin not in key.origins:
            return "origin"
        if key.kind is KeyKind.TEST and not self._terms.test_keys:
            return "test key"
        return None


def caller_of(key: ApiKey) -> Caller:
    return Caller(
        subject=f"key:{key.id}",
        kind=CallerKind.APPLICATION,
        customer=key.customer,
        customers=key.customers,
        scopes=key.scopes,
        name=key.name,
    )


def _ends_at(key: ApiKey) -> float:
    return float("inf") if key.expires_at is None else key.expires_at.timestamp()
