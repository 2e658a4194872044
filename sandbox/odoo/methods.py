"""The public methods that JSON-2 reaches, with their real names and arguments."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.odoo import grouping, reading
from sandbox.odoo.domains import Page, searched, selected
from sandbox.odoo.faults import access_error, not_found, unprocessable
from sandbox.odoo.onchange import line_onchange
from sandbox.odoo.reading import Record, Specification
from sandbox.odoo.schema import Row
from sandbox.odoo.store import Env, Table
from sandbox.odoo.tables_reference import USER_ID


@dataclass(frozen=True, slots=True)
class Call:
    """A model with the ids and environment of one request."""

    env: Env
    table: Table
    ids: Sequence[int] = ()

    @property
    def rows(self) -> list[Row]:
        """Ids that no record has are passed over: `read` answers without them."""
        return [self.table.rows[key] for key in self.ids if key in self.table.rows]


def search(
    call: Call, domain: Any, offset: int = 0, limit: int | None = None, order: str | None = None
) -> list[int]:
    rows = searched(call.env, call.table, domain, Page(offset, limit, order))
    return [row["id"] for row in rows]


def search_count(call: Call, domain: Any, limit: int | None = None) -> int:
    found = len(selected(call.env, call.table, domain))
    return min(found, limit) if limit else found


def search_read(  # noqa: PLR0913, PLR0917 - the real signature
    call: Call,
    domain: Any = None,
    fields: Sequence[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
    **read_kwargs: Any,
) -> list[Record]:
    rows = searched(call.env, call.table, domain or [], Page(offset, limit, order))
    labels = read_kwargs.get("load", "_classic_read") == "_classic_read"
    return reading.read(call.env, call.table, rows, fields, labels=labels)


def read(
    call: Call, fields: Sequence[str] | None = None, load: str | None = "_classic_read"
) -> list[Record]:
    labels = load == "_classic_read"
    return reading.read(call.env, call.table, call.rows, fields, labels=labels)


def web_read(call: Call, specification: Specification) -> list[Record]:
    return reading.web_read(call.env, call.table, call.rows, specification)


def web_search_read(  # noqa: PLR0913, PLR0917 - the real signature
    call: Call,
    domain: Any,
    specification: Specification,
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
    count_limit: int | None = None,
) -> Record:
    rows = searched(call.env, call.table, domain, Page(offset, limit, order))
    records = reading.web_read(call.env, call.table, rows, specification)
    length = len(records) + offset if records else 0
    counted = count_limit and count_limit <= length
    if limit and len(records) == limit and not counted:
        length = search_count(call, domain, count_limit)
    return {"length": length, "records": records}


def name_search(
    call: Call,
    name: str = "",
    domain: Any = None,
    operator: str = "ilike",
    limit: int | None = 100,
) -> list[list[Any]]:
    wanted = [*(domain or []), ["display_name", operator, name]] if name else domain or []
    rows = searched(call.env, call.table, wanted, Page(0, limit))
    return [[row["id"], call.env.label(call.table.model.name, row["id"])] for row in rows]


def fields_get(
    call: Call,
    allfields: Sequence[str] | None = None,
    attributes: Sequence[str] | None = None,
) -> dict[str, Record]:
    wanted = set(attributes or ())
    return {
        name: {k: v for k, v in field.described().items() if not wanted or k in wanted}
        for name, field in call.table.model.fields.items()
        if not allfields or name in allfields
    }


def formatted_read_group(  # noqa: PLR0913, PLR0917 - the real signature
    call: Call,
    domain: Any,
    groupby: Sequence[str] = (),
    aggregates: Sequence[str] = (),
    having: Any = (),  # noqa: ARG001 - accepted, never asked for
    offset: int = 0,
    limit: int | None = None,
    order: str | None = None,
) -> list[Record]:
    groups = grouping.formatted(call.env, call.table, domain, groupby, aggregates)
    return grouping.sliced(groups, offset, limit, order)


def read_group(  # noqa: PLR0913, PLR0917 - the real signature
    call: Call,
    domain: Any,
    fields: Sequence[str],
    groupby: str | Sequence[str],
    offset: int = 0,
    limit: int | None = None,
    orderby: str | None = None,
    lazy: bool = True,  # noqa: FBT001, FBT002
) -> list[Record]:
    names = [groupby] if isinstance(groupby, str) else list(groupby)
    groups = grouping.legacy(
        call.env, call.table, domain, fields, names[:1] if lazy else names
    )  # fmt: skip
    return grouping.sliced(groups, offset, limit, orderby or None)


def onchange(
    call: Call,
    values: Mapping[str, Any],
    field_names: Sequence[str],
    fields_spec: Mapping[str, Any],
) -> Record:
    return line_onchange(call.env, values, field_names, fields_spec)


def context_get(call: Call) -> Record:
    """Of `res.users`: who the key's user is."""
    return {"lang": call.env.lang, "tz": False, "uid": USER_ID}


Method = Callable[..., Any]

_MODEL_METHODS: tuple[Method, ...] = (
    search, search_count, search_read, web_search_read, name_search, fields_get,
    formatted_read_group, read_group,
)  # fmt: skip
_RECORD_METHODS: tuple[Method, ...] = (read, web_read)
_METHODS = {method.__name__: method for method in (*_MODEL_METHODS, *_RECORD_METHODS)}
_NOT_ON_IDS = frozenset(method.__name__ for method in _MODEL_METHODS) | {"create"}
_WRITES = frozenset({"create", "write", "unlink", "copy", "web_save"})
"Real methods that the sandbox's key has no right to."

_ALL: tuple[Method, ...] = (*_METHODS.values(), onchange, context_get)
_SIGNATURES = {method: inspect.signature(method) for method in _ALL}


def called(call: Call, name: str, arguments: Mapping[str, Any]) -> Any:
    """Runs the method; refusals are worded as the real controller words them."""
    model = call.table.model
    if name.startswith("_"):
        raise access_error(
            f"Private methods (such as '{model.name}.{name}') cannot be called remotely."
        )
    if name in _NOT_ON_IDS and call.ids:
        raise unprocessable(f"cannot call {model.name}.{name} with ids")
    if name in _WRITES:
        raise access_error(
            f"You are not allowed to modify '{model.description}' ({model.name}) records."
        )
    priced = name == "onchange" and model.name == "sale.order.line"
    of_users = name == "context_get" and model.name == "res.users"
    method = onchange if priced else context_get if of_users else _METHODS.get(name)
    if method is None:
        raise not_found(f"The method '{model.name}.{name}' does not exist")
    try:
        bound = _SIGNATURES[method].bind(call, **arguments)
    except TypeError as error:
        raise unprocessable(str(error)) from error
    return method(*bound.args, **bound.kwargs)
