"""Who can sign in to the sandbox, and on whose behalf: people and tenants, read off the world."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.world import Company, World

READS = (
    "catalog:read",
    "prices:read",
    "stock:read",
    "customers:read",
    "orders:read",
    "invoices:read",
)
OFFICE = ("customers:act-for", "systems:read")
"What only our own staff and machines are given."
IDENTITY = ("openid", "profile", "email", "offline_access")
SCOPES = (*READS, *OFFICE, *IDENTITY)
"All of them, in the order they are shown and issued in."

_TENANTS = 3


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer to sign in for, with an order that no other customer may see."""

    customer: str
    name: str
    order: str


@dataclass(frozen=True, slots=True)
class Person:
    """`customers` are those whose data the person may see; None: all of them."""

    id: str
    name: str
    email: str
    title: str
    customer: str | None
    customers: tuple[str, ...] | None
    scopes: frozenset[str]
    roles: tuple[str, ...]

    @property
    def staff(self) -> bool:
        return "staff" in self.roles

    def get_user_id(self) -> str:
        """The subject of a token, under the name that Authlib asks for it by."""
        return self.id


def tenants(world: World) -> tuple[Tenant, ...]:
    """The demo's customer first, then others in good standing, each with its last order."""
    placed = sorted(world.orders, key=lambda order: order.placed)
    orders = {order.company: order.number for order in placed if order.state == "sale"}
    companies = {one.number: one for one in world.companies}
    demo = world.examples.customer
    others = [one for one in world.companies if one.number != demo and _presentable(one)]
    numbers = [demo, *(one.number for one in others if one.number in orders)][:_TENANTS]
    orders[demo] = world.examples.order
    return tuple(Tenant(number, companies[number].name, orders[number]) for number in numbers)


def people(world: World) -> Mapping[str, Person]:
    """By id: `buyer`, `buyer-tenant-2`, `buyer-tenant-3` and `staff`."""
    companies = {one.number: one for one in world.companies}
    buyers = [
        _buyer(place, companies[tenant.customer])
        for place, tenant in enumerate(tenants(world), start=1)
    ]
    return {person.id: person for person in (*buyers, _staff(world))}


def _presentable(company: Company) -> bool:
    return not company.blocked and bool(company.contacts)


def _buyer(place: int, company: Company) -> Person:
    contact = company.contacts[0]
    return Person(
        id="buyer" if place == 1 else f"buyer-tenant-{place}",
        name=f"{contact.first_name} {contact.last_name}",
        email=contact.email,
        title=f"Buyer at {company.name} ({company.number})",
        customer=company.number,
        customers=(company.number,),
        scopes=frozenset({*READS, *IDENTITY}),
        roles=("buyer",),
    )


def _staff(world: World) -> Person:
    owner = world.owners[0]
    return Person(
        id="staff",
        name=f"{owner.first_name} {owner.last_name}",
        email=owner.email,
        title="Sales representative, may act for every customer",
        customer=None,
        customers=None,
        scopes=frozenset(SCOPES),
        roles=("staff",),
    )
