"""`formatted_read_group` of Odoo 19 and the older `read_group`, for sums per group."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sandbox.odoo.domains import selected
from sandbox.odoo.faults import value_error
from sandbox.odoo.ordering import ranks, terms
from sandbox.odoo.schema import TO_MANY, Field, Row
from sandbox.odoo.store import Env, Table, getter

_SUMMED = frozenset({"integer", "float", "monetary"})
_AGGREGATES: dict[str, Callable[[list[Any]], Any]] = {
    "sum": sum,
    "min": lambda values: min(values, default=False),
    "max": lambda values: max(values, default=False),
    "avg": lambda values: sum(values) / len(values) if values else False,
    "count": len,
    "count_distinct": lambda values: len(set(values)),
    "array_agg": list,
}
Group = dict[str, Any]


def formatted(
    env: Env, table: Table, domain: object, groupby: Sequence[str], aggregates: Sequence[str]
) -> list[Group]:
    """One group per distinct values: `{groupby…, aggregate…, "__extra_domain": […]}`."""
    fields = [_groupable(table, name) for name in groupby]
    sums = [(spec, _aggregate(env, table, spec)) for spec in aggregates]
    groups = []
    for key, rows in _grouped(env, table, domain, fields):
        group: Group = {f.name: _shown(env, f, v) for f, v in zip(fields, key, strict=True)}
        group["__extra_domain"] = [[f.name, "=", v] for f, v in zip(fields, key, strict=True)]
        group |= {spec: total(rows) for spec, total in sums}
        groups.append(group)
    return groups


def legacy(
    env: Env, table: Table, domain: list[Any], names: Iterable[str], groupby: Sequence[str]
) -> list[Group]:
    """`read_group`: `{field: sum, <field>_count, "__domain"}`; deprecated since 19 but there."""
    fields = [_groupable(table, name) for name in groupby]
    sums = [(name.partition(":")[0], _legacy_sum(env, table, name)) for name in names]
    sums = [(name, total) for name, total in sums if name not in set(groupby)]
    counter = f"{fields[0].name}_count" if len(fields) == 1 else "__count"
    groups = []
    for key, rows in _grouped(env, table, domain, fields):
        group: Group = {f.name: _shown(env, f, v) for f, v in zip(fields, key, strict=True)}
        group |= {name: total(rows) for name, total in sums}
        group[counter] = len(rows)
        own = [[f.name, "=", v] for f, v in zip(fields, key, strict=True)]
        group["__domain"] = ["&"] * len(own) + [*own, *domain] if domain else own
        groups.append(group)
    return groups


def sliced(groups: list[Group], offset: int, limit: int | None, order: str | None) -> list[Group]:
    """The part asked for; `order` names a groupby or an aggregate (`quantity:sum desc`)."""
    for name, descending in reversed(terms(order.replace(":", "__")) if order else []):
        key = next((k for k in (groups[0] if groups else ()) if k.replace(":", "__") == name), None)
        if key is not None:
            groups = sorted(groups, key=lambda g, k=key: _sortable(g[k]), reverse=descending)  # type: ignore[misc]
    return groups[offset : offset + limit] if limit else groups[offset:]


def _sortable(value: Any) -> tuple[bool, Any]:
    if isinstance(value, list):
        return (False, value[1])
    return (value is False, value)


def _groupable(table: Table, name: str) -> Field:
    field = table.model.fields.get(name)
    if field is None:
        raise value_error(f"Invalid field {name!r} on model {table.model.name!r}")
    if not field.stored or field.type in TO_MANY:
        raise value_error(
            f"Cannot convert {table.model.name}.{name} to SQL because it is not stored"
        )
    return field


def _grouped(
    env: Env, table: Table, domain: object, fields: list[Field]
) -> list[tuple[tuple[Any, ...], list[Row]]]:
    readers = [getter(env, table.model, field) for field in fields]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in selected(env, table, domain):
        groups.setdefault(tuple(read(row) for read in readers), []).append(row)
    if not fields and not groups:
        groups[()] = []
    for position in reversed(range(len(fields))):
        groups = dict(sorted(groups.items(), key=_by(env, fields[position], position)))
    return list(groups.items())


def _by(env: Env, field: Field, position: int) -> Callable[[Any], Any]:
    places = ranks(env, env.store[field.relation]) if field.relation else None

    def key(item: Any) -> Any:
        value = item[0][position]
        if places is not None:
            return (value is False, places.get(value, 0))
        return (value is False, value or 0 if field.type in _SUMMED else value or "")

    return key


def _shown(env: Env, field: Field, value: Any) -> Any:
    if field.relation and value:
        return [value, env.label(field.relation, value)]
    return value


def _aggregate(env: Env, table: Table, spec: str) -> Callable[[list[Row]], Any]:
    if spec == "__count":
        return len
    name, _, function = spec.partition(":")
    field = table.model.fields.get(name)
    if field is None:
        raise value_error(f"Invalid field {name!r} on model {table.model.name!r}")
    reduce = _AGGREGATES.get(function.replace("recordset", "array_agg"))
    if reduce is None:
        raise value_error(f"Invalid aggregate method {function!r} for {spec!r}.")
    read = getter(env, table.model, field)
    return lambda rows: reduce([read(row) for row in rows])


def _legacy_sum(env: Env, table: Table, spec: str) -> Callable[[list[Row]], Any]:
    name, _, function = spec.partition(":")
    return _aggregate(env, table, f"{name}:{function or 'sum'}")
