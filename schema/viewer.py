"""The caller, as the gateway knows it."""

from typing import Any

from ports import caller
from ports.caller import CallerKind
from resolvers import viewer as resolve
from schema.customer import Customer
from schema.fields import batched, computed, plain, view


def _scopes(one: Any) -> list[str]:
    return sorted(one.scopes)


@view(
    caller.Caller,
    "Who is calling: a person (OAuth) or an application (API key, client credentials).",
)
class Viewer:
    subject: str = plain("The stable name of the caller.")
    kind: CallerKind = plain("Person, staff, application or nobody.")
    name: str | None = plain("The person's or application's name.")
    email: str | None = plain("The person's e-mail address.")
    scopes: list[str] = computed(_scopes, "What the caller may do.")
    customer: Customer | None = batched(
        resolve.customer, "The company that the caller acts for.", role="customers"
    )
