"""Authlib's authorization server over the ledger: what it issues, and what it tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc import jws
from joserfc.jwk import KeySet
from starlette.responses import Response

from sandbox.credentials import OAUTH_AUDIENCE
from sandbox.oauth.clients import Client
from sandbox.oauth.endpoints import EndSession, Introspection, Revocation
from sandbox.oauth.exchange import Incoming, answer
from sandbox.oauth.grants import (
    AuthorizationCodes,
    ClientCredentials,
    IdTokens,
    InvalidTargetError,
    RefreshTokens,
    StrictChallenge,
    new_value,
)
from sandbox.oauth.keys import Keys
from sandbox.oauth.ledger import Grant, Ledger, Token
from sandbox.oauth.people import SCOPES, Person

AUDIENCES = (OAUTH_AUDIENCE, "passerelle", "https://elsewhere.example")
"The API's name, its short form, and an API that is not ours: its tokens are to be refused."


@dataclass(frozen=True, slots=True)
class Terms:
    """Lifetimes in seconds. A retired key stays published as long as its tokens may live."""

    code_seconds: int = 60
    access_seconds: int = 3_600
    refresh_seconds: int = 12 * 3_600
    key_seconds: int = 2 * 3_600


class Server(AuthorizationServer):  # type: ignore[misc]  # Authlib is untyped
    """Its `issue` is the one place where tokens are made."""

    def __init__(
        self, issuer: str, clients: Mapping[str, Client], ledger: Ledger, terms: Terms
    ) -> None:
        super().__init__(scopes_supported=SCOPES)
        self.issuer = issuer
        self.ledger = ledger
        self.terms = terms
        self.keys = Keys(terms.key_seconds, ledger.clock)
        self._clients = clients
        self.register_grant(AuthorizationCodes, [StrictChallenge(required=True), IdTokens(self)])
        self.register_grant(ClientCredentials)
        self.register_grant(RefreshTokens)
        for endpoint in (Introspection, Revocation, EndSession):
            self.register_endpoint(endpoint)

    def issue(self, grant: Grant, scope: str, *, refreshing: bool = False) -> dict[str, Any]:
        """The answer of the token endpoint; what is in it stands in the ledger."""
        now = int(self.ledger.clock())
        generator = _AccessTokens(self, grant, refreshing=refreshing)
        token: dict[str, Any] = generator.generate("", grant.client, grant.person, scope)
        self._record(token["access_token"], grant, scope, now, generator.claims)
        if refresh := token.get("refresh_token"):
            self._record(refresh, grant, grant.scope, now)
        return token

    def audience(self, request: Incoming, unsaid: str = OAUTH_AUDIENCE) -> str:
        """The API the token is for, by `resource` (RFC 8707) or `audience`."""
        said = request.payload.datalist
        named = {*said.get("resource", ()), *said.get("audience", ())}
        if not named <= set(AUDIENCES) or len(named) > 1:
            raise InvalidTargetError
        return named.pop() if named else unsaid

    def query_client(self, client_id: str) -> Client | None:
        return self._clients.get(client_id)

    def save_token(self, token: Mapping[str, Any], request: Incoming) -> None:
        """Nothing is left to do: see `issue`."""

    def send_signal(self, name: str, *_: Any, **__: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Incoming) -> Incoming:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        return answer(status, body, headers)

    def _record(
        self, value: str, grant: Grant, scope: str, now: int, claims: dict[str, Any] | None = None
    ) -> None:
        terms = self.terms
        seconds = terms.refresh_seconds if claims is None else terms.access_seconds
        self.ledger.add(Token(value, grant, scope, now + seconds, self.ledger.clock, claims))


class _AccessTokens(JWTBearerTokenGenerator):  # type: ignore[misc]  # as above
    """The tokens of one grant; `claims` are those of the access token made last."""

    def __init__(self, server: Server, grant: Grant, *, refreshing: bool) -> None:
        kind = grant.client.tokens
        super().__init__(
            server.issuer,
            alg="ES256" if kind == "opaque" else kind,
            refresh_token_generator=_refresh_token if refreshing else None,
            # Authlib's own lifetime would be ten days.
            expires_generator=server.terms.access_seconds,
        )
        self._keys = server.keys
        self._grant = grant
        self.claims: dict[str, Any] = {}

    def access_token_generator(
        self, client: Client, grant_type: str, user: Person | None, scope: str
    ) -> str:
        """A signed token, or a word that stands for one which only we know."""
        signed: str = super().access_token_generator(client, grant_type, user, scope)
        self.claims = orjson.loads(jws.extract_compact(signed.encode()).payload)
        return new_value() if client.tokens == "opaque" else signed

    def get_jwks(self) -> KeySet:
        return self._keys.signing(self.alg)

    def get_audiences(self, _client: Client, _user: Person | None, _scope: str) -> str:
        return self._grant.audience

    def get_auth_time(self, user: Person | None) -> int | None:
        return None if user is None else self._grant.authenticated_at

    def get_extra_claims(
        self, _client: Client, _grant_type: str, _user: Person | None, _scope: str
    ) -> dict[str, Any]:
        acting = self._grant.acting
        told: dict[str, Any] = {"name": acting.name, "roles": list(acting.roles)}
        told["staff"] = acting.staff
        if acting.customer is not None:
            told["customer_number"] = acting.customer
        if acting.customers is not None:
            told["customers"] = list(acting.customers)
        if isinstance(acting, Person):
            told["email"] = acting.email
        return told


def _refresh_token(**_: Any) -> str:
    return new_value()
