"""One run of a plan: fetches level by level, all fields of a level at the same time."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from graphql import GraphQLError
from graphql.execution.values import VariableValues

from gateway.execution.literals import Literals
from gateway.execution.shapes import (
    Anomaly,
    Column,
    Fetch,
    Objects,
    Rows,
    Selection,
)
from ports.errors import PortError
from resolvers.context import Context
from resolvers.together import together

Values = Sequence[Any]


class Run:
    """Every method answers one value for each given; None stays None."""

    __slots__ = ("_context", "_literals", "_variables")

    def __init__(self, context: Context, variables: VariableValues, literals: Literals) -> None:
        self._context = context
        self._variables = variables
        self._literals = literals

    async def rows(self, selection: Selection, parents: Values) -> Rows:
        """The answer's objects for these parents. Raises Anomaly, or what a resolver raises."""
        self._context.in_time()
        fetched = selection.fetched
        if len(fetched) == 1:
            return selection.build(parents, await self._fetched(fetched[0], parents))
        if not fetched:
            return selection.build(parents)
        found = await together([self._fetched(fetch, parents) for fetch in fetched])
        return selection.build(parents, *found)

    async def _fetched(self, fetch: Fetch, parents: Values) -> Values:
        if (batch := fetch.batch) is None:
            values = _values(fetch.column, parents)
        else:
            terms = self._terms(fetch)
            if fetch.foreseen:
                self._foresee(fetch, terms)
            values = await batch(parents, **terms)
            _sound(values)
            if fetch.complete is not None:
                return fetch.complete(values)
        if (objects := fetch.objects) is None:
            raise Anomaly(fetch.column.key)
        lists, values = _opened(fetch.layers, values)
        groups = _groups(objects, values)
        if len(groups) == 1:
            selection, _, found = groups[0]
            rows = [await self.rows(selection, found)]
        else:
            rows = await together([self.rows(selection, found) for selection, _, found in groups])
        return _closed(lists, _placed(values, groups, rows))

    def _foresee(self, fetch: Fetch, terms: Mapping[str, Any]) -> None:
        """Asks by its key what is beneath a record, while the record itself is being asked for.

        Loaders hold what is found until the record is there; whatever is wrong is told then.
        """
        if fetch.foresight is None:
            return
        with suppress(PortError):
            stand_in = fetch.foresight.of(**terms)
            for one in fetch.foreseen if stand_in is not None else ():
                with suppress(PortError, GraphQLError):
                    if one.batch is not None:
                        self._context.begin(partial(one.batch, [stand_in], **self._terms(one)))

    def _terms(self, fetch: Fetch) -> dict[str, Any]:
        """What the resolver is called with. Raises ForbiddenError for a caller without its scope."""
        context, arguments = self._context, fetch.arguments
        if fetch.scope is not None:
            context.require(fetch.scope)
        if arguments is None:
            raise Anomaly(fetch.column.key)
        if context.fresh:
            context = context.at(fetch.path)
        return {"ctx": context, **arguments.values(self._variables, self._literals)}


def _values(column: Column, parents: Values) -> Values:
    """Of a column that is read, for what is beneath it asks somebody."""
    if (name := column.attribute) is not None:
        return [getattr(parent, name) for parent in parents]
    if (read := column.read) is not None:
        return [read(parent) for parent in parents]
    raise Anomaly(column.key)


def _sound(values: Values) -> None:
    for kind in set(map(type, values)):
        if issubclass(kind, BaseException):
            raise Anomaly


def _opened(layers: Sequence[bool], values: Values) -> tuple[list[Values], Values]:
    """The lists around the objects, from outside, and the objects in them."""
    lists: list[Values] = []
    for is_list in layers:
        if is_list:
            lists.append(values)
            values = _flat(values)
        elif None in values:
            raise Anomaly
    return lists, values


def _closed(lists: list[Values], values: Values) -> Values:
    """The values again in the lists that they were in."""
    while lists:
        values = _refilled(lists.pop(), values)
    return values


def _flat(values: Values) -> Values:
    flat: list[Any] = []
    for value in values:
        if value is not None:
            kind = value.__class__
            if kind is not tuple and kind is not list:
                raise Anomaly
            flat += value
    _sound(flat)
    return flat


def _refilled(values: Values, flat: Values) -> Values:
    """The flat values again in lists of the lengths they came in."""
    filled: list[Any] = []
    start = 0
    for value in values:
        if value is None:
            filled.append(None)
        else:
            end = start + len(value)
            filled.append(flat[start:end])
            start = end
    return filled


_Group = tuple[Selection, Sequence[int], Values]


def _groups(shape: Objects, values: Values) -> Sequence[_Group]:
    """The values by the selection that reads them, with their places."""
    only = shape.selections.get(None)
    if only is not None:
        places = [place for place, value in enumerate(values) if value is not None]
        if len(places) == len(values):
            return ((only, places, values),) if values else ()
        return ((only, places, [values[place] for place in places]),) if places else ()
    groups: dict[int, tuple[Selection, list[int], list[Any]]] = {}
    for place, value in enumerate(values):
        if value is None:
            continue
        selection = shape.selections.get(type(value))
        if selection is None:
            raise Anomaly
        group = groups.setdefault(id(selection), (selection, [], []))
        group[1].append(place)
        group[2].append(value)
    return list(groups.values())


def _placed(values: Values, groups: Sequence[_Group], rows: Sequence[Rows]) -> Values:
    if len(groups) == 1 and len(groups[0][1]) == len(values):
        return rows[0]
    placed: list[Any] = [None] * len(values)
    for (_, places, _found), found in zip(groups, rows, strict=True):
        for place, row in zip(places, found, strict=True):
            placed[place] = row
    return placed
