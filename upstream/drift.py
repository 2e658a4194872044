"""Contract drift: answers of a system whose shape is no longer the one that was recorded.

Live answers are sampled apart from the calls that got them; nothing here may slow or fail a call.
"""

import asyncio
import random
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.exchanges import Exchange, Sink
from upstream.messages import Request, Response
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
_MOST_OPERATIONS = 300
_LONGEST_BODY = 2 * 1024 * 1024
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
        if operation not in self.operations and len(self.operations) >= _MOST_OPERATIONS:
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


@dataclass(frozen=True, slots=True)
class Sampling:
    """About one answer in `every` is looked at; at most `queued` wait for it.

    Operations of which too little is recorded are learned from their first `learned` samples. What is seen
    is compared over `window` samples, then forgotten.
    """

    every: int = 50
    queued: int = 32
    learned: int = 100
    window: int = 100


class Sampler(AbstractAsyncContextManager["Sampler"]):
    """Compares live answers of one upstream with what is known of them, while it is entered.

    `told` hears of each change once, until a window without it has passed; it must not block.
    `learned` is told when an operation was added to the recording.
    """

    def __init__(
        self,
        known: Recording,
        told: Callable[[Drift], object],
        sampling: Sampling | None = None,
        learned: Callable[[Recording], object] | None = None,
    ) -> None:
        self._known = known
        self._told = told
        self._learned = learned
        self._sampling = sampling or Sampling()
        self._waiting: asyncio.Queue[tuple[str, str, bytes]] = asyncio.Queue(self._sampling.queued)
        self._countdown: dict[str, int] = {}
        self._seen = new_recording(known.upstream, known.kind)
        self._samples: dict[str, int] = {}
        self._before: dict[str, frozenset[Drift]] = {}
        self._fresh: dict[str, int] = {}
        self._working: asyncio.Task[None] | None = None

    def observe(self, operation: str, body: bytes, path: str = "") -> None:
        """Costs a count; one answer in many is put aside, unless too many wait already."""
        left = self._countdown.get(operation, 0)
        if left:
            self._countdown[operation] = left - 1
            return
        if len(self._countdown) < _MOST_OPERATIONS or operation in self._countdown:
            # By chance, or of two calls that always follow each other one would never be seen.
            most = 2 * (self._sampling.every - 1)
            self._countdown[operation] = random.randint(0, most)  # noqa: S311 - no secret
        if len(body) <= _LONGEST_BODY and not self._waiting.full():
            self._waiting.put_nowait((operation, path, body))

    async def settled(self) -> None:
        """When all that was put aside has been looked at."""
        await self._waiting.join()

    async def __aenter__(self) -> Self:
        self._working = asyncio.create_task(self._work())
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _raised: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            asked, path, body = await self._waiting.get()
            operation = route(asked, path)
            try:
                # A thread: decoding a long answer must not hold up the calls.
                found = await asyncio.to_thread(self._look, operation, body)
                self._tell(operation, found)
            finally:
                self._waiting.task_done()

    def _look(self, operation: str, body: bytes) -> list[Drift]:
        known = self._known.operations.get(operation)
        if known is None or operation in self._fresh or not is_known(known):
            self._learn(operation, body)
            return []
        if not self._seen.learn(operation, body):
            return []
        self._samples[operation] = self._samples.get(operation, 0) + 1
        return list(compare(operation, known, self._seen.operations[operation]))

    def _learn(self, operation: str, body: bytes) -> None:
        if not self._known.learn(operation, body):
            return
        self._fresh[operation] = self._fresh.get(operation, 0) + 1
        if self._fresh[operation] >= self._sampling.learned:
            del self._fresh[operation]
            if self._learned is not None:
                self._learned(self._known)

    def _tell(self, operation: str, found: list[Drift]) -> None:
        before = self._before.get(operation, frozenset())
        told = {one.key for one in before}
        new = [one for one in found if one.key not in told]
        for drift in new:
            self._told(drift)
        if self._samples.get(operation, 0) >= self._sampling.window:
            self._samples[operation] = 0
            self._seen.operations.pop(operation, None)
            self._before[operation] = frozenset(found)
        else:
            self._before[operation] = before | frozenset(new)


class Sampled:
    """The sink of an upstream's client with a sampler beside it: `beyond` is told as before."""

    def __init__(self, sampler: Sampler, beyond: Sink | None) -> None:
        self._sampler = sampler
        self._beyond = beyond

    def passed(
        self,
        exchange: Exchange,
        call: Call,
        request: Request | None,
        response: Response | None,
        failure: UpstreamError | None,
        /,
    ) -> None:
        if self._beyond is not None:
            self._beyond.passed(exchange, call, request, response, failure)
        if failure or request is None or response is None or response.status >= 300:  # noqa: PLR2004
            return
        if call.wanted is not None:
            # What lacks fields because nobody asked for them is no change.
            return
        self._sampler.observe(request.operation, response.body, request.path)

    def misread(self, failure: UpstreamError, /) -> None:
        if self._beyond is not None:
            self._beyond.misread(failure)
