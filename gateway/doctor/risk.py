"""Which fields of the graph an upstream's operation feeds: what is at risk when it changes."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from graphql import GraphQLObjectType, get_named_type

from gateway.doctor.coverage import PLAIN
from ports.operation import operations
from upstream.codec import shape_of, structs_in
from upstream.roles import ROLES


def at_risk(operation: str, roles: Sequence[str]) -> tuple[str, ...]:
    """`Type.field` of what the operation (`orders.search`, with or without its route) answers.

    An operation that is no port's own (reference data, checks) feeds all roles of the upstream.
    """
    role, _, method = operation.partition(" ")[0].partition(".")
    if role in ROLES and method in operations(ROLES[role]):
        return _of_operation(role, method)
    some = (role,) if role in ROLES else roles
    found = {
        field
        for one in some
        for method in operations(ROLES[one])
        for field in _of_operation(one, method)
    }
    return tuple(sorted(found))


@cache
def _of_operation(role: str, method: str) -> tuple[str, ...]:
    """Fields of the records it answers, and the fields that lead to them."""
    from schema.build import schema
    from schema.fields import VIEWS

    core = schema()._schema  # noqa: SLF001 - no public way to the graphql-core schema
    protocol = ROLES[role]
    records = structs_in(shape_of(protocol, method, operations(protocol)[method]))
    names = {name for name, record in VIEWS.items() if record in records and record not in PLAIN}
    found = set[str]()
    for kind in core.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("_"):
            found |= {f"{kind.name}.{field}" for field in _fed(kind, role, names)}
    return tuple(sorted(found))


def _fed(kind: GraphQLObjectType, role: str, names: set[str]) -> Iterator[str]:
    for name, field in kind.fields.items():
        asks = _role(field)
        answer = get_named_type(field.type).name.removesuffix("Connection")
        if (kind.name in names and asks in {None, role}) or (asks == role and answer in names):
            yield name


def _role(field: Any) -> str | None:
    from schema.fields import PLAN

    definition = field.extensions.get("strawberry-definition")
    plan = definition.metadata.get(PLAN) if definition is not None else None
    role: str | None = plan.role if plan is not None else None
    return role
