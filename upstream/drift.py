"""Contract drift: answers of a system whose shape is no longer the one that was recorded."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from upstream.shapes import MEMBER, Shape, forget_chance, learn, vocabulary

Change = Literal["missing", "emptied", "retyped", "new field", "new value"]
GRAVE: frozenset[Change] = frozenset({"missing", "emptied", "retyped"})
"""Changes that take a value from somebody; the others only add."""

# How improbable what is seen must be for it to be no chance.
_CHANCE = 0.001
# Fewer sightings than these are no knowledge of a place, and of its type.
_ENOUGH = 20
_TYPED = 5
# How deep the records of an answer lie: `$._embedded.items[]`.
_RECORDS_DEPTH = 3
# What is there less often goes with a kind of record, and those of one kind come together: so many
# of them prove as much as one.
_USUAL = 0.8
_ALIKE = 50
MOST_OPERATIONS = 300
_NARROWED = " (only "
_ID = re.compile(r"/(?=[^/]*(?:\d{4,}|%|\d[A-Za-z]+\d))[^/]+")


@dataclass(frozen=True, slots=True)
class Drift:
    """One change of one operation's answers. `place` is a path in the vendor's own names."""

    operation: str
    place: str
    change: Change
    detail: str

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for the same change, however often it is seen."""
        return self.place, self.change, self.detail if self.change == "new value" else ""


class Recording(msgspec.Struct):
    """What one upstream's answers look like, by operation and route."""

    upstream: str
    kind: str
    recorded_at: datetime
    operations: dict[str, Shape] = {}
    version: Literal[1] = 1

    def learn(self, operation: str, body: bytes) -> bool:
        """False for what is no JSON, or is one operation too many."""
        if operation not in self.operations and len(self.operations) >= MOST_OPERATIONS:
            return False
        try:
            told = msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return False
        learn(self.operations.setdefault(operation, Shape()), told)
        return True


class RecordingError(Exception):
    """A recording that is not there or cannot be read."""


def route(operation: str, path: str) -> str:
    """What a recording knows an answer by: the operation and the path, without keys in it."""
    return f"{operation} {_ID.sub('/{}', path.partition('?')[0])}".rstrip()


def narrowed(route: str, wanted: Iterable[str]) -> str:
    """The name of answers that hold only what was wanted of the records."""
    return f"{route}{_NARROWED}{', '.join(sorted(wanted))})"


def new_recording(upstream: str, kind: str) -> Recording:
    return Recording(upstream, kind, datetime.now(UTC).replace(microsecond=0))


def file_of(folder: Path, upstream: str) -> Path:
    return folder / f"{upstream}.json"


def write(recording: Recording, folder: Path) -> Path:
    """Raises OSError."""
    for shape in recording.operations.values():
        forget_chance(shape)
    folder.mkdir(parents=True, exist_ok=True)
    path = file_of(folder, recording.upstream)
    half = path.with_suffix(".tmp")
    half.write_bytes(msgspec.json.format(msgspec.json.encode(recording, order="sorted")) + b"\n")
    half.replace(path)
    return path


def read(folder: Path, upstream: str) -> Recording:
    """Raises RecordingError."""
    path = file_of(folder, upstream)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recording)
    except FileNotFoundError as absent:
        raise RecordingError(f"{path}: nothing is recorded there") from absent
    except (OSError, ValueError, msgspec.DecodeError) as problem:
        raise RecordingError(f"{path}: cannot be read: {problem}") from problem


def drifts(known: Recording, seen: Recording) -> list[Drift]:
    """What changed in the operations that both know."""
    both = sorted(known.operations.keys() & seen.operations.keys())
    return [
        drift
        for operation in both
        for drift in compare(operation, known.operations[operation], seen.operations[operation])
    ]


def compare(operation: str, known: Shape, seen: Shape, place: str = "$") -> Iterator[Drift]:
    """What `seen` has that `known` has not, and the reverse where chance does not explain it."""
    yield from _of_value(operation, known, seen, place)
    was, now = known.types.get("object", 0), seen.types.get("object", 0)
    for name, one in known.fields.items():
        found = seen.fields.get(name)
        if found is not None:
            yield from compare(operation, one, found, f"{place}.{name}")
        elif name != MEMBER and not seen.is_map and _is_no_chance(one.seen, was, now):
            detail = f"was in {one.seen} of {was}, is in none of {now}"
            yield Drift(operation, f"{place}.{name}", "missing", detail)
    if was >= _ENOUGH and not known.is_map:
        for name in sorted(seen.fields.keys() - known.fields.keys() - {MEMBER}):
            kinds = "/".join(sorted(seen.fields[name].types))
            yield Drift(operation, f"{place}.{name}", "new field", f"{kinds}, not recorded before")
    if known.items is not None and seen.items is not None:
        yield from compare(operation, known.items, seen.items, f"{place}[]")


def _of_value(operation: str, known: Shape, seen: Shape, place: str) -> Iterator[Drift]:
    void = _void(known, seen)
    was, now = _kinds(known, void), _kinds(seen, void)
    filled = _filled(known, void)
    if filled >= _TYPED and now - was:
        detail = f"was {'/'.join(sorted(was))}, is {'/'.join(sorted(now))}"
        yield Drift(operation, place, "retyped", detail)
    if not _filled(seen, void) and _is_no_chance(filled, known.seen, seen.seen):
        detail = f"was filled in {filled} of {known.seen}, is empty in all {seen.seen}"
        yield Drift(operation, place, "emptied", detail)
    words = vocabulary(known)
    if words is not None and sum((known.words or {}).values()) >= _ENOUGH:
        for word in sorted(set(seen.words or {}) - words):
            yield Drift(operation, place, "new value", f"{word}, not recorded before")


def _void(known: Shape, seen: Shape) -> frozenset[str]:
    """What stands for nothing at a place: Odoo writes `false` where no yes or no is meant."""
    is_flag = "true" in known.types or "true" in seen.types
    return frozenset({"null"}) if is_flag else frozenset({"null", "false"})


def _kinds(shape: Shape, void: frozenset[str]) -> frozenset[str]:
    named = {"true": "boolean", "false": "boolean"}
    return frozenset(named.get(one, one) for one in shape.types if one not in void)


def _filled(shape: Shape, void: frozenset[str]) -> int:
    return shape.seen - sum(shape.types.get(one, 0) for one in void)


def _is_no_chance(times: int, of: int, sample: int) -> bool:
    """Whether so common a thing would be in one of `sample` at least."""
    if not sample or not times or of < _ENOUGH:
        return False
    share = times / (of + 1)
    proofs = sample if share >= _USUAL else sample / _ALIKE
    return (1 - share) ** proofs < _CHANCE


def is_known(shape: Shape) -> bool:
    """Whether so many records were seen that others can be held against them."""
    return _records(shape, 0) >= _ENOUGH


def _records(shape: Shape, depth: int) -> int:
    below = [*shape.fields.values(), *((shape.items,) if shape.items else ())]
    deeper = (_records(one, depth + 1) for one in below) if depth < _RECORDS_DEPTH else ()
    return max(shape.types.get("object", 0), *deeper, 0)
