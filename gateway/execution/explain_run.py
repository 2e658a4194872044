"""What one operation asks of ports while it runs, noted around them; and that told wave by wave."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import msgspec

from gateway.execution.explain_report import Happened, Made, Plan, Run, Wave
from ports.caller import Call
from ports.errors import PortError, UpstreamError
from resolvers.context import Ports
from upstream.uses import Portion, Use

MOST_QUESTIONS = 500
_WATCHED = frozenset(one.name for one in fields(Ports)) - {"tracking"}


@dataclass(slots=True)
class Question:
    """One call on a port. `keys` is None for what asks no keys; times are monotonic seconds."""

    operation: str
    keys: int | None
    began: float
    ended: float | None = None
    error: str | None = None
    failed: int = 0
    uses: list[Use] = field(default_factory=list)
    portions: list[Portion] = field(default_factory=list)

    def noting(self, note: Callable[[object], object] | None) -> Callable[[object], object]:
        """Notes how its answers came about, and passes that on."""

        def noted(use: object) -> object:
            if isinstance(use, Use):
                self.uses.append(use)
            return note(use) if note else None

        return noted

    def watching(self, watch: Callable[[object], object] | None) -> Callable[[object], object]:
        def watched(portion: object) -> object:
            if isinstance(portion, Portion):
                self.portions.append(portion)
            return watch(portion) if watch else None

        return watched


class Recorder:
    """Of one operation that is about to run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.began = clock()
        self.questions: list[Question] = []
        self.left_off = 0

    def ports(self, ports: Ports) -> Ports:
        """The same ports, looked at."""
        watched = {
            role: _Watched(role, port, self)
            for role in _WATCHED
            if (port := getattr(ports, role)) is not None
        }
        carriers = {code: _Watched("tracking", one, self) for code, one in ports.tracking.items()}
        return replace(ports, **watched, tracking=carriers)

    def begun(self, operation: str, arguments: Sequence[object]) -> Question:
        keys = arguments[0] if len(arguments) == 1 else None
        number = len(keys) if isinstance(keys, tuple | list) else None
        question = Question(operation, number, self.clock())
        if len(self.questions) < MOST_QUESTIONS:
            self.questions.append(question)
        else:
            self.left_off += 1
        return question

    def run(self, plan: Plan | None) -> Run:
        """What happened up to now, in the waves of the plan."""
        now = self.clock()
        known = sorted(self.questions, key=lambda one: one.began)
        waves: dict[int, list[Happened]] = {}
        for number, question in zip(_numbers(known, plan), known, strict=True):
            waves.setdefault(number, []).append(self._happened(question, now))
        told = tuple(_wave(number, waves[number]) for number in sorted(waves))
        calls = sum(len(one.portions) for one in known)
        return Run(_milliseconds(now - self.began), calls, told, self.left_off)

    def _happened(self, question: Question, now: float) -> Happened:
        ended = now if question.ended is None else question.ended
        portions = sorted(question.portions, key=lambda one: one.began)
        names = [use.upstream for use in question.uses] + [one.upstream for one in portions]
        return Happened(
            operation=question.operation,
            start=_milliseconds(question.began - self.began),
            milliseconds=_milliseconds(ended - question.began),
            keys=question.keys,
            upstreams=tuple(dict.fromkeys(names)),
            error=question.error,
            calls=tuple(map(self._made, portions)),
            **_counts(question),
        )

    def _made(self, portion: Portion) -> Made:
        start, end = portion.began - self.began, portion.ended - self.began
        return Made(
            portion.upstream,
            _milliseconds(start),
            _milliseconds(end - start),
            portion.keys,
            portion.error,
        )


class _Watched:
    """A port whose questions are noted."""

    def __init__(self, role: str, port: Any, recorder: Recorder) -> None:
        self._role = role
        self._port = port
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        method, recorder = getattr(self._port, name), self._recorder
        operation = f"{self._role}.{name}"

        async def asked(*arguments: Any, call: Call) -> Any:
            question = recorder.begun(operation, arguments)
            note, watch = question.noting(call.note), question.watching(call.watch)
            own = msgspec.structs.replace(call, note=note, watch=watch)
            try:
                answer = await method(*arguments, call=own)
            except PortError as error:
                question.error = error.code
                raise
            else:
                question.failed = _failures(answer)
                return answer
            finally:
                question.ended = recorder.clock()

        return asked


def _failures(answer: object) -> int:
    if not isinstance(answer, dict):
        return 0
    return sum(isinstance(one, UpstreamError) for one in answer.values())


def _counts(question: Question) -> dict[str, int]:
    """By where the answers came from; without a cache all of them came from the system."""
    names = ("cached", "stale", "live", "fallback", "failed")
    if question.uses:
        found = {name: sum(getattr(use, name) for use in question.uses) for name in names}
        # A second system answers what the first has failed.
        return {**found, "failed": max(0, found["failed"] - found["fallback"])}
    keys = 1 if question.keys is None else question.keys
    failed = keys if question.error else question.failed
    return {**dict.fromkeys(names, 0), "live": keys - failed, "failed": failed}


def _numbers(questions: Sequence[Question], plan: Plan | None) -> Iterator[int]:
    """The wave of each question: its operation's own in the plan, one after the other."""
    slots = _slots(plan)
    seen: dict[str, int] = {}
    for question in questions:
        waves = slots.get(question.operation)
        if waves is None:
            earlier = [one for one in questions if _is_before(one, question)]
            yield len({one.operation for one in earlier}) + 1
            continue
        place = seen.get(question.operation, 0)
        seen[question.operation] = place + 1
        yield waves[min(place, len(waves) - 1)]


def _slots(plan: Plan | None) -> dict[str, list[int]]:
    """The waves in which each operation is asked; a question that is no list of keys has its own."""
    slots: dict[str, list[int]] = {}
    for wave in plan.waves if plan else ():
        for one in wave.calls:
            times = one.calls if one.keys is None else 1
            slots.setdefault(one.operation, []).extend([wave.wave] * times)
    return slots


def _is_before(one: Question, other: Question) -> bool:
    return one.ended is not None and one.ended < other.began


def _wave(number: int, questions: Sequence[Happened]) -> Wave:
    start = min(one.start for one in questions)
    end = max(one.start + one.milliseconds for one in questions)
    return Wave(number, start, round(end - start, 3), tuple(questions))


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)
