"""`order` clauses: comma-separated fields with directions, PostgreSQL's place for nulls."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.odoo.faults import user_error, value_error
from sandbox.odoo.schema import TO_MANY, Field, Row
from sandbox.odoo.store import Env, Table, getter

_TERM = re.compile(
    r"(?i)\s*(?P<field>\w+)(?:\s+(?P<way>asc|desc))?(?:\s+nulls\s+(?:first|last))?\s*"
)

Key = Callable[[Row], Any]


def terms(order: str) -> list[tuple[str, bool]]:
    """`[(field, descending)]`; a malformed clause is a UserError."""
    found = []
    for part in order.split(","):
        match = _TERM.fullmatch(part)
        if match is None:
            raise user_error(
                f'Invalid "order" specified ({order}). A valid "order" specification is a '
                "comma-separated list of valid field names (optionally followed by asc/desc "
                "for the direction)"
            )
        found.append((match["field"], (match["way"] or "").lower() == "desc"))
    return found


def ranks(env: Env, table: Table) -> dict[int, int]:
    if table.ranks is None:
        rows = arranged(env, table, list(table), None)
        table.ranks = {row["id"]: position for position, row in enumerate(rows)}
    return table.ranks


def _key(env: Env, table: Table, field: Field) -> Key:
    read = getter(env, table.model, field)
    # A relation to its own model sorts by id: its order would ask for itself without end.
    if field.relation and field.relation != table.model.name:
        places = ranks(env, env.store[field.relation])
        # A null sorts after everything; a relation sorts by its target's own order.
        return lambda row: (read(row) is False, places.get(read(row), 0))
    if field.type in {"integer", "float", "monetary", "boolean"}:
        return read
    blank: Any = 0 if field.relation else ""
    return lambda row: (read(row) is False, read(row) or blank)


def arranged(env: Env, table: Table, rows: list[Row], order: str | None) -> list[Row]:
    """The rows in order (the model's own when none is asked). Last key first: sorts are stable."""
    result = rows
    for name, descending in reversed(terms(order or table.model.order)):
        field = table.model.fields.get(name)
        if field is None:
            raise value_error(f"Invalid field {name!r} on model {table.model.name!r}")
        if not field.stored or field.type in TO_MANY:
            raise value_error(
                f"Cannot convert {table.model.name}.{name} to SQL because it is not stored"
            )
        result = sorted(result, key=_key(env, table, field), reverse=descending)
    return result
