"""Python written for one selection: reads every field of many records in one function.

Of the engines' work most is this, so it is compiled: no call a field, no dictionary a column. Rows
are structs, made in a third of a dictionary's time; moments go into them as they are, since the
encoder writes them faster than Python does. Whatever is not plain raises (`Anomaly`, or
what reading it raises), as `plan` says.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC
from decimal import Decimal
from functools import lru_cache, partial
from types import NoneType
from typing import Any

import msgspec

from gateway.execution.shapes import (
    Anomaly,
    Build,
    Column,
    Complete,
    Leaf,
    Listed,
    Objects,
    Required,
    Shape,
)

_KEPT_TYPES = 2_048


def builder(columns: Sequence[Column]) -> Build:
    """Makes the objects of a selection. Raises Anomaly for one that Python cannot compile."""
    source = _Source()
    fetched = [name for name, one in source.named(columns) if one.is_async]
    source.line(f"def made({', '.join(['parents', *fetched])}):")
    with source.block():
        source.line("rows = []")
        source.line("add = rows.append")
        source.line(_loop(fetched))
        with source.block():
            source.line(f"add({source.row(columns, 'parent')})")
        source.line("return rows")
    made: Build = source.compiled()
    return made


def completer(shape: Shape) -> Complete:
    """Finishes values of a shape that asks nobody."""
    source = _Source()
    source.line("def made(values):")
    with source.block():
        source.line("done = []")
        source.line("add = done.append")
        source.line("for value in values:")
        with source.block():
            source.finish(shape, "value")
            source.line("add(value)")
        source.line("return done")
    made: Complete = source.compiled()
    return made


def _loop(fetched: Sequence[str]) -> str:
    if not fetched:
        return "for parent in parents:"
    return f"for parent, {', '.join(f'{one}v' for one in fetched)} in zip(parents, {', '.join(fetched)}):"


class _Source:
    """The text of one function, and what it refers to."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0
        self._names = 0
        self._known: dict[str, Any] = {"Anomaly": Anomaly, "UTC": UTC}

    def compiled(self) -> Any:
        space = dict(self._known)
        try:
            exec(compile("\n".join(self._lines), "<plan>", "exec"), space)  # noqa: S102 - our own text
        except (SyntaxError, RecursionError, MemoryError) as problem:
            raise Anomaly("too deep for Python") from problem
        return space["made"]

    def line(self, text: str) -> None:
        self._lines.append(" " * self._depth + text)

    @contextmanager
    def block(self) -> Iterator[None]:
        self._depth += 1
        yield
        self._depth -= 1

    def named(self, columns: Sequence[Column]) -> list[tuple[str, Column]]:
        return [(f"c{place}", one) for place, one in enumerate(columns)]

    def row(self, columns: Sequence[Column], parent: str) -> str:
        """Writes what reads the columns; the text of the dictionary of them."""
        parts = []
        for name, column in self.named(columns):
            if column.constant is not None:
                value = repr(column.constant)
            elif column.is_async:
                value = f"{name}v"
            else:
                value = self._name()
                self.line(f"{value} = {self._read(column, parent)}")
                self.finish(column.shape, value)
            parts.append(value)
        made = row_type(tuple(column.key for column in columns))
        return f"{self._refer(made)}({', '.join(parts)})"

    def finish(self, shape: Shape, value: str) -> None:
        """Writes what turns the local `value` into its JSON value; None stays None."""
        if isinstance(shape, Required):
            self._required(shape.inner, value)
        elif isinstance(shape, Leaf):
            self._leaf(shape, value, _optional(shape.write))
        else:
            self.line(f"if {value} is not None:")
            with self.block():
                self._composite(shape, value)

    def _required(self, shape: Shape, value: str) -> None:
        if isinstance(shape, Leaf):
            self._leaf(shape, value, _present(shape.write))
        else:
            self.line(f"if {value} is None: raise Anomaly")
            self._composite(shape, value)

    def _leaf(self, shape: Leaf, value: str, write: Callable[[Any], Any]) -> None:
        line = f"{value} = {self._refer(write)}({value})"
        if shape.plain is Decimal:
            self._decimal(value, line)
            return
        if shape.plain is None:
            self.line(line)
            return
        unlike = f"{value}.__class__ is not {self._refer(shape.plain)}"
        if shape.unless:
            unlike = f"{unlike} or {shape.unless.format(value)}"
        self.line(f"if {unlike}: {line}")

    def _decimal(self, value: str, line: str) -> None:
        """As `str` has it, which is plain digits unless there is an exponent."""
        self.line(f"if {value}.__class__ is {self._refer(Decimal)}:")
        text = self._name()
        with self.block():
            self.line(f"{text} = str({value})")
            self.line(f'if "E" in {text}: {line}')
            self.line(f"else: {value} = {text}")
        self.line(f"else: {line}")

    def _composite(self, shape: Shape, value: str) -> None:
        if isinstance(shape, Listed):
            self._list(shape, value)
        elif isinstance(shape, Objects):
            self._object(shape, value)
        else:
            raise Anomaly(type(shape).__name__)

    def _list(self, shape: Listed, value: str) -> None:
        items, item = self._name(), self._name()
        self.line(
            f"if {value}.__class__ is not tuple and {value}.__class__ is not list: raise Anomaly"
        )
        if (together := self._together(shape.inner)) is not None:
            self.line(f"{value} = {self._refer(together)}({value})")
            return
        self.line(f"{items} = []")
        self.line(f"for {item} in {value}:")
        with self.block():
            self.finish(shape.inner, item)
            self.line(f"{items}.append({item})")
        self.line(f"{value} = {items}")

    def _together(self, inner: Shape) -> Complete | None:
        """Of a list of an interface or a union: what builds all of its objects at once."""
        required = isinstance(inner, Required)
        if isinstance(inner, Required):
            inner = inner.inner
        if not isinstance(inner, Objects) or None in inner.selections:
            return None
        builds = {kind: one.build for kind, one in inner.selections.items()}
        return partial(_built, builds, required=required)

    def _object(self, shape: Objects, value: str) -> None:
        only = shape.selections.get(None)
        if only is not None:
            self.line(f"{value} = {self.row(only.columns, value)}")
            return
        builds = {kind: one.build for kind, one in shape.selections.items()}
        self.line(f"{value} = {self._refer(builds)}[{value}.__class__](({value},))[0]")

    def _read(self, column: Column, parent: str) -> str:
        if column.attribute is not None:
            return f"{parent}.{column.attribute}"
        if column.method is not None:
            name, given = column.method
            told = [f"{one}={self._refer(value)}" for one, value in given.items()]
            if len(told) == 1:  # by place, which is faster
                told = [told[0].partition("=")[2]]
            return f"{parent}.{name}({', '.join(told)})"
        if column.read is None:
            raise Anomaly(column.key)
        return f"{self._refer(column.read)}({parent})"

    def _name(self) -> str:
        self._names += 1
        return f"x{self._names}"

    def _refer(self, thing: Any) -> str:
        name = f"k{len(self._known)}"
        self._known[name] = thing
        return name


@lru_cache(maxsize=_KEPT_TYPES)
def row_type(keys: tuple[str, ...]) -> type[msgspec.Struct]:
    """The struct of rows with these keys: positional, and written under the keys."""
    names = {f"f{place}": key for place, key in enumerate(keys)}
    return msgspec.defstruct("Row", [(name, Any) for name in names], rename=names, gc=False)


def _built(
    builds: Mapping[type | None, Build], values: Sequence[Any], *, required: bool
) -> list[Any]:
    """The objects of several types, those of one type together: mostly all are of one."""
    kinds = set(map(type, values))
    if len(kinds) == 1 and NoneType not in kinds:
        return builds[kinds.pop()](values)
    if required and NoneType in kinds:
        raise Anomaly
    found: list[Any] = [None] * len(values)
    for kind in kinds - {NoneType}:
        places = [place for place, value in enumerate(values) if value.__class__ is kind]
        rows = builds[kind]([values[place] for place in places])
        for place, row in zip(places, rows, strict=True):
            found[place] = row
    return found


def _present(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def written(value: Any) -> Any:
        if value is None:
            raise Anomaly
        return write(value)

    return written


def _optional(write: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def written(value: Any) -> Any:
        return None if value is None else write(value)

    return written
