"""From `[access]` of the settings to what tells callers apart."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx2

from gateway.access.authenticate import Authenticator, KeyVerifier, VerifiedTokens, Watch
from gateway.access.errors import Challenge
from gateway.access.issuer import Issuer, Surroundings
from gateway.access.membership import Membership
from gateway.access.metadata import ProtectedResource
from gateway.access.remembered import Clock
from gateway.settings.access import TokenSettings
from ports.caller import Caller, CallerKind
from ports.directory import Directory


@dataclass(frozen=True, slots=True)
class Parts:
    """What the authenticator is given beside its settings. `transport` replaces the network."""

    watch: Watch
    keys: KeyVerifier | None = None
    directory: Directory | None = None
    transport: httpx2.AsyncBaseTransport | None = None
    clock: Clock = field(default_factory=Clock)


def authenticator(
    settings: TokenSettings, resource: ProtectedResource, parts: Parts
) -> Authenticator:
    """Built without touching the network; as a context it keeps the issuers' keys current."""
    verified = VerifiedTokens(parts.clock)
    membership = Membership(parts.directory, parts.clock) if parts.directory else None
    around = Surroundings(parts.clock, membership, parts.transport, verified.clear)
    return Authenticator(
        _issuers(settings, around),
        parts.keys,
        anonymous_caller(settings),
        parts.watch,
        challenge=Challenge(settings.realm, resource.address),
        verified=verified,
    )


def protected_resource(
    settings: TokenSettings, root: str, scopes: Sequence[str]
) -> ProtectedResource:
    """`root` is the gateway's public root; `scopes` are all there are."""
    return ProtectedResource(root, [one.issuer for one in settings.issuers], scopes)


def anonymous_caller(settings: TokenSettings) -> Caller | None:
    """Who sends no credentials; None where everybody must."""
    if not settings.anonymous:
        return None
    scopes = frozenset(settings.anonymous_scopes)
    return Caller(subject="anonymous", kind=CallerKind.ANONYMOUS, scopes=scopes)


def _issuers(settings: TokenSettings, around: Surroundings) -> list[Issuer]:
    """The first issuer's subjects stand as they are; the others' might be the same."""
    return [
        Issuer(one, settings.claims, around, prefixed=position > 0)
        for position, one in enumerate(settings.issuers)
    ]
