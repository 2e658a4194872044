"""One run of a plan: fetches level by level, all fields of a level at the same time."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from graphql.execution.values import VariableValues

from gateway.execution.shapes import (
    Anomaly,
    Column,
    Listed,
    Objects,
    Required,
    Rows,
    Selection,
    Shape,
)
from resolvers.context import Context

Values = Sequence[Any]


class Run:
    """Every method answers one value for each given; None stays None."""

    def __init__(self, context: Context, variables: VariableValues) -> None:
        self._context = context
        self._variables = variables

    async def rows(self, selection: Selection, parents: Values) -> Rows:
        """The answer's objects for these parents. Raises Anomaly, or what a resolver raises."""
        self._context.in_time()
        fetched = selection.fetched
        if not fetched:
            return selection.build(parents)
        found = await _all([self._column(column, parents) for column in fetched])
        return selection.build(parents, *found)

    async def _column(self, column: Column, parents: Values) -> Values:
        plan = column.batch
        if plan is None:
            return await self._completed(column.shape, _values(column, parents))
        if plan.scope is not None:
            self._context.require(plan.scope)
        if plan.batch is None or column.arguments is None:
            raise Anomaly(column.key)
        arguments = column.arguments.values(self._variables)
        context = self._context
        if context.fresh:
            context = context.at(column.path)
        values = await plan.batch(parents, ctx=context, **arguments)
        _sound(values)
        if column.complete is not None:
            return column.complete(values)
        return await self._completed(column.shape, values)

    async def _completed(self, shape: Shape, values: Values) -> Values:
        """For shapes that ask somebody."""
        if isinstance(shape, Required):
            return _present(await self._completed(shape.inner, values))
        if isinstance(shape, Listed):
            flat = _flat(values)
            return _refilled(values, await self._completed(shape.inner, flat))
        if isinstance(shape, Objects):
            return await self._objects(shape, values)
        raise Anomaly

    async def _objects(self, shape: Objects, values: Values) -> Values:
        groups = _groups(shape, values)
        rows = await _all([self.rows(selection, found) for selection, _, found in groups])
        return _placed(values, groups, rows)


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


def _present(values: Values) -> Values:
    for value in values:
        if value is None:
            raise Anomaly
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


async def _all(waiting: Sequence[Coroutine[Any, Any, Any]]) -> list[Any]:
    """All of them at once; a failure is raised only when all have ended, so that none is left.

    The last runs here rather than in a task of its own.
    """
    *others, last = waiting
    if not others:
        return [await last]
    tasks = [asyncio.create_task(one) for one in others]
    try:
        results: list[Any] = [await _outcome(last)]
        while not all(task.done() for task in tasks):
            await asyncio.wait(tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    results[:0] = [task.exception() or task.result() for task in tasks]
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


async def _outcome(one: Coroutine[Any, Any, Any]) -> Any:
    """What it gives, or raises: but nothing keeps this from being cancelled."""
    try:
        return await one
    except Exception as error:  # noqa: BLE001 - raised when the others have ended
        return error
