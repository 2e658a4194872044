"""Live answers held against what is recorded of them, apart from the calls that got them.

Nothing here may slow or fail a call.
"""

import asyncio
import random
import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import unquote_plus

import msgspec

from ports.caller import Call
from ports.errors import UpstreamError
from upstream.drift import (
    MOST_OPERATIONS,
    Drift,
    Recording,
    compare,
    is_known,
    narrowed,
    new_recording,
    route,
)
from upstream.exchanges import Exchange, Sink
from upstream.messages import Request, Response

_LONGEST_BODY = 2 * 1024 * 1024
_WORD = re.compile(r"\w+")


class Sample(NamedTuple):
    """An answer that was put aside. `wanted` are the fields of records that were asked for."""

    operation: str
    path: str
    body: bytes
    wanted: frozenset[str] | None = None
    request: Request | None = None

    def names(self, place: str) -> bool:
        """Whether the request names the last field of `place`: then its absence is a change."""
        field = place.rpartition(".")[2].removesuffix("[]")
        return field in self._words()

    def _words(self) -> set[str]:
        if self.request is None:
            return set()
        params = self.request.params or {}
        texts = [self.request.path, *params.values()]
        if self.request.json is not None:
            texts.append(msgspec.json.encode(self.request.json).decode())
        if self.request.body is not None:
            texts.append(self.request.body.decode(errors="ignore"))
        return {word for one in texts for word in _WORD.findall(unquote_plus(one))}


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
        self._waiting: asyncio.Queue[Sample] = asyncio.Queue(self._sampling.queued)
        self._countdown: dict[str, int] = {}
        self._seen = new_recording(known.upstream, known.kind)
        self._samples: dict[str, int] = {}
        self._before: dict[str, frozenset[Drift]] = {}
        self._fresh: dict[str, int] = {}
        self._working: asyncio.Task[None] | None = None

    def observe(self, operation: str, body: bytes, path: str = "") -> None:
        """Looks at a whole answer, or passes it over."""
        if self.is_due(operation):
            self.put(Sample(operation, path, body))

    def is_due(self, operation: str) -> bool:
        """Costs a count; true of one answer in many."""
        left = self._countdown.get(operation, 0)
        if left:
            self._countdown[operation] = left - 1
            return False
        if len(self._countdown) < MOST_OPERATIONS or operation in self._countdown:
            # By chance, or of two calls that always follow each other one would never be seen.
            most = 2 * (self._sampling.every - 1)
            self._countdown[operation] = random.randint(0, most)  # noqa: S311 - no secret
        return True

    def put(self, sample: Sample) -> None:
        """Puts it aside to be looked at, unless too many wait already."""
        if len(sample.body) <= _LONGEST_BODY and not self._waiting.full():
            self._waiting.put_nowait(sample)

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
            sample = await self._waiting.get()
            try:
                # A thread: decoding a long answer must not hold up the calls.
                self._tell(*await asyncio.to_thread(self._look, sample))
            finally:
                self._waiting.task_done()

    def _look(self, sample: Sample) -> tuple[str, list[Drift]]:
        """By the name of what is compared, its changes."""
        whole = route(sample.operation, sample.path)
        name = whole if sample.wanted is None else narrowed(whole, sample.wanted)
        known = self._known.operations.get(whole)
        has_whole = known is not None and whole not in self._fresh and is_known(known)
        if not has_whole:
            known = self._known.operations.get(name)
            if known is None or name in self._fresh or not is_known(known):
                self._learn(name, sample.body)
                return name, []
        if known is None or not self._seen.learn(name, sample.body):
            return name, []
        self._samples[name] = self._samples.get(name, 0) + 1
        found = compare(whole, known, self._seen.operations[name])
        if sample.wanted is None:
            return name, list(found)
        return name, [one for one in found if _counts(one, sample, has_whole=has_whole)]

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


def _counts(drift: Drift, sample: Sample, *, has_whole: bool) -> bool:
    """Whether it is a change though the answer is one in part.

    What nobody asked for is not missing, and where no whole answer is known none of its fields is
    new: the system was asked for others.
    """
    if drift.change == "missing":
        return sample.names(drift.place)
    return drift.change != "new field" or has_whole


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
        if self._sampler.is_due(request.operation):
            wanted = call.wanted
            asked = (request.operation, request.path)
            part = None if wanted is None else request
            self._sampler.put(Sample(*asked, response.body, wanted, part))

    def misread(self, failure: UpstreamError, /) -> None:
        if self._beyond is not None:
            self._beyond.misread(failure)
