"""Lists of structural entities: searched where the vendor offers it, paged by number, got by code."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from sandbox.akeneo import moments, paging
from sandbox.akeneo.answers import answer, missing
from sandbox.akeneo.grammar import Condition, Predicate, parsed, structural
from sandbox.akeneo.structure import Row

_DATE_OPERATORS = {">", "<", "BETWEEN", "SINCE LAST N DAYS"}
CODE: dict[str, set[str]] = {"code": {"IN"}}
"The searches every searchable list offers."
DATED = CODE | {"updated": _DATE_OPERATORS}

Shaping = Callable[[Row, Mapping[str, str]], Row]


def _as_is(row: Row, _: Mapping[str, str]) -> Row:
    return row


@dataclass(frozen=True, slots=True)
class Shelf:
    """One list: `path` below the API's root, its rows, and the operators its search knows."""

    path: str
    rows: list[Row]
    now: datetime
    searches: dict[str, set[str]] = field(default_factory=dict)
    shaped: Shaping = _as_is
    "How a row depends on the query."

    def listed(self, url: str, query: Mapping[str, str]) -> Response:
        page = paging.asked(f"{url}/{self.path}", query)
        rows = self.rows
        if self.searches:
            conditions = parsed(query.get("search"))
            structural(conditions, self.searches)
            for condition in conditions:
                holds = _predicate(condition, self.now)
                rows = [row for row in rows if holds(row)]
        return answer(paging.hal(page, rows, lambda row: self._linked(row, url, query)))

    def one(self, code: str, query: Mapping[str, str]) -> Response:
        row = next((row for row in self.rows if row["code"] == code), None)
        if row is None:
            raise missing(code)
        return answer(self.shaped(row, query))

    def _linked(self, row: Row, url: str, query: Mapping[str, str]) -> Row:
        href = f"{url}/{self.path}/{quote(row['code'])}"
        return {"_links": {"self": {"href": href}}, **self.shaped(row, query)}


def _predicate(condition: Condition, now: datetime) -> Predicate:
    name, value = condition.name, condition.value
    if name == "updated":
        # Structure lists write their moments in ISO 8601, and are all as old as the world.
        holds = moments.predicate(_spaced(condition), now)
        return lambda row: holds(datetime.fromisoformat(row.get("updated", now.isoformat())))
    if name == "is_root":
        root = condition.boolean()
        return lambda row: (row["parent"] is None) is root
    if condition.operator == "IN":
        codes = frozenset(condition.strings())
        return lambda row: row[name] in codes
    return lambda row: row[name] == value


def _spaced(condition: Condition) -> Condition:
    def spaced(text: Any) -> Any:
        return text[:19].replace("T", " ") if isinstance(text, str) else text

    value = condition.value
    value = [spaced(text) for text in value] if isinstance(value, list) else spaced(value)
    return Condition(condition.name, condition.operator, value)


class Endpoints:
    """The two endpoints of a shelf that depends on nothing but the query."""

    def __init__(self, shelf: Shelf, url: str) -> None:
        self._shelf = shelf
        self._url = url

    async def listed(self, request: Request) -> Response:
        return self._shelf.listed(self._url, request.query_params)

    async def one(self, request: Request) -> Response:
        return self._shelf.one(request.path_params["code"], request.query_params)
