"""An issuer's public keys: which of them can check signatures, and how they stay current."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from gateway.access.fetch import FetchError
from gateway.access.remembered import Clock, Collapse
from ports.common import SystemName
from ports.errors import UnavailableError

REFRESH_SECONDS = 600.0
UNKNOWN_KEY_SECONDS = 30.0
"An unknown key id is looked for so often at most, whoever invents how many."
RETRY_SECONDS = 5.0
"While no key is known at all, the issuer is asked so often at most."
_KEYS = 100
_PUBLIC = ("kty", "n", "e", "crv", "x", "y", "kid", "use", "alg", "key_ops")
_CURVES = frozenset({"P-256", "P-384", "P-521", "Ed25519", "Ed448"})
_RSA_BITS = 2048

log = structlog.get_logger(__name__)


class KeyRing:
    """The keys of one issuer. Those that are known go on while it is down.

    `load` gives a JWK set or raises FetchError; `changed` is called after other keys have come.
    """

    def __init__(
        self,
        issuer: str,
        load: Callable[[], Awaitable[Mapping[str, Any]]],
        changed: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._issuer = issuer
        self._load = load
        self._changed = changed
        self._clock = clock
        self._keys: tuple[Key, ...] | None = None
        self._failed_at = -math.inf
        self._sought_at = -math.inf
        self._fetches: Collapse[None, bool] = Collapse()

    async def keys(self, kid: str | None) -> tuple[Key, ...]:
        """The keys with this id; without an id the only key, if there is but one.

        Raises UnavailableError while no key was ever had.
        """
        if self._keys is None:
            await self._first()
        found = self._find(kid)
        while not found and kid is not None and await self._sought():
            found = self._find(kid)
        return found

    async def others(self, kid: str | None, tried: tuple[Key, ...]) -> tuple[Key, ...]:
        """Keys that came in place of those tried, for issuers that keep an id and change its key."""
        return self._find(kid) if await self._sought() and self._find(kid) != tried else ()

    async def _sought(self) -> bool:
        """Asks the issuer, or waits for who asks already; False where it was asked just now."""
        if not self._fetches.running(None):
            now = self._clock.steady()
            if now - self._sought_at < UNKNOWN_KEY_SECONDS:
                return False
            self._sought_at = now
        await self.refresh()
        return True

    async def refresh(self) -> bool:
        """Asks the issuer, or waits for who asks already; whether it gave keys."""
        return await self._fetches.run(None, self._fetch)

    async def keep_fresh(self) -> None:
        """Runs until it is cancelled."""
        while True:
            try:
                good = await self.refresh()
            except Exception:
                log.exception("issuer keys not fetched", issuer=self._issuer)
                good = False
            await asyncio.sleep(REFRESH_SECONDS if good else UNKNOWN_KEY_SECONDS)

    async def aclose(self) -> None:
        await self._fetches.aclose()

    async def _first(self) -> None:
        if self._clock.steady() - self._failed_at >= RETRY_SECONDS:
            await self.refresh()
        if self._keys is None:
            raise UnavailableError(
                system=SystemName.DIRECTORY.value,
                upstream=self._issuer,
                operation="access.keys",
                detail="no key of the issuer is known yet",
                retry_after=RETRY_SECONDS,
            )

    def _find(self, kid: str | None) -> tuple[Key, ...]:
        keys = self._keys or ()
        if kid is None:
            return keys if len(keys) == 1 else ()
        return tuple(key for key in keys if key.kid == kid)

    async def _fetch(self) -> bool:
        try:
            told = _listed(await self._load())
        except FetchError as problem:
            self._failed_at = self._clock.steady()
            known = len(self._keys or ())
            log.warning(
                "issuer keys not fetched", issuer=self._issuer, reason=str(problem), known=known
            )
            return False
        self._take(tuple(_usable(told, self._issuer)))
        return True

    def _take(self, keys: tuple[Key, ...]) -> None:
        if keys == self._keys:
            return
        first = self._keys is None
        self._keys = keys
        log.info("issuer keys changed", issuer=self._issuer, kids=[key.kid for key in keys])
        if not first:
            self._changed()


def _listed(key_set: Mapping[str, Any]) -> list[Any]:
    told = key_set.get("keys")
    if not isinstance(told, list):
        raise FetchError("the answer has no list of keys")
    return told


def _usable(told: Iterable[Any], issuer: str) -> Iterable[Key]:
    """Keys that can check a signature; others are left out, since sets hold keys of all sorts."""
    for position, given in enumerate(told):
        if position == _KEYS:
            return
        if not isinstance(given, dict):
            continue
        key = {name: given[name] for name in _PUBLIC if name in given}
        try:
            if _checks_signatures(key):
                yield _imported(key)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as problem:
            reason = type(problem).__name__
            log.warning("issuer key unusable", issuer=issuer, position=position, reason=reason)


def _imported(key: dict[str, Any]) -> Key:
    found = import_key(key)
    # Read now, as the library does it at the first signature otherwise.
    _ = found.public_key
    return found


def _checks_signatures(key: dict[str, Any]) -> bool:
    if key.get("use", "sig") != "sig" or "verify" not in key.get("key_ops", ("verify",)):
        return False
    if key.get("kty") == RSAKey.key_type:
        # Measured here, since the library only warns. Each character of base64 has six bits.
        return len(cast("str", key["n"]).rstrip("=")) * 6 >= _RSA_BITS
    return key.get("kty") in {ECKey.key_type, OKPKey.key_type} and key.get("crv") in _CURVES
