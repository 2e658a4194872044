"""The applications that the authorization server knows, and what each may ask it for."""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sandbox.credentials import OAUTH_IDE_ID, OAUTH_INTROSPECTION_ID, OAUTH_SECRETS
from sandbox.oauth.people import IDENTITY, OFFICE, READS, SCOPES, tenants
from sandbox.world import World

TokenFormat = Literal["ES256", "RS256", "opaque"]
GrantType = Literal["authorization_code", "refresh_token", "client_credentials"]

_MACHINE: tuple[GrantType, ...] = ("client_credentials",)
_BROWSER: tuple[GrantType, ...] = ("authorization_code", "refresh_token")
# RFC 8252 §7.3: the port of a loopback address is the client's choice, the path is not.
_LOOPBACK = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?(/[^?#]*|)")
_PATHS = frozenset(
    {
        "",
        "/",
        "/callback",
        "/graphql",
        "/ide",
        "/ide/",
        "/ide/callback",
        "/login",
        "/login/callback",
    }
    | {"/oauth/callback", "/auth/callback"}
)


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client; without a secret it is a public one.

    `customer` and `customers` are those that its own tokens act for, as in `Person`. The methods
    are those that Authlib asks of a client.
    """

    id: str
    name: str
    grants: tuple[GrantType, ...]
    scopes: frozenset[str]
    secret: str | None = None
    customer: str | None = None
    customers: tuple[str, ...] | None = ()
    roles: tuple[str, ...] = ()
    tokens: TokenFormat = "ES256"
    introspects: bool = False
    "Whether it may ask about tokens that were issued to others."

    @property
    def staff(self) -> bool:
        return "staff" in self.roles

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> None:
        """None: an authorization request names its own."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """What is granted of `scope`, all that is allowed for None; None refuses the request."""
        wanted = self.scopes if scope is None else frozenset(scope.split())
        return in_order(wanted) if wanted <= self.scopes else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Only paths we know on the loopback, spelled in the one way there is."""
        found = _LOOPBACK.fullmatch(redirect_uri)
        return "authorization_code" in self.grants and found is not None and found[1] in _PATHS

    def check_client_secret(self, client_secret: str) -> bool:
        return self.secret is not None and hmac.compare_digest(
            self.secret.encode(), client_secret.encode()
        )

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return (method == "none") == (self.secret is None)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and "authorization_code" in self.grants

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grants


def in_order(scopes: Iterable[str]) -> str:
    """The scopes as a token and its answer write them."""
    return " ".join(sorted(scopes, key=SCOPES.index))


def clients(world: World) -> Mapping[str, Client]:
    """By id. What is not public has its secret in `sandbox.credentials`."""
    first, second, _ = (one.customer for one in tenants(world))
    known = (
        Client(OAUTH_IDE_ID, "Query editor", _BROWSER, frozenset(SCOPES)),
        *(_storefront(place, one.customer) for place, one in enumerate(tenants(world), start=1)),
        _storefront(1, first, "storefront-opaque", tokens="opaque"),
        _machine("partner", "Partner's shop", (*READS, OFFICE[0]), customers=(first, second)),
        _machine("back-office", "Back office", (*READS, *OFFICE), customers=None, roles=("staff",)),
        Client(
            OAUTH_INTROSPECTION_ID,
            "The API itself",
            (),
            frozenset(),
            OAUTH_SECRETS[OAUTH_INTROSPECTION_ID],
            introspects=True,
        ),
    )
    return {client.id: client for client in known}


def _storefront(
    place: int, customer: str, name: str | None = None, tokens: TokenFormat = "ES256"
) -> Client:
    name = name or ("storefront" if place == 1 else f"storefront-tenant-{place}")
    return Client(
        name,
        f"Storefront of {customer}",
        _MACHINE,
        frozenset({*READS, OFFICE[0]}),
        OAUTH_SECRETS[name],
        customer=customer,
        customers=(customer,),
        tokens=tokens,
    )


def _machine(
    name: str,
    title: str,
    scopes: Iterable[str],
    *,
    customers: tuple[str, ...] | None,
    roles: tuple[str, ...] = (),
) -> Client:
    """One that signs with RS256, so that both algorithms are in use."""
    return Client(
        name,
        title,
        _MACHINE,
        frozenset(scopes) - frozenset(IDENTITY),
        OAUTH_SECRETS[name],
        customers=customers,
        roles=roles,
        tokens="RS256",
    )
