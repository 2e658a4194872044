"""Tables of rows with their indexes, and the environment (language, context, clock) of one call."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.odoo.schema import TO_MANY, Field, Model, Row
from sandbox.world import LOCALES

Getter = Callable[[Row], Any]


class Table:
    """All rows of a model by id. Indexes are built when first asked for; rows never change."""

    def __init__(self, model: Model, rows: Iterable[Row]) -> None:
        self.model = model
        self.rows: dict[int, Row] = {row["id"]: row for row in rows}
        self._indexes: dict[str, dict[Any, list[int]]] = {}
        self.ranks: dict[int, int] | None = None
        "Position of each id in the default order; see `ordering`."

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows.values())

    def add(self, row: Row) -> None:
        self.rows[row["id"]] = row
        self.forget()

    def forget(self) -> None:
        """Drops what was derived from rows; due after any change of them."""
        self._indexes.clear()
        self.ranks = None

    def index(self, name: str) -> dict[Any, list[int]]:
        """Value (or element, for a to-many field) -> ids, in the order of the rows."""
        if name not in self._indexes:
            self._indexes[name] = self._indexed(self.model.fields[name])
        return self._indexes[name]

    def _indexed(self, field: Field) -> dict[Any, list[int]]:
        found: dict[Any, list[int]] = {}
        for key, row in self.rows.items():
            value = row.get(field.name, field.null)
            for element in value if field.type in TO_MANY else (value,):
                found.setdefault(element, []).append(key)
        return found


class Store:
    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self.stock: dict[int, Any] = {}
        "Quantities by product and location; see `forecasts`."

    def __contains__(self, name: str) -> bool:
        return name in self._tables

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __iter__(self) -> Iterator[Table]:
        return iter(self._tables.values())

    def add(self, model: Model, rows: Iterable[Row] = ()) -> Table:
        table = Table(model, rows)
        self._tables[model.name] = table
        return table


@dataclass(frozen=True, slots=True)
class Env:
    """What a call sees beside its arguments."""

    store: Store
    context: Mapping[str, Any]
    now: datetime

    @property
    def lang(self) -> str:
        lang = self.context.get("lang")
        return lang if isinstance(lang, str) and lang else "en_US"

    @property
    def moment(self) -> str:
        return self.now.strftime("%Y-%m-%d %H:%M:%S")

    def with_context(self, extra: Mapping[str, Any] | None) -> "Env":
        return Env(self.store, {**self.context, **extra}, self.now) if extra else self

    def label(self, model: str, record_id: int) -> str:
        """The display name of a record; empty when there is no such record."""
        table = self.store[model]
        row = table.rows.get(record_id)
        return "" if row is None else str(table.model.label(self, row))


def translated(env: Env, text: object) -> Any:
    """A text of the world in the call's language; English, then any, where it is missing."""
    if not isinstance(text, Mapping):
        return text
    for lang in (env.lang, "en_US", *LOCALES):
        if text.get(lang):
            return text[lang]
    return False


def getter(env: Env, model: Model, field: Field) -> Getter:
    """Reads the field's plain value (ids for relations) from a row in this environment."""
    name, null = field.name, field.null
    if name == "display_name":
        return lambda row: model.label(env, row)
    if compute := model.computes.get(name):
        return lambda row: compute(env, row)
    if "translate" in field.marks:
        return lambda row: translated(env, row.get(name, null))
    return lambda row: row.get(name, null)
