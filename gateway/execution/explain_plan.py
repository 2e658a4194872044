"""What an operation will ask, told from its compiled plan and the sizes of its lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
)
from graphql.execution.values import VariableValues, get_argument_values

from gateway.execution.explain_report import Plan, Planned, PlannedWave, Unasked
from gateway.execution.explain_sources import Source, Sources
from gateway.execution.literals import Form, form_of
from gateway.execution.plan import Compiler
from gateway.execution.shapes import (
    Anomaly,
    Column,
    Leaf,
    Listed,
    Objects,
    Required,
    Selection,
    Shape,
)
from gateway.operations.documents import Document
from resolvers.context import Fresh, Path
from schema.asks import ASKS, Ask
from schema.fields import VIEWS
from schema.sizes import SIZES, UNKNOWN_SIZE, Size


@dataclass(frozen=True, slots=True)
class Subject:
    """An operation and for whom it is explained; `scopes` None: for somebody who may all.

    `fresh` is what `@fresh` asks, by place in the answer, of the whole operation at ().
    """

    document: Document
    operation: OperationDefinitionNode
    variables: VariableValues
    scopes: frozenset[str] | None = None
    fresh: Mapping[Path, Fresh] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One field's questions of one kind: how many keys, at most.

    Those that are `alike` ask the same: of the same parents with the same arguments.
    """

    wave: int
    coordinate: str
    operation: str
    keys: int
    maybe: bool
    fresh: Fresh | None
    alike: object = None


def plan_of(schema: GraphQLSchema, subject: Subject, sources: Sources) -> Plan:
    """Upper bounds: what answers turn out to hold may need less, and the cache may know it."""
    form = form_of(subject.document.node, subject.operation)
    compiler = _Compiler(schema, form, subject.variables)
    root = schema.get_root_type(subject.operation.operation)
    if root is None:
        raise Anomaly
    selection = compiler.selection(root, [subject.operation.selection_set])
    walk = _Walk(compiler, subject, sources)
    seconds = walk.rows(selection, 1, _Level(()))
    waves = _waves(walk.steps, sources)
    deadline = sources.deadline_seconds * 1000
    return Plan(
        waves=waves,
        calls=sum(one.calls for wave in waves for one in wave.calls),
        worst_milliseconds=round(min(seconds, deadline), 3),
        deadline_milliseconds=deadline,
        unasked=tuple(dict.fromkeys(walk.unasked)),
        unplanned=tuple(dict.fromkeys(compiler.unplanned)),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a column comes from. It is held, so that its identity stays its own."""

    column: Column
    coordinate: str
    definition: GraphQLField
    node: FieldNode


class _Compiler(Compiler):
    """Remembers which field each column is; fields that have no plan become empty columns."""

    def __init__(
        self,
        schema: GraphQLSchema,
        form: Form,
        variables: VariableValues,
    ) -> None:
        super().__init__(schema, form, variables)
        self.places: dict[int, _Place] = {}
        self.unplanned: list[str] = []

    def _column(self, kind: GraphQLObjectType, path: Path, nodes: list[FieldNode]) -> Column:
        name = nodes[0].name.value
        coordinate = f"{kind.name}.{name}"
        try:
            column = super()._column(kind, path, nodes)
        except Anomaly:
            column = self._unplanned(kind, path, nodes)
        if name in kind.fields:
            place = _Place(column, coordinate, kind.fields[name], nodes[0])
            self.places[id(column)] = place
        return column

    def _unplanned(self, kind: GraphQLObjectType, path: Path, nodes: list[FieldNode]) -> Column:
        name = nodes[0].name.value
        # What only looks at the schema asks nobody.
        if not name.startswith("_"):
            self.unplanned.append(f"{kind.name}.{name}")
        return Column(path[-1], Leaf(str), constant="")


@dataclass(frozen=True, slots=True)
class _Level:
    """`sized`: which fields of this connection have how many entries."""

    path: Path
    wave: int = 1
    maybe: bool = False
    sized: tuple[tuple[str, ...], int] | None = None
    foreseen: "_Foreseen | None" = None


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """A record is being asked for, for so long: fields that need its `key` alone are asked then too."""

    key: str
    wave: int
    milliseconds: float


@dataclass(slots=True)
class _Asked:
    """What a field has asked: the wave after it, the milliseconds it took, what kinds it brings."""

    wave: int
    milliseconds: float = 0.0
    brought: dict[str, int] = field(default_factory=dict)
    ends: bool = False


class _Walk:
    """Goes down the columns that ask somebody. Each part tells how long it takes at worst."""

    def __init__(self, compiler: _Compiler, subject: Subject, sources: Sources) -> None:
        self._places = compiler.places
        self._literals = compiler.literals
        self._subject = subject
        self._sources = sources
        self.steps: list[Step] = []
        self.unasked: list[Unasked] = []

    def rows(self, selection: Selection, parents: int, level: _Level) -> float:
        """In milliseconds."""
        if not parents:
            return 0.0
        times = [self._column(one.column, parents, level) for one in selection.fetched]
        return max(times, default=0.0)

    def _column(self, column: Column, parents: int, level: _Level) -> float:
        place, plan = self._places[id(column)], column.batch
        scopes = self._subject.scopes
        if plan and plan.scope and scopes is not None and plan.scope not in scopes:
            self.unasked.append(Unasked(place.coordinate, scope=plan.scope))
            return 0.0
        early, level = level.foreseen, replace(level, path=(*level.path, column.key), foreseen=None)
        if early is None or not column.is_asked_by(early.key):
            return self._taking(column, parents, level)
        # It began when the record did, of which it is told how long it takes after that.
        taking = self._taking(column, parents, replace(level, wave=early.wave))
        return max(0.0, taking - early.milliseconds)

    def _taking(self, column: Column, parents: int, level: _Level) -> float:
        place, plan = self._places[id(column)], column.batch
        asked = self._asked(place, parents, level)
        if asked.ends:
            return asked.milliseconds
        sized, entries = self._entries(place, level.sized)
        below = replace(level, wave=asked.wave, sized=sized)
        if plan is not None and plan.foresight is not None:
            early = _Foreseen(plan.foresight.key, level.wave, asked.milliseconds)
            below = replace(below, foreseen=early)
        return asked.milliseconds + self._below(
            column.shape, parents * entries, below, asked.brought
        )

    def _below(self, shape: Shape, count: int, level: _Level, brought: Mapping[str, int]) -> float:
        while isinstance(shape, Required | Listed):
            shape = shape.inner
        if not isinstance(shape, Objects):
            return 0.0
        if None in shape.selections:
            return self.rows(shape.selections[None], count, level)
        times = []
        for record, selection in shape.selections.items():
            kind = _kinds().get(record, "") if record else ""
            number = brought.get(kind, 0) if brought else count
            times.append(self.rows(selection, number, replace(level, maybe=True)))
        return max(times, default=0.0)

    def _asked(self, place: _Place, parents: int, level: _Level) -> _Asked:
        asks, asked = ASKS.get(place.coordinate, ()), _Asked(level.wave)
        if not asks:
            return asked
        given = self._given(place)
        if given is None:
            asked.ends = True
            return asked
        wave, together = level.wave, 0.0
        for ask in asks:
            keys = parents * ask.keys_of(given)
            if not keys:
                continue
            if ask.after:
                wave, together = asked.wave, 0.0
            if not (sources := self._sources.of(ask.operation)):
                asked.ends = asked.ends or not ask.maybe
                self.unasked.append(Unasked(place.coordinate, operation=ask.operation))
                continue
            worst = max(one.worst(keys).milliseconds for one in sources)
            asked.milliseconds += max(0.0, worst - together)
            together = max(together, worst)
            asked.wave = wave + 1
            alike = (level.path[:-1], repr(given))
            self._step(ask, place, keys, alike, replace(level, wave=wave))
            if ask.kind:
                asked.brought[ask.kind] = asked.brought.get(ask.kind, 0) + keys
        return asked

    def _step(self, ask: Ask, place: _Place, keys: int, alike: object, level: _Level) -> None:
        maybe = ask.maybe or level.maybe
        fresh = _terms(self._subject.fresh, level.path)
        step = Step(level.wave, place.coordinate, ask.operation, keys, maybe, fresh, alike)
        self.steps.append(step)

    def _given(self, place: _Place) -> Mapping[str, Any] | None:
        """None where the arguments are such that the field fails of them."""
        try:
            if place.column.arguments is not None:
                return place.column.arguments.values(self._subject.variables, self._literals)
            return self._raw(place)
        except Exception:  # noqa: BLE001 - whatever is wrong with them, nobody is asked
            return None

    def _raw(self, place: _Place) -> Mapping[str, Any]:
        found: Mapping[str, Any] = get_argument_values(
            place.definition, place.node, self._subject.variables
        )
        return found

    def _entries(
        self, place: _Place, sized: tuple[tuple[str, ...], int] | None
    ) -> tuple[tuple[tuple[str, ...], int] | None, int]:
        """What is sized below this field, and how many entries it has itself."""
        size = SIZES.get(place.coordinate)
        own = self._size(place, size) if size else UNKNOWN_SIZE
        passed = (size.fields, own) if size and size.fields else None
        if not _is_list(place.definition):
            return passed, 1
        if sized and place.node.name.value in sized[0]:
            return passed, sized[1]
        return passed, own

    def _size(self, place: _Place, size: Size) -> int:
        if size.argument is None:
            return size.assumed or UNKNOWN_SIZE
        value = self._raw(place).get(size.argument)
        if value is None:
            value = place.definition.args[size.argument].default_value
        if isinstance(value, list | tuple):
            return len(value)
        return max(0, value) if isinstance(value, int) else UNKNOWN_SIZE


def _is_list(definition: GraphQLField) -> bool:
    kind = definition.type
    kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return isinstance(kind, GraphQLList)


def _terms(fresh: Mapping[Path, Fresh], path: Path) -> Fresh | None:
    for length in range(len(path), -1, -1):
        if (terms := fresh.get(path[:length])) is not None:
            return terms
    return None


def _waves(steps: Sequence[Step], sources: Sources) -> tuple[PlannedWave, ...]:
    ordered = sorted(steps, key=lambda step: step.wave)
    return tuple(
        PlannedWave(wave, tuple(_merged(list(found), sources)))
        for wave, found in groupby(ordered, key=lambda step: step.wave)
    )


def _merged(steps: Sequence[Step], sources: Sources) -> list[Planned]:
    """What is asked of the same operation on the same terms goes together."""
    together: dict[tuple[str, Fresh | None], list[Step]] = {}
    for step in steps:
        together.setdefault((step.operation, step.fresh), []).append(step)
    return [
        _planned(found, source, several=len(served) > 1)
        for (operation, _), found in together.items()
        for served in [sources.of(operation)]
        for source in served
    ]


def _keys(steps: Sequence[Step]) -> int:
    most: dict[object, int] = {}
    for step in steps:
        most[step.alike] = max(step.keys, most.get(step.alike, 0))
    return sum(most.values())


def _planned(steps: Sequence[Step], source: Source, *, several: bool) -> Planned:
    fresh, keys = steps[0].fresh, _keys(steps)
    manifest = source.upstream.manifest
    age, stale = (fresh.max_age, fresh.stale_if_error) if fresh else (None, None)
    return Planned(
        operation=steps[0].operation,
        fields=tuple(dict.fromkeys(step.coordinate for step in steps)),
        upstream=source.upstream.name,
        system=manifest.system.value,
        connector=manifest.name,
        batches=source.batches(keys),
        worst=source.worst(keys),
        keys=keys if source.is_batch else None,
        maybe=several or all(step.maybe for step in steps),
        cache=source.keeping(age, stale),
        fallback=source.second,
    )


@cache
def _kinds() -> Mapping[type, str]:
    """Not before it is needed: views are there when all of the schema is imported."""
    return {record: name for name, record in VIEWS.items()}
