"""What clients and APIs do with tokens once they are issued: ask, revoke, sign out."""

from typing import TYPE_CHECKING, Any

from authlib.oauth2 import ResourceProtector
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oidc.core import UserInfo
from authlib.oidc.rpinitiated import EndSessionEndpoint, EndSessionRequest
from joserfc.jwk import KeySet

from sandbox.oauth.clients import Client
from sandbox.oauth.exchange import Incoming
from sandbox.oauth.grants import user_info
from sandbox.oauth.keys import ALGORITHMS
from sandbox.oauth.ledger import Ledger, Token

if TYPE_CHECKING:
    from sandbox.oauth.server import Server

_AUTHENTICATED = ["client_secret_basic", "client_secret_post"]


class Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # Authlib is untyped
    """RFC 7662. A refresh token is active nowhere but at the token endpoint."""

    CLIENT_AUTH_METHODS = _AUTHENTICATED
    server: "Server"

    def query_token(self, token_string: str, _hint: str | None) -> Token | None:
        found = self.server.ledger.token(token_string)
        return None if found is None or found.refreshes else found

    def check_permission(self, token: Token, client: Client, _request: Incoming) -> bool:
        return client.introspects or token.check_client(client)

    def introspect_token(self, token: Token) -> dict[str, Any]:
        person = token.grant.person
        named = {} if person is None else {"username": person.email}
        return {"active": True, "token_type": "Bearer", **(token.claims or {}), **named}


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # as above
    """RFC 7009. With a refresh token goes all of its grant."""

    CLIENT_AUTH_METHODS = ("none", *_AUTHENTICATED)
    server: "Server"

    def query_token(self, token_string: str, _hint: str | None) -> Token | None:
        return self.server.ledger.token(token_string)

    def revoke_token(self, token: Token, _request: Incoming) -> None:
        token.ended = True
        if token.refreshes:
            self.server.ledger.end(token.grant.id)


class EndSession(EndSessionEndpoint):  # type: ignore[misc]  # as above
    """A session is a grant: there is no cookie that would sign a person in again."""

    server: "Server"

    def get_server_jwks(self) -> KeySet:
        return self.server.keys.public()

    def get_algorithms(self) -> list[str]:
        return list(ALGORITHMS)

    def _is_valid_post_logout_redirect_uri(self, client: Client, uri: str) -> bool:
        return client.check_redirect_uri(uri)

    def end_session(self, end_session_request: EndSessionRequest) -> None:
        told = end_session_request.id_token_claims or {}
        self.server.ledger.end(str(told.get("sid", "")))


class UserInfoGate:
    """What the bearer of an access token is told about its person."""

    def __init__(self, ledger: Ledger) -> None:
        self._protector = ResourceProtector()
        self._protector.register_token_validator(_Bearer(ledger))

    def told(self, request: Incoming) -> UserInfo:
        """Raises OAuth2Error."""
        token = self._protector.validate_request(["openid"], request)
        return user_info(token.grant.person, token.scope)


class _Bearer(BearerTokenValidator):  # type: ignore[misc]  # as above
    def __init__(self, ledger: Ledger) -> None:
        super().__init__(realm="sandbox")
        self._ledger = ledger

    def authenticate_token(self, token_string: str) -> Token | None:
        found = self._ledger.token(token_string)
        return None if found is None or found.refreshes else found
