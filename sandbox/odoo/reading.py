"""Rows as answers: `read` with labelled relations, `web_read` with its nested specification."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.odoo.faults import value_error
from sandbox.odoo.ordering import arranged
from sandbox.odoo.schema import TO_MANY, Field, Row
from sandbox.odoo.store import Env, Getter, Table, getter

Record = dict[str, Any]
Specification = Mapping[str, Mapping[str, Any]]


def _field(table: Table, name: object) -> Field:
    field = table.model.fields.get(name) if isinstance(name, str) else None
    if field is None:
        raise value_error(f"Invalid field {name!r} on {table.model.name!r}")
    return field


def plain(env: Env, table: Table, field: Field) -> Getter:
    """Relations as ids; to-many as a list."""
    value = getter(env, table.model, field)
    if field.type in TO_MANY:
        return lambda row: list(value(row))
    return value


def _labelled(env: Env, table: Table, field: Field) -> Getter:
    value = plain(env, table, field)
    if field.type != "many2one":
        return value
    relation = field.relation or ""

    def pair(row: Row) -> Any:
        key = value(row)
        return [key, env.label(relation, key)] if key else False

    return pair


def read(
    env: Env, table: Table, rows: Iterable[Row], names: Iterable[str] | None, *, labels: bool = True
) -> list[Record]:
    """`read`: all fields when none is named; `id` always first."""
    convert = _labelled if labels else plain
    wanted = list(names) if names else list(table.model.fields)
    values = [(n, convert(env, table, _field(table, n))) for n in dict.fromkeys(wanted)]
    return [{"id": row["id"], **{name: value(row) for name, value in values}} for row in rows]


def web_read(env: Env, table: Table, rows: Iterable[Row], spec: Specification) -> list[Record]:
    build = _builder(env, table, spec)
    return [build(row) for row in rows]


def _builder(env: Env, table: Table, spec: Specification) -> Callable[[Row], Record]:
    parts = [(name, _part(env, table, _field(table, name), wish)) for name, wish in spec.items()]

    def record(row: Row) -> Record:
        built: Record = {"id": row["id"]}
        for name, value in parts:
            built[name] = value(row)
        return built

    return record


def _part(env: Env, table: Table, field: Field, wish: Mapping[str, Any]) -> Getter:
    value = plain(env, table, field)
    if field.relation is None or not wish:
        return value
    inner_env = env.with_context(wish.get("context"))
    comodel = env.store[field.relation]
    if field.type in TO_MANY:
        return _many(inner_env, comodel, value, wish)
    if "fields" not in wish:
        return value
    build = _builder(inner_env, comodel, wish["fields"])

    def one(row: Row) -> Any:
        key = value(row)
        return build(comodel.rows[key]) if key else False

    return one


def _many(env: Env, comodel: Table, value: Getter, wish: Mapping[str, Any]) -> Getter:
    """Beyond `limit` the real server answers bare ids in place of records."""
    order, limit = wish.get("order"), wish.get("limit")
    build = _builder(env, comodel, wish["fields"]) if "fields" in wish else None
    rows = comodel.rows

    def many(row: Row) -> Any:
        keys = value(row)
        if order:
            keys = [each["id"] for each in arranged(env, comodel, [rows[k] for k in keys], order)]
        if build is None:
            return keys
        shown = len(keys) if limit is None else limit
        return [build(rows[k]) if at < shown else {"id": k} for at, k in enumerate(keys)]

    return many
