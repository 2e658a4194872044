"""What was granted and issued, in memory: a restart forgets it all, as it does the keys."""

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sandbox.oauth.clients import Client
from sandbox.oauth.people import Person
from sandbox.rate import Clock

_SWEPT_EVERY = 1_000
"So many records are added between two looks for expired ones."


@dataclass(slots=True)
class Grant:
    """One consent. All codes and tokens that came of it end with it."""

    client: Client
    person: Person | None
    scope: str
    audience: str
    authenticated_at: int
    id: str = field(default_factory=lambda: uuid4().hex)
    revoked: bool = False

    @property
    def acting(self) -> Person | Client:
        """Whose rights its tokens carry."""
        return self.person or self.client


@dataclass(slots=True)
class Code:
    """An authorization code. The methods are those that Authlib asks of one."""

    value: str
    grant: Grant
    redirect_uri: str
    code_challenge: str
    nonce: str | None
    expires_at: float
    code_challenge_method: str = "S256"
    used: bool = False

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.grant.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.grant.authenticated_at

    def get_acr(self) -> None:
        """None is said of how sure we are of the person: they only clicked."""

    def get_amr(self) -> None:
        """As above."""


@dataclass(slots=True)
class Token:
    """An access or a refresh token. The methods are those that Authlib asks of one."""

    value: str
    grant: Grant
    scope: str
    expires_at: float
    clock: Clock
    claims: dict[str, Any] | None = None
    "What an access token says, in itself or by introspection; a refresh token says nothing."
    ended: bool = False
    "Revoked by itself, or a refresh token that was used."

    @property
    def refreshes(self) -> bool:
        return self.claims is None

    @property
    def live(self) -> bool:
        return not (self.is_revoked() or self.is_expired())

    def check_client(self, client: Client) -> bool:
        return self.grant.client.id == client.id

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return self.expires_at <= self.clock()

    def is_revoked(self) -> bool:
        return self.ended or self.grant.revoked


class Ledger:
    """Codes and tokens by their value. An expired one may be there or not."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, Token] = {}
        self._grants: dict[str, Grant] = {}
        self._added = 0

    def add(self, record: Code | Token) -> None:
        self._added += 1
        if self._added % _SWEPT_EVERY == 0:
            self._sweep()
        if isinstance(record, Code):
            self._codes[record.value] = record
        else:
            self._tokens[record.value] = record
        self._grants[record.grant.id] = record.grant

    def code(self, value: str) -> Code | None:
        """The code, whether it still counts or not."""
        return self._codes.get(value)

    def token(self, value: str) -> Token | None:
        """The token, whether it still counts or not."""
        return self._tokens.get(value)

    def end(self, grant_id: str) -> None:
        """Revokes all that came of this grant, if there is one."""
        if grant := self._grants.get(grant_id):
            grant.revoked = True

    def _sweep(self) -> None:
        now = self.clock()
        self._codes = {key: one for key, one in self._codes.items() if one.expires_at > now}
        self._tokens = {key: one for key, one in self._tokens.items() if one.expires_at > now}
        kept: tuple[Code | Token, ...] = (*self._codes.values(), *self._tokens.values())
        self._grants = {one.grant.id: one.grant for one in kept}
