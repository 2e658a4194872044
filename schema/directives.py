"""The contract's own directives: on the schema, and asked by clients."""

from enum import Enum
from typing import Annotated

import strawberry
from strawberry.directive import DirectiveLocation, DirectiveValue
from strawberry.schema_directive import Location

from ports.common import SystemName
from schema.fields import described


class CacheScope(Enum):
    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"


described(
    CacheScope,
    "Whether an answer may be shared between callers.",
    {"PUBLIC": "The same for every caller.", "PRIVATE": "For one caller's company only."},
)


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.FIELD_DEFINITION],
    name="system",
    description=(
        "The system of record of a type or field: drives the docs, the impact view and "
        "`extensions.system` of errors."
    ),
)
class System:
    name: SystemName


@strawberry.schema_directive(
    locations=[Location.OBJECT, Location.FIELD_DEFINITION],
    name="cacheControl",
    description=(
        "How long an answer may be reused, whether callers may share it, and how long it may "
        "stand in while the system is down (seconds)."
    ),
)
class CacheControl:
    max_age: int
    scope: CacheScope = CacheScope.PUBLIC
    stale_if_error: int | None = strawberry.UNSET


@strawberry.directive(
    locations=[DirectiveLocation.FIELD, DirectiveLocation.QUERY],
    name="fresh",
    description=(
        "Accept nothing older than `maxAge` seconds (0 = read the system now), or, when the "
        "system fails, nothing staler than `staleIfError` (0 = rather an error)."
    ),
)
def fresh(
    value: DirectiveValue[str],
    max_age: Annotated[int, strawberry.directive_field(name="maxAge")] = 0,
    stale_if_error: int | None = strawberry.UNSET,
) -> str:
    return value


@strawberry.directive(
    locations=[
        DirectiveLocation.QUERY,
        DirectiveLocation.MUTATION,
        DirectiveLocation.SUBSCRIPTION,
    ],
    name="inContext",
    description=(
        "Language of texts (BCP 47; else Accept-Language), and the company acted for (scope "
        "`customers:act-for`)."
    ),
)
def in_context(
    value: DirectiveValue[str],
    language: str | None = strawberry.UNSET,
    customer: str | None = strawberry.UNSET,
) -> str:
    return value


def of(system: SystemName) -> System:
    """`@system(name: …)` for a type or field."""
    return System(name=system)


PIM, ERP, CRM = of(SystemName.PIM), of(SystemName.ERP), of(SystemName.CRM)
OMS, CARRIER, PAYMENT = of(SystemName.OMS), of(SystemName.CARRIER), of(SystemName.PAYMENT)
DMS = of(SystemName.DMS)


def reusable(max_age: int, stale_if_error: int, *, private: bool = False) -> CacheControl:
    """`@cacheControl` for a type or field; both in seconds."""
    scope = CacheScope.PRIVATE if private else CacheScope.PUBLIC
    return CacheControl(max_age=max_age, scope=scope, stale_if_error=stale_if_error)
