"""What the claims of different directories say of a caller."""

from typing import Any

import pytest

from gateway.access.claims import at, caller_of, is_application
from gateway.settings.access import ClaimsSettings
from ports.caller import Call, Caller, CallerKind
from ports.errors import PortError, RefusedError, TransientError
from tests.gateway.access.issuing import FakeIssuer, Gate, settings


def caller(claims: dict[str, Any], **paths: Any) -> Caller:
    return caller_of({"sub": "ada", **claims}, ClaimsSettings.model_validate(paths))


NESTED = {
    "flat": 1,
    "realm_access": {"roles": ["buyer"], "a.b": {"c": 2}},
    "https://example.com/customer": "C-1",
    "https://example.com/x": {"y.z": 3},
    "a": {"b": 4},
    "a.b": 5,
    "text": "x",
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("flat", 1),
        ("realm_access.roles", ["buyer"]),
        ("realm_access.a.b.c", 2),
        ("https://example.com/customer", "C-1"),
        ("https://example.com/x.y.z", 3),
        ("a.b", 5),
        ("a.c", None),
        ("text.x", None),
        ("realm_access.roles.0", None),
        ("nothing", None),
        ("..", None),
    ],
)
def test_paths(path: str, found: object) -> None:
    assert at(NESTED, path) == found


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "a:read  b:read"}, {"a:read", "b:read"}),
        ({"scp": ["a:read", "b:read"]}, {"a:read", "b:read"}),
        ({"scp": "a:read"}, {"a:read"}),
        ({"permissions": ["a:read"]}, {"a:read"}),
        ({"scope": "a:read", "permissions": ["b:read"]}, {"a:read"}),
        ({"scope": "", "permissions": ["b:read"]}, set()),
        ({"scope": ["a:read", 7, None, ["b:read"]]}, {"a:read"}),
        ({"scope": {"a:read": True}}, set()),
        ({"scope": True}, set()),
        ({}, set()),
    ],
)
def test_scopes(claims: dict[str, Any], scopes: set[str]) -> None:
    assert caller(claims).scopes == scopes


def test_scopes_by_other_names() -> None:
    found = caller(
        {"realm_access": {"roles": ["Orders.Read", "buyer", "catalog:read"]}},
        scopes="realm_access.roles",
        scope_map={"Orders.Read": "orders:read", "buyer": ["prices:read", "stock:read"]},
    )

    assert found.scopes == {"orders:read", "prices:read", "stock:read", "catalog:read"}


@pytest.mark.parametrize(
    ("claims", "customer", "customers"),
    [
        ({"customer_number": "C-1"}, "C-1", {"C-1"}),
        ({"customer_number": 1001}, "1001", {"1001"}),
        ({"customer_number": ["C-1"]}, "C-1", {"C-1"}),
        ({"customer_number": "C-1", "customers": ["C-2"]}, "C-1", {"C-1", "C-2"}),
        ({"customers": ["C-2"]}, "C-2", {"C-2"}),
        ({"customers": ["C-2", "C-3"]}, None, {"C-2", "C-3"}),
        ({"customer_number": ["C-1", "C-2"]}, None, {"C-1", "C-2"}),
        ({"customer_number": True}, None, set()),
        ({"customer_number": {"id": "C-1"}}, None, set()),
        ({"customer_number": ""}, None, set()),
        ({"customer_number": 1.5}, None, set()),
        ({"customers": "*"}, "*", {"*"}),
        ({"customers": None}, None, set()),
        ({}, None, set()),
    ],
)
def test_customers(claims: dict[str, Any], customer: str | None, customers: set[str]) -> None:
    found = caller(claims)

    assert (found.customer, found.customers) == (customer, customers)


def test_a_star_is_no_way_to_see_everybody() -> None:
    assert not caller({"customers": "*"}).may_see("C-1")


@pytest.mark.parametrize(
    ("told", "wanted", "staff"),
    [
        (["buyer", "staff"], "staff", True),
        ("staff", "staff", True),
        (True, True, True),
        ([True], True, True),
        ("no staff", "staff", False),
        ("staffing", "staff", False),
        ("true", True, False),
        (1, True, False),
        (False, True, False),
        ({"staff": True}, "staff", False),
        ([["staff"]], "staff", False),
        (None, "staff", False),
    ],
)
def test_staff(told: object, wanted: object, *, staff: bool) -> None:
    found = caller({"roles": told}, staff="roles", staff_value=wanted)

    assert (found.customers is None) is staff
    assert (found.kind is CallerKind.STAFF) is staff


def test_nobody_is_staff_unless_configured() -> None:
    assert caller({"staff": True, "roles": ["staff"]}).kind is CallerKind.USER


@pytest.mark.parametrize(
    ("claims", "application"),
    [
        ({"sub": "shop", "client_id": "shop"}, True),
        ({"sub": "shop", "azp": "shop"}, True),
        ({"sub": "shop@clients", "azp": "shop", "gty": "client-credentials"}, True),
        ({"sub": "7f", "azp": "shop", "preferred_username": "service-account-shop"}, True),
        ({"sub": "7f", "idtyp": "app"}, True),
        ({"sub": "ada", "client_id": "shop", "azp": "shop"}, False),
        ({"sub": "ada"}, False),
        ({"sub": "ada", "preferred_username": "service-account-none"}, False),
    ],
)
def test_applications(claims: dict[str, Any], *, application: bool) -> None:
    assert is_application(claims) is application


def test_names_that_cannot_be_shown_are_left_out() -> None:
    found = caller({"name": "Ada\x00", "email": ["a@x.example"]})

    assert (found.name, found.email) == (None, None)


class People:
    """A directory that knows people by their address."""

    def __init__(self, **customers: tuple[str, ...]) -> None:
        self.customers = customers
        self.asked: list[tuple[str, str | None]] = []
        self.fault: Exception | None = None

    async def customers_of(
        self, subject: str, email: str | None, /, *, call: Call
    ) -> tuple[str, ...]:
        assert call.caller.customer is None
        self.asked.append((subject, email))
        if self.fault is not None:
            raise self.fault
        return self.customers.get((email or "").partition("@")[0], ())


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer()


@pytest.fixture
def people() -> People:
    return People(ada=("C-7", "C-8"))


@pytest.fixture
def gate(issuer: FakeIssuer, people: People) -> Gate:
    told = {"issuers": [settings(claims={"staff": "staff"})], "anonymous": True}
    return Gate(issuer, directory=people, **told)


ADA = {"customer_number": None, "email": "ada@x.example", "email_verified": True}


async def test_the_directory_places_whom_the_token_does_not(
    gate: Gate, issuer: FakeIssuer, people: People
) -> None:
    found = await gate.bearer(issuer.token(**ADA))

    assert (found.customer, found.customers) == ("C-7", {"C-7", "C-8"})
    assert people.asked == [("ada", "ada@x.example")]


async def test_the_directory_is_believed_for_a_minute(
    gate: Gate, issuer: FakeIssuer, people: People
) -> None:
    await gate.bearer(issuer.token(**ADA))
    await gate.bearer(issuer.token(**ADA, jti="another"))
    assert len(people.asked) == 1

    people.customers = {}
    gate.time.passed = 60
    assert (await gate.bearer(issuer.token(**ADA))).customers == frozenset()


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email_verified": None}])
async def test_an_address_that_nobody_proved(
    gate: Gate, issuer: FakeIssuer, people: People, claims: dict[str, Any]
) -> None:
    assert (await gate.bearer(issuer.token(**ADA | claims))).customer is None
    assert people.asked == [("ada", None)]


async def test_addresses_of_a_trusted_issuer(issuer: FakeIssuer, people: People) -> None:
    gate = Gate(issuer, directory=people, issuers=[settings(email_trusted=True)])

    assert (await gate.bearer(issuer.token(**ADA | {"email_verified": None}))).customer == "C-7"


@pytest.mark.parametrize(
    "claims", [{"customer_number": "C-1"}, {"staff": True}, {"sub": "shop"}], ids=str
)
async def test_the_directory_is_not_asked_for_nothing(
    gate: Gate, issuer: FakeIssuer, people: People, claims: dict[str, Any]
) -> None:
    await gate.bearer(issuer.token(**ADA | claims))

    assert people.asked == []


@pytest.mark.parametrize(
    "fault",
    [RefusedError(system="CRM", upstream="crm", operation="x"), PortError("?"), TimeoutError()],
    ids=lambda fault: type(fault).__name__,
)
async def test_who_cannot_be_placed_is_not_let_in(
    gate: Gate, issuer: FakeIssuer, people: People, fault: Exception
) -> None:
    people.fault = fault

    with pytest.raises(TransientError) as raised:
        await gate.bearer(issuer.token(**ADA))
    assert raised.value.retryable

    people.fault = None
    assert (await gate.bearer(issuer.token(**ADA))).customer == "C-7"
