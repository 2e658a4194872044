"""What a model is: its fields with Odoo's names, types and labels, parsed from short tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.odoo.store import Env

Row = dict[str, Any]
Compute = Callable[["Env", Row], Any]

_NULLS: dict[str, object] = {
    "integer": 0,
    "float": 0.0,
    "monetary": 0.0,
    "one2many": (),
    "many2many": (),
}
TO_MANY = frozenset({"one2many", "many2many"})
RELATIONAL = TO_MANY | {"many2one"}
TEXTUAL = frozenset({"char", "text", "html"})

_MAGIC = """
id | integer | ID
display_name | char | Display Name | computed
create_date | datetime | Created on
create_uid | many2one res.users | Created by
write_date | datetime | Last Updated on
write_uid | many2one res.users | Last Updated by
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One column. `marks` are words of: required, translate, digits, computed.

    `digits`: rounded to two places when written. `computed`: not stored, so neither sortable nor
    groupable.
    """

    name: str
    type: str
    string: str
    relation: str | None = None
    inverse: str | None = None
    selection: tuple[tuple[str, str], ...] = ()
    marks: frozenset[str] = frozenset()

    @property
    def null(self) -> Any:
        return _NULLS.get(self.type, False)

    @property
    def stored(self) -> bool:
        return "computed" not in self.marks

    def described(self) -> dict[str, object]:
        """All attributes that `fields_get` may be asked for."""
        facts: dict[str, object] = {
            "type": self.type,
            "string": self.string,
            "name": self.name,
            "store": self.stored,
            "required": "required" in self.marks,
            "readonly": not self.stored or self.name == "id",
            "searchable": True,
            "sortable": self.stored and self.type not in TO_MANY,
            "groupable": self.stored and self.type != "one2many",
            "translate": "translate" in self.marks,
        }
        if self.relation:
            facts |= {"relation": self.relation, "domain": [], "context": {}}
        if self.inverse:
            facts["relation_field"] = self.inverse
        if self.type == "selection":
            facts["selection"] = [list(pair) for pair in self.selection]
        if self.type == "float":
            facts["digits"] = [16, 2] if "digits" in self.marks else False
        if self.type == "monetary":
            facts["currency_field"] = "currency_id"
        return facts


@dataclass(frozen=True, slots=True)
class Model:
    """`order` is the default order; `searched` the fields that a name is looked for in."""

    name: str
    description: str
    fields: Mapping[str, Field]
    order: str = "id"
    parent: str = "parent_id"
    searched: tuple[str, ...] = ("name",)
    label: Compute = field(default=lambda _env, row: row.get("name", "") or "")
    computes: Mapping[str, Compute] = field(default_factory=dict)


def _typed(spec: str) -> dict[str, Any]:
    kind, _, rest = spec.partition(" ")
    if kind == "selection":
        pairs = (option.strip().partition("=") for option in rest.split(","))
        return {"type": kind, "selection": tuple((key, label or key) for key, _, label in pairs)}
    relation, _, inverse = rest.partition(" ")
    return {"type": kind, "relation": relation or None, "inverse": inverse or None}


def fields(table: str) -> dict[str, Field]:
    """Lines of `name | type [comodel [inverse]] | Label [| marks]`, after the magic fields."""
    result: dict[str, Field] = {}
    for line in f"{_MAGIC}{table}".splitlines():
        if not line.strip():
            continue
        name, spec, label, *marks = (part.strip() for part in line.split("|"))
        words = frozenset(marks[0].split()) if marks else frozenset()
        result[name] = Field(name=name, string=label, marks=words, **_typed(spec))
    return result
