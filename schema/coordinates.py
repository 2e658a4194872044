"""Which fields of the graph (`Type.field`) each role serves."""

from functools import cache
from typing import Any

from ports.systems import System
from resolvers.scopes import ROLE_OF_KIND


@cache
def coordinates() -> dict[str, tuple[str, ...]]:
    """`Type.field` by role, sorted."""
    from schema.build import schema
    from schema.fields import PLAN

    found: dict[str, set[str]] = {}
    for name, kind in schema().schema_converter.type_map.items():
        definition: Any = kind.definition
        for field in getattr(definition, "fields", ()):
            plan = getattr(field, "metadata", {}).get(PLAN)
            role = (plan and plan.role) or _role_of(name)
            if role:
                converter = schema().config.name_converter
                graphql_name = converter.get_graphql_name(field)
                found.setdefault(role, set()).add(f"{name}.{graphql_name}")
    return {role: tuple(sorted(names)) for role, names in found.items()}


def affected(system: System) -> list[str]:
    """What suffers while this upstream is down."""
    served = coordinates()
    return sorted({name for role in system.roles for name in served.get(role, ())})


def _role_of(name: str) -> str | None:
    """Fields with no resolver of their own belong to the role that their objects come from."""
    return ROLE_OF_KIND.get(name.removesuffix("Line"))
