"""Signed access tokens: what one must look like, who signed it, whether it counts now (RFC 9068).

A token is read before it is believed, to find its issuer; nothing read is used before its
signature is checked.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from joserfc import jws
from joserfc.errors import ExpiredTokenError, JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import Key
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode

from gateway.access.errors import RefusedTokenError
from gateway.access.remembered import Seconds
from gateway.access.strict_json import DisputableError, strict_object
from gateway.settings.access import IssuerSettings

MAX_BYTES = 8 * 1024
_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_PLAIN_TYPES = frozenset({"jwt", "application/jwt", ""})
# What would let a token choose its own key, or change how it is read.
_REFUSED_HEADERS = ("jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc", "cty")
_OTHER_TOKENS = frozenset({"id", "id_token", "refresh", "refresh_token", "logout", "offline"})
_KID_CHARACTERS = 256
# RFC 6750 §2.1
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SignedToken:
    """A token that was read, and not checked."""

    text: bytes
    header: Mapping[str, Any]
    claims: Mapping[str, Any]


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def looks_signed(text: str) -> bool:
    """Whether it has the parts of a signed or of an encrypted token, which no issuer is asked."""
    return text.count(".") in {2, 4}


def read(text: str) -> SignedToken:
    """Raises RefusedTokenError for what is no signed token."""
    parts = text.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise RefusedTokenError("is encrypted or no token at all")
    header = _part(parts[0], "header")
    return SignedToken(text.encode("ascii"), header, _part(parts[1], "claims"))


class Rules:
    """What the tokens of one issuer must be. Every check raises RefusedTokenError."""

    def __init__(self, settings: IssuerSettings, wall: Seconds) -> None:
        self._types = _TYPES | _PLAIN_TYPES if settings.plain_jwt else _TYPES
        self._algorithms = frozenset(settings.algorithms)
        self._registry = _Registry(self._algorithms)
        self._claims = JWTClaimsRegistry(
            now=lambda: int(wall()),
            leeway=settings.leeway_seconds,
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "values": list(settings.audience)},
            exp={"essential": True},
            sub={"essential": True},
        )

    def key_id(self, token: SignedToken) -> str | None:
        """The key id of a token whose header is allowed."""
        header = token.header
        if refused := [name for name in _REFUSED_HEADERS if name in header]:
            raise RefusedTokenError(f"has the header {refused[0]}")
        if _text(header, "typ", "").lower() not in self._types:
            raise RefusedTokenError("is of another type")
        if _text(header, "alg", "") not in self._algorithms:
            raise RefusedTokenError("is signed by an algorithm that is not allowed")
        kid = _text(header, "kid", None)
        if kid is not None and not 0 < len(kid) <= _KID_CHARACTERS:
            raise RefusedTokenError("has a key id of no sane length")
        return kid

    def check_signature(self, token: SignedToken, keys: Sequence[Key]) -> None:
        if not keys:
            raise RefusedTokenError("is signed by an unknown key")
        if not any(self._signed(token, key) for key in keys):
            raise RefusedTokenError("has a wrong signature")

    def check_claims(self, claims: Mapping[str, Any]) -> None:
        try:
            self._claims.validate(dict(claims))
        except ExpiredTokenError:
            raise RefusedTokenError("is expired", "expired") from None
        except JoseError as problem:
            raise RefusedTokenError(str(problem)) from None
        check_kind(claims)

    def _signed(self, token: SignedToken, key: Key) -> bool:
        try:
            read_again = jws.extract_compact(token.text, registry=self._registry)
            return jws.validate_compact(read_again, key, registry=self._registry)
        except (JoseError, ValueError):
            # The key is for another algorithm, curve or use.
            return False


class _Registry(jws.JWSRegistry):
    """The configured algorithms, and headers of any name: those that matter were looked at."""

    max_header_length = MAX_BYTES

    def __init__(self, algorithms: frozenset[str]) -> None:
        super().__init__(algorithms=algorithms, strict_check_header=False)

    def get_alg(self, name: str) -> JWSAlgModel:
        """Without the library's warning at each use of `EdDSA`, which most issuers still say."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


def check_kind(claims: Mapping[str, Any]) -> None:
    """Refuses what is signed by the same keys and is no bearer token.

    A token bound to its owner's key (RFC 9449 §7.2, RFC 8705) would be worth stealing if it were
    taken without that key.
    """
    if "cnf" in claims:
        raise RefusedTokenError("is bound to a key that a bearer does not show")
    for name in ("typ", "token_use", "token_type"):
        if str(claims.get(name, "")).lower() in _OTHER_TOKENS:
            raise RefusedTokenError("is no access token")


def _part(text: str, name: str) -> dict[str, Any]:
    try:
        return strict_object(urlsafe_b64decode(text.encode("ascii")))
    except DisputableError as problem:
        raise RefusedTokenError(f"has {name}: it {problem}") from None
    except ValueError:
        raise RefusedTokenError(f"has {name} that are no base64") from None


def _text(header: Mapping[str, Any], name: str, default: T) -> str | T:
    value = header.get(name, default)
    if value is not default and not isinstance(value, str):
        raise RefusedTokenError(f"has a header {name} that is no text")
    return value
