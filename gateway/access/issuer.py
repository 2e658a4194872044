"""One authorization server whose tokens are accepted: its keys, its rules, its answers."""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from gateway.access.bearer import Rules, SignedToken
from gateway.access.claims import at, caller_of
from gateway.access.discovery import Discovery
from gateway.access.errors import RefusedTokenError
from gateway.access.fetch import Fetcher, FetchError
from gateway.access.introspection import Introspection
from gateway.access.jwks import KeyRing
from gateway.access.membership import Membership
from gateway.access.remembered import Clock
from gateway.settings.access import ClaimsSettings, IssuerSettings
from ports.caller import Caller, CallerKind

KEPT_SECONDS = 60.0
"A token that was accepted is looked at again after so long at most."


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the issuers of a gateway share. `changed` is called when other keys have come."""

    clock: Clock = field(default_factory=Clock)
    membership: Membership | None = None
    transport: httpx2.AsyncBaseTransport | None = None
    changed: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A caller, and how many seconds its token may be believed without another look."""

    caller: Caller
    seconds: float


class Issuer:
    """Built without touching the network. Close it with `aclose`.

    With `prefixed`, its subjects begin with its name, since another issuer's may be the same.
    """

    def __init__(
        self,
        settings: IssuerSettings,
        claims: ClaimsSettings,
        around: Surroundings,
        *,
        prefixed: bool = False,
    ) -> None:
        self.name = settings.issuer
        self._settings = settings
        self._where = settings.claims or claims
        self._prefix = f"{settings.issuer} " if prefixed else ""
        self._around = around
        self._rules = Rules(settings, around.clock.wall)
        self._fetcher = Fetcher(
            timeout_seconds=settings.timeout_seconds,
            ca_file=settings.ca_file,
            transport=around.transport,
        )
        self._discovery = Discovery(settings, self._fetcher)
        self._keys = KeyRing(settings.issuer, self._key_set, around.changed, around.clock)
        self._introspection = self._asking()

    @property
    def introspects(self) -> bool:
        return self._introspection is not None

    async def accept(self, token: SignedToken) -> Accepted:
        """Raises RefusedTokenError; TransientError where it cannot be told now."""
        kid = self._rules.key_id(token)
        await self._check_signature(token, kid)
        self._rules.check_claims(token.claims)
        return await self._accepted(token.claims, KEPT_SECONDS)

    async def _check_signature(self, token: SignedToken, kid: str | None) -> None:
        keys = await self._keys.keys(kid)
        try:
            self._rules.check_signature(token, keys)
        except RefusedTokenError:
            others = await self._keys.others(kid, keys) if keys else ()
            if not others:
                raise
            self._rules.check_signature(token, others)

    async def accept_opaque(self, token: str) -> Accepted | None:
        """None where this issuer does not know the token; raises as `accept`."""
        if self._introspection is None:
            return None
        claims = await self._introspection.claims(token)
        if claims is None or self._settings.introspection is None:
            return None
        return await self._accepted(claims, self._settings.introspection.cache_seconds)

    async def keep_fresh(self) -> None:
        """Keeps the keys current, until it is cancelled."""
        await self._keys.keep_fresh()

    async def aclose(self) -> None:
        await self._keys.aclose()
        if self._around.membership is not None:
            await self._around.membership.aclose()
        await self._fetcher.aclose()

    async def _accepted(self, claims: Mapping[str, Any], seconds: float) -> Accepted:
        caller = caller_of(claims, self._where, self._prefix)
        membership = self._around.membership
        if membership and caller.kind is CallerKind.USER and not caller.customers:
            subject = caller.subject.removeprefix(self._prefix)
            caller = await membership.placed(caller, subject, self._proven_email(caller, claims))
        left = min(claims.get("exp", math.inf), self._around.clock.wall() + seconds)
        return Accepted(caller, left - self._around.clock.wall())

    def _proven_email(self, caller: Caller, claims: Mapping[str, Any]) -> str | None:
        proven = self._settings.email_trusted or at(claims, self._where.email_verified) is True
        return caller.email if proven else None

    async def _key_set(self) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                return await self._fetcher.get(await self._discovery.jwks_uri())
        except (FetchError, TimeoutError) as problem:
            # The keys may have moved; the next try looks for them anew.
            self._discovery.forget()
            raise FetchError(str(problem) or "no answer in time") from problem

    def _asking(self) -> Introspection | None:
        asked = self._settings.introspection
        if asked is None:
            return None
        wall = self._around.clock.wall
        return Introspection(self._settings, asked, self._fetcher, self._discovery, wall)
