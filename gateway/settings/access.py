"""The keys of `[access]` that say whose tokens are accepted and what their claims mean."""

import ipaddress
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)

from resolvers.scopes import PUBLIC_SCOPES

Algorithm = Literal[
    "ES256",
    "ES384",
    "ES512",
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "EdDSA",
    "Ed25519",
]


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine, where plain HTTP can be listened to by nobody else."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _web_address(text: str) -> str:
    """As it is: an issuer's name is compared letter by letter, its last slash included."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address with a host")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must have neither credentials nor a fragment")
    return text


def _one_or_more(told: object) -> object:
    return (told,) if isinstance(told, str) else told


def _named_or_listed(told: object) -> object:
    """`[access.issuers.people]` is as good as `[[access.issuers]]`, and variables can reach it."""
    return tuple(told.values()) if isinstance(told, Mapping) else told


def _public(scopes: tuple[str, ...]) -> tuple[str, ...]:
    if secret := sorted(set(scopes) - PUBLIC_SCOPES):
        known = ", ".join(sorted(PUBLIC_SCOPES))
        raise ValueError(f"{', '.join(secret)} cannot be given to everybody; only {known} can")
    return scopes


WebAddress = Annotated[str, AfterValidator(_web_address)]
Words = Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]
Path = Annotated[str, Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class IntrospectionSettings(_Table):
    """How the issuer is asked about tokens that say nothing by themselves (RFC 7662)."""

    client_id: str = Field(min_length=1, description="The gateway's own client id at the issuer.")
    client_secret: SecretStr = Field(description="Its secret, sent by Basic authentication.")
    endpoint: WebAddress | None = Field(
        default=None, description="Address of the endpoint; else the one that discovery tells."
    )
    cache_seconds: float = Field(
        default=30,
        ge=0,
        le=60,
        description="How long an answer is believed: a revoked token lives on as long.",
    )
    audience_required: bool = Field(
        default=False,
        description="Refuse tokens of which the issuer does not tell the audience. "
        "An audience that is told must always be ours.",
    )
    concurrency: int = Field(default=32, ge=1, le=1000, description="Questions asked at once.")


class ClaimsSettings(_Table):
    """Where a token says what about its caller.

    A path is a claim's name, or names with dots between for claims in claims
    (`realm_access.roles`). A name that has dots itself (`https://example.com/customer`) is found.
    """

    subject: Path = Field(default="sub", description="Who the caller is.")
    customer: Path = Field(
        default="customer_number", description="Number of the customer that the caller acts for."
    )
    customers: Path = Field(
        default="customers", description="List of all customers that the caller may act for."
    )
    scopes: Words = Field(
        default=("scope", "scp", "permissions"),
        description="What the caller may ask for, as words or as a list; "
        "of several paths the first that the token has.",
    )
    scope_map: Mapping[str, Words] = Field(
        default_factory=dict,
        description="Scopes for words that the issuer spells its own way: "
        '`{ "Orders.Read" = "orders:read" }`.',
    )
    staff: Path | None = Field(
        default=None,
        description="Tells own staff, who see every customer; without it nobody is staff.",
    )
    staff_value: str | bool = Field(
        default=True, description="What the staff claim must be, or have in its list."
    )
    name: Path = Field(default="name", description="The caller's name.")
    email: Path = Field(default="email", description="The caller's e-mail address.")
    email_verified: Path = Field(
        default="email_verified",
        description="Whether the e-mail address is the caller's; only then the directory is asked "
        "by it.",
    )


class IssuerSettings(_Table):
    """One authorization server whose access tokens are accepted."""

    issuer: WebAddress = Field(description="Its name, exactly as its tokens say it in `iss`.")
    audience: Words = Field(
        min_length=1, description="Names of this API, one of which a token must have in `aud`."
    )
    algorithms: tuple[Algorithm, ...] = Field(
        default=("ES256", "RS256", "PS256", "EdDSA"),
        min_length=1,
        description="Signature algorithms that are accepted.",
    )
    discovery: WebAddress | None = Field(
        default=None,
        description="Address of its metadata; else below the issuer, "
        "as OpenID Connect Discovery and RFC 8414 have it.",
    )
    jwks_uri: WebAddress | None = Field(
        default=None, description="Address of its keys; else the one that its metadata tells."
    )
    plain_jwt: bool = Field(
        default=False,
        description="Accept tokens whose header says `JWT` or nothing in place of `at+jwt`.",
    )
    leeway_seconds: int = Field(
        default=30, ge=0, le=300, description="How far its clock and ours may differ."
    )
    timeout_seconds: float = Field(
        default=5, gt=0, le=30, description="Longest wait for its keys or an introspection."
    )
    insecure: bool = Field(
        default=False, description="Allow plain HTTP beyond this machine; for tests only."
    )
    ca_file: str | None = Field(
        default=None, description="PEM file of the authority that signed its certificate."
    )
    email_trusted: bool = Field(
        default=False, description="Every e-mail address in its tokens is the caller's own."
    )
    introspection: IntrospectionSettings | None = Field(
        default=None, description="Accept opaque tokens, asking the issuer about each."
    )
    claims: ClaimsSettings | None = Field(
        default=None, description="Where its tokens say what, if not as `[access.claims]` has it."
    )

    @model_validator(mode="after")
    def _encrypted(self) -> "IssuerSettings":
        told = (self.issuer, self.discovery, self.jwks_uri)
        asked = self.introspection.endpoint if self.introspection else None
        for address in (*told, asked):
            if address and not self.insecure and not _private(address):
                raise ValueError(f"{address} must be https:// (or set `insecure = true` in tests)")
        return self


class TokenSettings(_Table):
    """Who may ask: anonymous callers, and the holders of access tokens."""

    anonymous: bool = Field(
        default=False, description="Answer callers without credentials, for what is public."
    )
    anonymous_scopes: Annotated[tuple[str, ...], AfterValidator(_public)] = Field(
        default=("catalog:read", "prices:read"),
        description="What callers without credentials may ask for.",
    )
    realm: str = Field(
        default="passerelle",
        pattern=r"^[A-Za-z0-9 ._-]{1,64}$",
        description="Name of the protected space, shown to clients that must authenticate.",
    )
    issuers: Annotated[tuple[IssuerSettings, ...], BeforeValidator(_named_or_listed)] = Field(
        default=(), description="Authorization servers whose access tokens are accepted."
    )
    claims: ClaimsSettings = Field(
        default=ClaimsSettings(), description="Where a token says what about its caller."
    )

    @model_validator(mode="after")
    def _told_apart(self) -> "TokenSettings":
        names = [one.issuer for one in self.issuers]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"issuer {twice} is there twice")
        return self


def _private(address: str) -> bool:
    return urlsplit(address).scheme == "https" or is_loopback(address)
