"""What fields are said to ask of ports, against the schema and the ports."""

from collections.abc import Iterator

import pytest

from gateway.execution.plan import DEFINITION
from ports.operation import operations
from schema.asks import ASKS
from schema.build import schema
from schema.fields import PLAN, FieldPlan
from upstream.roles import ROLES

OPERATIONS = {f"{role}.{method}" for role, port in ROLES.items() for method in operations(port)}
# Asked by routes and by the gateway itself, not by fields.
APART = {"directory"}


def batched_fields() -> Iterator[tuple[str, FieldPlan]]:
    for name, kind in schema()._schema.type_map.items():
        for field_name, field in getattr(kind, "fields", {}).items():
            own = field.extensions.get(DEFINITION)
            plan = getattr(own, "metadata", {}).get(PLAN)
            if plan is not None and plan.batch is not None:
                yield f"{name}.{field_name}", plan


def test_every_field_of_a_port_says_what_it_asks() -> None:
    silent = [name for name, plan in batched_fields() if plan.role in ROLES and name not in ASKS]

    assert silent == []


def test_a_fields_own_port_is_among_what_it_asks() -> None:
    """Or else the scope that it needs would not be that of what it shows."""
    apart = {"Order.status"}  # the order's own word, with what parcels add
    fields = {name: plan for name, plan in batched_fields() if plan.role in ROLES}
    other = [
        name
        for name, plan in fields.items()
        if plan.role not in {one.operation.partition(".")[0] for one in ASKS[name]}
    ]

    assert set(other) == apart


@pytest.mark.parametrize("coordinate", sorted(ASKS))
def test_what_is_asked_is_an_operation_of_a_port(coordinate: str) -> None:
    kind, _, name = coordinate.partition(".")

    assert name in schema()._schema.type_map[kind].fields  # type: ignore[attr-defined]
    assert {one.operation for one in ASKS[coordinate]} <= OPERATIONS


def test_every_operation_of_a_port_is_asked_by_a_field() -> None:
    asked = {one.operation for asks in ASKS.values() for one in asks}

    assert {name for name in OPERATIONS - asked if name.partition(".")[0] not in APART} == set()
