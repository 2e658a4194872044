"""What a plan is made of: selections of columns, and the shapes of their values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.execution.arguments import Arguments
from schema.fields import FieldPlan

Rows = list[Any]
"""The answer's objects, which the encoder knows how to write."""
Build = Callable[..., Rows]
"""Of the parents, and then the finished values of each column that is not a record's own."""
Complete = Callable[[Sequence[Any]], list[Any]]
"""Of raw values: the finished ones."""


class Anomaly(Exception):  # noqa: N818 - no error: the other engine's turn
    """This operation, or this answer of it, is the stock engine's."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """`write` gives the JSON value of one value that is not None.

    Those of the class `plain` are written by the encoder as they are, unless the Python condition
    `unless` holds, in which `{}` stands for the value.
    """

    write: Callable[[Any], Any]
    plain: type | None = None
    unless: str = ""
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    inner: "Shape"
    is_async: bool


@dataclass(frozen=True, slots=True)
class Required:
    inner: "Shape"
    is_async: bool


@dataclass(frozen=True, slots=True)
class Objects:
    """Values of an object type; of an interface, by the class of the record."""

    selections: Mapping[type | None, "Selection"]
    is_async: bool


Shape = Leaf | Listed | Required | Objects


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a selection.

    Exactly one of `attribute`, `method` (of the record, with arguments), `read`, `batch` and
    `constant` tells its values. `complete`
    finishes those of a batch, where their shape asks nobody. `path` is its place in the answer.
    `reads` names what it takes of its parent, None for any of it, and `asks` the port operations
    that its values come from.
    """

    key: str
    shape: Shape
    path: tuple[str, ...] = ()
    attribute: str | None = None
    method: tuple[str, Mapping[str, Any]] | None = None
    read: Callable[[Any], Any] | None = None
    batch: FieldPlan | None = None
    arguments: Arguments | None = None
    complete: Complete | None = None
    constant: str | None = None
    reads: tuple[str, ...] | None = None
    asks: tuple[str, ...] = ()

    @property
    def is_async(self) -> bool:
        return self.batch is not None or self.shape.is_async

    def is_asked_by(self, key: str) -> bool:
        """Whether it asks somebody, and needs nothing of its parent for that but this attribute."""
        return self.batch is not None and bool(self.asks) and self.reads == (key,)


class Fetch:
    """A column that asks somebody, itself or beneath it, as a run needs it.

    `objects` are the objects in its values, and `layers` what is around those, from outside: True
    for a list, False for what must not be null. None where `complete` finishes the values.
    `foreseen` are those beneath that can be asked by what `foresight` knows already.
    """

    __slots__ = (
        "arguments",
        "batch",
        "column",
        "complete",
        "foreseen",
        "foresight",
        "layers",
        "objects",
        "path",
        "scope",
    )

    def __init__(self, column: Column) -> None:
        plan = column.batch
        self.column = column
        self.path = column.path
        self.batch = None if plan is None else plan.batch
        self.scope = None if plan is None else plan.scope
        self.arguments = column.arguments
        self.complete = column.complete
        self.objects: Objects | None = None
        self.layers: tuple[bool, ...] = ()
        if column.complete is None:
            self._open(column.shape)
        self.foresight = None if plan is None else plan.foresight
        self.foreseen = self._foreseen()

    def _foreseen(self) -> "tuple[Fetch, ...]":
        if self.foresight is None or self.objects is None or True in self.layers:
            return ()
        only = self.objects.selections.get(None)
        key = self.foresight.key
        return tuple(one for one in only.fetched if one.column.is_asked_by(key)) if only else ()

    def _open(self, shape: Shape) -> None:
        layers: list[bool] = []
        while isinstance(shape, Required | Listed):
            layers.append(isinstance(shape, Listed))
            shape = shape.inner
        if isinstance(shape, Objects):
            self.objects, self.layers = shape, tuple(layers)


class Selection:
    """The fields asked of one object type, in the order of the answer; `record` is its Python type.

    `build` is written when it is first needed, since most selections become part of another's.
    """

    __slots__ = ("_build", "_builder", "columns", "fetched", "is_async", "record")

    def __init__(
        self,
        columns: tuple[Column, ...],
        builder: Callable[[Sequence[Column]], Build],
        record: type | None = None,
    ) -> None:
        self.columns = columns
        self.record = record
        self.fetched = tuple(Fetch(column) for column in columns if column.is_async)
        self.is_async = bool(self.fetched)
        self._builder = builder
        self._build: Build | None = None

    @property
    def build(self) -> Build:
        if self._build is None:
            self._build = self._builder(self.columns)
        return self._build
