"""Odoo's search domains in prefix notation, compiled once a call.

A domain becomes a test of rows and, where an index serves, the few ids that can pass it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.odoo import conditions
from sandbox.odoo.faults import value_error
from sandbox.odoo.ordering import arranged
from sandbox.odoo.schema import RELATIONAL, TO_MANY, Field, Row
from sandbox.odoo.store import Env, Table, getter

Test = Callable[[Row], bool]

_ALIASES = {"==": "=", "<>": "!="}


@dataclass(frozen=True, slots=True)
class Filter:
    """`among`: ids outside of it cannot pass; None when any row may."""

    test: Test
    among: frozenset[int] | None = None


_ALL = Filter(lambda _row: True)
_NONE = Filter(lambda _row: False, frozenset())


def compiled(env: Env, table: Table, domain: object) -> Filter:
    """A malformed domain is a ValueError of the real server: a 500 that no retry heals."""
    if domain is True or domain == []:
        return _ALL
    if domain is False:
        return _NONE
    if not isinstance(domain, list):
        raise TypeError(f"Domain() invalid argument type for domain: {domain!r}")
    stack: list[Filter] = []
    try:
        for item in reversed(domain):
            stack.append(_item(env, table, item, stack))
    except IndexError:
        raise value_error(f"Domain() malformed domain {domain!r}") from None
    result = stack.pop()
    while stack:
        result = _both(result, stack.pop())
    return result


def _item(env: Env, table: Table, item: object, stack: list[Filter]) -> Filter:
    if item == "&":
        return _both(stack.pop(), stack.pop())
    if item == "|":
        return _either(stack.pop(), stack.pop())
    if item == "!":
        return _inverse(stack.pop())
    if isinstance(item, list) and len(item) == 3:  # noqa: PLR2004 - field, operator, value
        return _condition(env, table, item[0], item[1], item[2])
    raise value_error(f"Domain() invalid item in domain: {item!r}")


def _both(left: Filter, right: Filter) -> Filter:
    one, two = left.test, right.test
    among = left.among
    if among is None or (right.among is not None and len(right.among) < len(among)):
        among = right.among
    return Filter(lambda row: one(row) and two(row), among)


def _either(left: Filter, right: Filter) -> Filter:
    one, two = left.test, right.test
    among = None
    if left.among is not None and right.among is not None:
        among = left.among | right.among
    return Filter(lambda row: one(row) or two(row), among)


def _inverse(inner: Filter) -> Filter:
    test = inner.test
    return Filter(lambda row: not test(row))


def _condition(env: Env, table: Table, expression: object, operator: object, value: Any) -> Filter:
    if not (isinstance(expression, str) and isinstance(operator, str)):
        return _constant(expression, operator, value)
    shown = f"in condition ({expression!r}, {operator!r}, {value!r})"
    operator = _ALIASES.get(operator.lower(), operator.lower())
    if operator not in conditions.OPERATORS:
        raise value_error(f"Invalid operator {shown}")
    name, _, rest = expression.partition(".")
    field = table.model.fields.get(name)
    if field is None:
        raise value_error(f"Invalid field {table.model.name}.{name} {shown}")
    if rest:
        if field.type not in RELATIONAL:
            raise value_error(f"Invalid field property {shown}")
        return _related(env, table, field, "any", [[rest, operator, value]])
    if operator == "=?":
        if not value:
            return _ALL
        operator = "="
    return _leaf(env, table, field, operator, False if value is None else value)


def _constant(expression: object, operator: object, value: object) -> Filter:
    """The leaves `(1, "=", 1)` and `(0, "=", 1)` are true and false."""
    if operator == "=" and value == 1 and expression in {0, 1}:
        return _ALL if expression == 1 else _NONE
    raise TypeError(f"Domain() invalid arguments: {(expression, operator, value)!r}")


def _leaf(env: Env, table: Table, field: Field, operator: str, value: Any) -> Filter:
    relational = field.type in RELATIONAL
    if operator in {"any", "not any"}:
        return _related(env, table, field, operator, value)
    if operator in {"child_of", "parent_of"}:
        return _hierarchy(env, table, field, operator, value)
    if relational and conditions.is_by_name(operator, value):
        return _named(env, table, field, operator, value)
    if field.name == "display_name":
        return _labelled(env, table, operator, value)
    if operator in {"=", "in", "!=", "not in"}:
        if value == [] and operator in {"=", "!="}:
            value = False
        wanted = conditions.wanted_values(field, value)
        return _membership(env, table, field, wanted, positive=operator in {"=", "in"})
    test = conditions.comparison(field, operator, value)
    read = getter(env, table.model, field)
    return Filter(lambda row: test(read(row)))


def _membership(
    env: Env, table: Table, field: Field, wanted: frozenset[Any], *, positive: bool
) -> Filter:
    test = _member_test(env, table, field, wanted)
    if not positive:
        return Filter(lambda row: not test(row))
    return Filter(test, _candidates(table, field, wanted))


def _member_test(env: Env, table: Table, field: Field, wanted: frozenset[Any]) -> Test:
    read = getter(env, table.model, field)
    if field.type not in TO_MANY:
        return lambda row: read(row) in wanted
    # False among the values of a to-many field stands for "empty".
    empty = False in wanted
    return lambda row: not wanted.isdisjoint(read(row)) or (empty and not read(row))


def _candidates(table: Table, field: Field, wanted: frozenset[Any]) -> frozenset[int] | None:
    if field.name == "id":
        return frozenset(key for key in wanted if key in table.rows)
    plain = field.stored and field.name not in table.model.computes
    if not plain or "translate" in field.marks or (field.type in TO_MANY and False in wanted):
        return None
    index = table.index(field.name)
    return frozenset(key for value in wanted for key in index.get(value, ()))


def _related(env: Env, table: Table, field: Field, operator: str, domain: object) -> Filter:
    """`any`: the relation holds a record of the domain (on `id`: the record itself is one)."""
    if field.name == "id":
        inner = compiled(env, table, domain)
        return inner if operator == "any" else _inverse(inner)
    if field.relation is None:
        raise value_error(f"Cannot determine the relation for {field.name!r}")
    ids = matching(env, env.store[field.relation], domain)
    return _membership(env, table, field, ids, positive=operator == "any")


def _named(env: Env, table: Table, field: Field, operator: str, value: Any) -> Filter:
    """A relation compared with texts is compared by display name; numbers among them are ids."""
    negative = operator in conditions.NEGATIVE
    positive = conditions.NEGATIVE.get(operator, operator)
    comodel = env.store[field.relation or ""]
    values = value if isinstance(value, list) else [value]
    texts = [each for each in values if isinstance(each, str)]
    ids = {each for each in values if not isinstance(each, str)}
    for text in texts:
        ids |= _by_label(env, comodel, "=" if positive == "in" else positive, text)
    return _membership(env, table, field, frozenset(ids), positive=not negative)


def _labelled(env: Env, table: Table, operator: str, value: Any) -> Filter:
    negative = operator in conditions.NEGATIVE
    positive = conditions.NEGATIVE.get(operator, operator)
    ids: frozenset[int] = frozenset()
    for text in value if isinstance(value, list) else [value]:
        ids |= _by_label(env, table, "=" if positive == "in" else positive, str(text))
    return _membership(env, table, table.model.fields["id"], ids, positive=not negative)


def _by_label(env: Env, table: Table, operator: str, text: str) -> frozenset[int]:
    """Ids whose display name, or one of the fields that a name is searched in, matches."""
    label = table.model.label
    names = [table.model.fields[name] for name in table.model.searched]
    tests = [(conditions.comparison(f, operator, text), getter(env, table.model, f)) for f in names]
    exact = operator == "="
    return frozenset(
        row["id"]
        for row in table
        if (exact and label(env, row) == text) or any(test(read(row)) for test, read in tests)
    )


def _hierarchy(env: Env, table: Table, field: Field, operator: str, value: Any) -> Filter:
    comodel = table if field.name == "id" else env.store[field.relation or table.model.name]
    roots: set[int] = set()
    for each in value if isinstance(value, list) else [value]:
        found = _by_label(env, comodel, "=", each) if isinstance(each, str) else {each}
        roots |= {key for key in found if key in comodel.rows}
    walk = _descendants if operator == "child_of" else _ancestors
    return _membership(env, table, field, frozenset(walk(comodel, roots)), positive=True)


def _descendants(table: Table, roots: set[int]) -> set[int]:
    children, seen, rest = table.index(table.model.parent), set(roots), list(roots)
    while rest:
        fresh = [key for key in children.get(rest.pop(), ()) if key not in seen]
        seen.update(fresh)
        rest.extend(fresh)
    return seen


def _ancestors(table: Table, roots: set[int]) -> set[int]:
    seen: set[int] = set()
    for key in roots:
        while key and key not in seen:
            seen.add(key)
            key = table.rows[key].get(table.model.parent, False)  # noqa: PLW2901 - walks up
    return seen


def _mentions(domain: object, name: str) -> bool:
    if not isinstance(domain, list):
        return False
    return any(isinstance(item, list) and item and item[0] == name for item in domain)


def selected(env: Env, table: Table, domain: object) -> list[Row]:
    """Rows of the domain, archived ones left out unless the call asks for them; no order."""
    found = compiled(env, table, domain)
    rows = table.rows
    pool = rows.values() if found.among is None else [rows[k] for k in found.among if k in rows]
    hidden = (
        "active" in table.model.fields
        and env.context.get("active_test", True)
        and not _mentions(domain, "active")
    )
    if hidden:
        return [row for row in pool if row.get("active", False) and found.test(row)]
    return [row for row in pool if found.test(row)]


def matching(env: Env, table: Table, domain: object) -> frozenset[int]:
    return frozenset(row["id"] for row in selected(env, table, domain))


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a search is wanted, as the real methods name it."""

    offset: int = 0
    limit: int | None = None
    order: str | None = None


def searched(env: Env, table: Table, domain: object, page: Page) -> list[Row]:
    rows = arranged(env, table, selected(env, table, domain), page.order)
    start = page.offset or 0
    return rows[start : start + page.limit] if page.limit else rows[start:]
