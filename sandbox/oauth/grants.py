"""The three grants, with what the core leaves open: PKCE is required, tokens have an audience."""

from typing import TYPE_CHECKING, Any

from authlib.common.security import generate_token
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import KeySet

from sandbox.oauth.clients import Client, in_order
from sandbox.oauth.exchange import Incoming
from sandbox.oauth.ledger import Code, Grant, Token
from sandbox.oauth.people import Person

if TYPE_CHECKING:
    from sandbox.oauth.server import Server

_AUTHENTICATED = ["client_secret_basic", "client_secret_post"]


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]  # Authlib is untyped
    """A token is asked for an API that is not ours (RFC 8707 §2)."""

    error = "invalid_target"
    description = "Tokens are issued for the API of this company only."


class AuthorizationCodes(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # as above
    """A code is used once; shown again, it ends all that came of it."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none", *_AUTHENTICATED)
    server: "Server"
    request: Incoming

    def save_authorization_code(self, code: str, request: Incoming) -> None:
        ledger, person, said = self.server.ledger, request.user, request.payload.data
        now = int(ledger.clock())
        scope = in_order(person.scopes.intersection(request.scope.split()))
        if not scope:
            raise InvalidScopeError(
                "The person has none of these rights.", redirect_uri=request.payload.redirect_uri
            )
        audience = self.server.audience(request)
        ledger.add(
            Code(
                code,
                Grant(request.client, person, scope, audience, authenticated_at=now),
                request.payload.redirect_uri,
                said["code_challenge"],
                said.get("nonce"),
                now + self.server.terms.code_seconds,
            )
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        ledger = self.server.ledger
        found = ledger.code(code)
        if found is None or found.grant.client.id != client.id:
            return None
        if found.used:
            ledger.end(found.grant.id)
            return None
        return found if found.expires_at > ledger.clock() else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It is remembered as used."""
        authorization_code.used = True

    def authenticate_user(self, authorization_code: Code) -> Person | None:
        return authorization_code.grant.person

    def generate_token(self, scope: str, **_: Any) -> dict[str, Any]:
        grant = self.request.authorization_code.grant
        _same_audience(self.server, self.request, grant)
        return self.server.issue(grant, scope, refreshing="offline_access" in scope.split())


class ClientCredentials(grants.ClientCredentialsGrant):  # type: ignore[misc]  # as above
    TOKEN_ENDPOINT_AUTH_METHODS = _AUTHENTICATED
    server: "Server"
    request: Incoming

    def generate_token(self, scope: str | None, **_: Any) -> dict[str, Any]:
        client: Client = self.request.client
        granted = client.get_allowed_scope(scope)
        if not granted:
            raise InvalidScopeError
        now, audience = int(self.server.ledger.clock()), self.server.audience(self.request)
        return self.server.issue(Grant(client, None, granted, audience, now), granted)


class RefreshTokens(grants.RefreshTokenGrant):  # type: ignore[misc]  # as above
    """A refresh token is used once; shown again, it ends all tokens of its grant."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("none", *_AUTHENTICATED)
    server: "Server"
    request: Incoming

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        found = self.server.ledger.token(refresh_token)
        if found is None or not found.refreshes or not found.check_client(self.request.client):
            return None
        if found.ended:
            self.server.ledger.end(found.grant.id)
        return found if found.live else None

    def authenticate_user(self, refresh_token: Token) -> Person | None:
        return refresh_token.grant.person

    def generate_token(self, scope: str, **_: Any) -> dict[str, Any]:
        """The new refresh token has the whole scope again (RFC 6749 §6)."""
        grant = self.request.refresh_token.grant
        _same_audience(self.server, self.request, grant)
        return self.server.issue(grant, in_order(scope.split()), refreshing=True)

    def revoke_old_credential(self, refresh_token: Token) -> None:
        refresh_token.ended = True


class StrictChallenge(CodeChallenge):  # type: ignore[misc]  # as above
    """PKCE by S256, of every client (RFC 9700 §2.1.1); and a target that is ours."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: AuthorizationCodes, redirect_uri: Any) -> None:
        said = grant.request.payload.data
        if "code_challenge" not in said or said.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with 'code_challenge_method=S256' is required.")
        super().validate_code_challenge(grant, redirect_uri)
        grant.server.audience(grant.request)


class IdTokens(OpenIDCode):  # type: ignore[misc]  # as above
    """ID tokens are signed with RS256, which every client must know."""

    def __init__(self, server: "Server") -> None:
        super().__init__(require_nonce=False)
        self._server = server

    def exists_nonce(self, _nonce: str, _request: Incoming) -> bool:
        """Never: it is the client that compares it, and a person may go back and choose again."""
        return False

    def resolve_client_private_key(self, _client: Client) -> KeySet:
        return self._server.keys.signing("RS256")

    def get_client_algorithm(self, _client: Client) -> str:
        return "RS256"

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self._server.issuer, "aud": client.id}

    def get_authorization_code_claims(self, authorization_code: Code) -> dict[str, Any]:
        told: dict[str, Any] = super().get_authorization_code_claims(authorization_code)
        return {
            **told,
            "sid": authorization_code.grant.id,
            "azp": authorization_code.grant.client.id,
        }

    def generate_user_info(self, user: Person, scope: str) -> UserInfo:
        return user_info(user, scope)


def user_info(person: Person, scope: str) -> UserInfo:
    """What the scopes let a client know of the person."""
    scopes = scope.split()
    told: dict[str, Any] = {"sub": person.id}
    if "profile" in scopes:
        told |= {"name": person.name, "roles": list(person.roles)}
        told |= {} if person.customer is None else {"customer_number": person.customer}
    if "email" in scopes:
        told |= {"email": person.email, "email_verified": True}
    return UserInfo(told)


def new_value() -> str:
    """A code or token nobody guesses."""
    value: str = generate_token(48)
    return value


def _same_audience(server: "Server", request: Incoming, grant: Grant) -> None:
    """Raises InvalidTargetError where another API is named than the one consented to."""
    if server.audience(request, unsaid=grant.audience) != grant.audience:
        raise InvalidTargetError
