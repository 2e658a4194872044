"""How a request is refused for who asks it: the status, and the challenge that says what helps.

Clients learn that a credential is missing, expired or not accepted. Why exactly is for the log.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from gateway.operations.request import RequestError

UNAUTHENTICATED = "UNAUTHENTICATED"
FORBIDDEN = "FORBIDDEN"
BAD_REQUEST = "BAD_REQUEST"

Told = Literal["expired", "not accepted"]


class AccessError(RequestError):
    """A request refused before anything was asked: 400, 401 or 403."""


class RefusedTokenError(Exception):
    """A token that is not accepted. `reason` is for the log and never holds the token itself."""

    def __init__(self, reason: str, told: Told = "not accepted") -> None:
        super().__init__(reason)
        self.reason = reason
        self.told: Told = told


@dataclass(frozen=True, slots=True)
class Challenge:
    """Makes refusals with `WWW-Authenticate` (RFC 6750 §3).

    `metadata` is the address of the protected resource's metadata (RFC 9728 §5.1).
    """

    realm: str = "passerelle"
    metadata: str | None = None

    def nothing_sent(self) -> AccessError:
        """No error code: the client did nothing wrong, it only has to authenticate."""
        return self._error(401, "Authentication is required.", UNAUTHENTICATED)

    def unknown_scheme(self) -> AccessError:
        message = "Send an access token as `Authorization: Bearer`, or an API key as `X-API-Key`."
        return self._error(401, message, UNAUTHENTICATED)

    def refused_key(self) -> AccessError:
        return self._error(401, "The API key is not accepted.", UNAUTHENTICATED)

    def refused_token(self, told: Told = "not accepted") -> AccessError:
        message = f"The access token is {told}."
        return self._error(401, message, UNAUTHENTICATED, error="invalid_token")

    def ambiguous(self, message: str) -> AccessError:
        return self._error(400, message, BAD_REQUEST, error="invalid_request")

    def insufficient(self, scopes: Iterable[str]) -> AccessError:
        """For a request that is refused whole; a field refused is an entry of `errors` only."""
        message = "The credentials do not allow this."
        needed = " ".join(sorted(scopes))
        return self._error(403, message, FORBIDDEN, error="insufficient_scope", scope=needed)

    def _error(self, status: int, message: str, code: str, **parameters: str) -> AccessError:
        told = {"realm": self.realm, **parameters}
        if "error" in parameters:
            told["error_description"] = message
        if self.metadata is not None:
            told["resource_metadata"] = self.metadata
        value = ", ".join(f'{name}="{text}"' for name, text in told.items())
        return AccessError(
            status, message, code, ((b"www-authenticate", f"Bearer {value}".encode("ascii")),)
        )
