"""What the server tells about itself: OpenID Connect Discovery and RFC 8414 in one document."""

from typing import Any

from sandbox.oauth.people import SCOPES

_SECRETS = ["client_secret_basic", "client_secret_post"]
_CLAIMS = ["sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid"]
_PERSONAL = ["name", "email", "email_verified", "roles", "customer_number"]


def metadata(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "end_session_endpoint": f"{issuer}/end_session",
        **_supported(),
        "authorization_response_iss_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "claims_parameter_supported": False,
    }


def _supported() -> dict[str, list[str]]:
    return {
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*_SECRETS, "none"],
        "revocation_endpoint_auth_methods_supported": [*_SECRETS, "none"],
        "introspection_endpoint_auth_methods_supported": _SECRETS,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "prompt_values_supported": ["none", "login", "select_account", "consent"],
        "claims_supported": [*_CLAIMS, *_PERSONAL],
    }
