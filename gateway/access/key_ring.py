"""Making, replacing and ending API keys: what operators do.

KeyRingError: it cannot be done, and its text tells the operator why.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from gateway.access.key_format import KeyKind, Pepper, Peppers, new_id, new_key, well_formed
from gateway.access.key_store import ApiKey, KeyStore
from gateway.access.remembered import Clock

LONGEST = timedelta(days=3650)
LIVE_KEYS = 2
_NAME = 100
# RFC 6749 §3.3
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,100}")
_RATE_CLASS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_PORTS = {"http": 80, "https": 443}
Lifetime = timedelta | None


class KeyRingError(ValueError):
    """Never holds a key."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a new key is to be. `customers` None means all; no `origins` means from anywhere."""

    name: str
    scopes: frozenset[str]
    customers: frozenset[str] | None = frozenset()
    customer: str | None = None
    rate_class: str = "default"
    origins: frozenset[str] = frozenset()
    kind: KeyKind = KeyKind.LIVE
    lifetime: Lifetime = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """How long the old key goes on, and the new one's lifetime: as the old one's, or another."""

    overlap: timedelta
    same_lifetime: bool = True
    lifetime: Lifetime = None


@dataclass(frozen=True, slots=True)
class Issued:
    """The only place where a key is together with what is kept of it."""

    secret: str
    key: ApiKey

    def __repr__(self) -> str:
        return f"Issued({self.key.id})"


class KeyRing:
    """Every method may raise KeyStoreError or KeyRingError. Does not close the store."""

    def __init__(
        self, store: KeyStore, peppers: Peppers | None, clock: Clock | None = None
    ) -> None:
        self._store = store
        self._peppers = peppers
        self._clock = clock or Clock()

    async def keys(self) -> Sequence[ApiKey]:
        return await self._store.keys()

    async def create(self, order: Order) -> Issued:
        order = _checked(order)
        now = self._now()
        key_id = new_id()
        template = ApiKey(
            id=key_id,
            client=key_id,
            name=order.name,
            kind=order.kind,
            digest=b"",
            pepper_id="",
            created_at=now,
            scopes=order.scopes,
            customers=order.customers,
            customer=order.customer,
            rate_class=order.rate_class,
            origins=order.origins,
            expires_at=_end(now, order.lifetime),
        )
        issued = self._issued(template)
        await self._store.change(key_id, lambda _: [issued.key])
        return issued

    async def rotate(self, key_id: str, plan: Rotation) -> Issued:
        """A second key for the same client; the first one ends after the overlap."""
        _require(timedelta() <= plan.overlap <= LONGEST, "overlap", str(plan.overlap))
        _require_lifetime(plan.lifetime)
        old = await self._key(key_id)
        now = self._now()
        lifetime = plan.lifetime
        if plan.same_lifetime:
            lifetime = None if old.expires_at is None else old.expires_at - old.created_at
        ends_at = _end(now, lifetime)
        fresh = msgspec.structs.replace(
            old, id=new_id(), created_at=now, expires_at=ends_at, last_used_at=None
        )
        issued = self._issued(fresh)

        def decide(family: Sequence[ApiKey]) -> Sequence[ApiKey]:
            current = _rotatable(family, old.id, now)
            ends = [end for end in (current.expires_at, now + plan.overlap) if end is not None]
            return [msgspec.structs.replace(current, expires_at=min(ends)), issued.key]

        await self._store.change(old.client, decide)
        return issued

    async def revoke(self, key_id: str) -> ApiKey:
        """By its id, or by the key itself when that is all one has. Again is no mistake."""
        revoked = await self._key(key_id)
        now = self._now()

        def decide(family: Sequence[ApiKey]) -> Sequence[ApiKey]:
            nonlocal revoked
            revoked = next(key for key in family if key.id == revoked.id)
            if revoked.revoked_at is None:
                revoked = msgspec.structs.replace(revoked, revoked_at=now)
            return [revoked]

        await self._store.change(revoked.client, decide)
        return revoked

    async def _key(self, key_id: str) -> ApiKey:
        if well_formed(key_id):
            return await self._by_secret(key_id)
        for key in await self._store.keys():
            if key.id == key_id:
                return key
        if key_id.startswith("gw_"):
            raise KeyRingError("this looks like a key, but it has a typing mistake")
        raise KeyRingError(f"there is no key {key_id!r}")

    async def _by_secret(self, secret: str) -> ApiKey:
        found = await self._store.find(self._known_peppers().digests(secret))
        if found is None:
            raise KeyRingError("this key is not in the store")
        return found

    def _issued(self, template: ApiKey) -> Issued:
        pepper: Pepper = self._known_peppers().current
        secret = new_key(template.kind)
        digest = pepper.digest(secret)
        key = msgspec.structs.replace(template, digest=digest, pepper_id=pepper.id)
        return Issued(secret, key)

    def _known_peppers(self) -> Peppers:
        if self._peppers is None:
            raise KeyRingError("the pepper is needed for this")
        return self._peppers

    def _now(self) -> datetime:
        # Whole seconds: nobody reads more, and what is kept compares equal to what was made.
        return datetime.fromtimestamp(int(self._clock.wall()), UTC)


def origin_of(text: str) -> str:
    """An address as browsers write it in `Origin`. Raises KeyRingError."""
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError:
        raise KeyRingError(f"the origin {text!r} is no address") from None
    extra = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in _PORTS or not parts.hostname or extra or "*" in text:
        raise KeyRingError(f"the origin {text!r} must be like https://shop.example.com")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def _checked(order: Order) -> Order:
    """With origins and the customer as they are kept. Raises KeyRingError."""
    _require(0 < len(order.name.strip()) <= _NAME and order.name.isprintable(), "name", order.name)
    for scope in order.scopes:
        _require(_SCOPE.fullmatch(scope) is not None, "scope", scope)
    _require(_RATE_CLASS.fullmatch(order.rate_class) is not None, "rate class", order.rate_class)
    for customer in order.customers or ():
        _require(bool(customer.strip()) and customer.isprintable(), "customer", customer)
    _require_lifetime(order.lifetime)
    return replace(
        order,
        name=order.name.strip(),
        origins=frozenset(map(origin_of, order.origins)),
        customer=_customer(order),
    )


def _customer(order: Order) -> str | None:
    """Whom the key acts for when a request does not say; the only one there is, unless told."""
    if order.customers is None:
        return order.customer
    if order.customer is None:
        return next(iter(order.customers)) if len(order.customers) == 1 else None
    if order.customer not in order.customers:
        raise KeyRingError("the default customer must be one of the key's customers")
    return order.customer


def _require(fine: bool, what: str, told: str) -> None:  # noqa: FBT001 - reads like assert
    if not fine:
        raise KeyRingError(f"{told!r} cannot be a {what}")


def _require_lifetime(lifetime: Lifetime) -> None:
    if lifetime is not None and not timedelta() < lifetime <= LONGEST:
        raise KeyRingError(f"a key lives {LONGEST.days} days at most, and more than none")


def _end(now: datetime, lifetime: Lifetime) -> datetime | None:
    return None if lifetime is None else now + lifetime


def _rotatable(family: Sequence[ApiKey], key_id: str, now: datetime) -> ApiKey:
    """Looked at within the transaction, as others may rotate the same key."""
    key = next(key for key in family if key.id == key_id)
    if (state := key.state(now)) != "live":
        raise KeyRingError(f"the key {key_id} is {state}; create a new one")
    others = [one.id for one in family if one.id != key_id and one.state(now) == "live"]
    if len(others) >= LIVE_KEYS - 1:
        raise KeyRingError(f"its client has {others[0]} too; two live keys are the most")
    return key
