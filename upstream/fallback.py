"""A second upstream of a role, asked for what the first one cannot answer now.

Stands around two guarded ports: each has its own cache, circuits and limits, and is asked on the
caller's own terms. Nothing is kept here. What the second answers is told to who observes the
cache, as answers of the first by another system.
"""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any, TypeVar

import msgspec
import structlog

from ports.caller import Call
from ports.common import Freshness, FreshnessState, Page, PageRequest
from ports.errors import MalformedError, TransientError, UpstreamError
from ports.operation import Operation, operations
from upstream.freshness import marked
from upstream.uses import Observe, Use

Method = Callable[..., Awaitable[Any]]
T = TypeVar("T")

# How a system fails that is out. A refusal is the answer of one that is there.
_OUT = (TransientError, MalformedError)
# Marks cursors of the second source: a list goes on with the source that it began with.
_MARK = "fallback:"
_TELL_SECONDS = 60.0
_NOTHING: Any = object()

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """Tells `observe` that the upstream `second` answered in place of `first`."""

    first: str
    second: str
    observe: Observe

    def __call__(self, call: Call, operation: str, terms: Operation, keys: int) -> None:
        use = Use(self.first, operation, terms.varies_on, fallback=keys, source=self.second)
        self.observe(call, use)


class Fallback:
    """A port whose answers come from `first`, and while that is out from `second`.

    Records of the second tell `FALLBACK` wherever they tell their freshness. What neither can
    answer fails with the first's error; so does a key that only the second could have known and
    does not. The first gets `first_share` of the time that is left when it is asked.
    """

    def __init__(  # noqa: PLR0913 - what it stands for, its two sides, and how they share
        self,
        role: str,
        protocol: type,
        first: object,
        second: object,
        *,
        first_share: float,
        served: Served | None = None,
    ) -> None:
        """`served` hears of what the second answered."""
        self._port = first
        for method, operation in operations(protocol).items():
            pair = _Pair(f"{role}.{method}", operation, first_share, served)
            pair.first, pair.second = getattr(first, method), getattr(second, method)
            setattr(self, method, pair.batch if operation.shape == "batch" else pair.single)

    def __getattr__(self, name: str) -> Any:
        """Operations that declare nothing (a stream of bytes) are the first's alone."""
        return getattr(self._port, name)


class _Pair:
    """One operation of both sources."""

    first: Method
    second: Method

    def __init__(
        self, name: str, operation: Operation, first_share: float, served: Served | None
    ) -> None:
        self._name = name
        self._served = served
        self._operation = operation
        self._share = first_share
        self._tell_at = 0.0

    async def batch(self, keys: Sequence[Any], /, *, call: Call) -> Mapping[Any, Any]:
        try:
            answers: Mapping[Any, Any] = await self.first(keys, call=self._hurried(call))
        except _OUT as error:
            found = await self._found(tuple(dict.fromkeys(keys)), call, error)
            if not found:
                raise
            return {**dict.fromkeys(keys, error), **found}
        failed = {key: one for key, one in answers.items() if isinstance(one, _OUT)}
        if not failed:
            return answers
        found = await self._found(tuple(failed), call, next(iter(failed.values())))
        return {**answers, **found}

    async def single(self, *arguments: Any, call: Call) -> Any:
        page = next((one for one in arguments if isinstance(one, PageRequest)), None)
        if page is not None and page.after is not None:
            return await self._continued(arguments, page.after, call)
        try:
            return await self.first(*arguments, call=self._hurried(call))
        except _OUT as error:
            found = await self._second(arguments, call, error)
            if found is _NOTHING or found is None or not _is_within(found, self._oldest(call)):
                raise
            self._serve(call, 1)
            return _with_marked_cursors(marked(found, FreshnessState.FALLBACK))

    async def _continued(self, arguments: Sequence[Any], after: str, call: Call) -> Any:
        """The rest of a list, from the source that gave the cursor and no other."""
        if not after.startswith(_MARK):
            return await self.first(*arguments, call=call)
        own = msgspec.structs.replace
        call = _noted(call)
        theirs = [
            own(one, after=after.removeprefix(_MARK)) if isinstance(one, PageRequest) else one
            for one in arguments
        ]
        found = await self.second(*theirs, call=call)
        self._serve(call, 1)
        return _with_marked_cursors(marked(found, FreshnessState.FALLBACK))

    async def _found(self, keys: Sequence[Any], call: Call, error: UpstreamError) -> dict[Any, Any]:
        """What the second source knows, failures and what is too old for the caller left out."""
        told = await self._second((keys,), call, error)
        if told is _NOTHING:
            return {}
        since = self._oldest(call)
        found = {
            key: marked(one, FreshnessState.FALLBACK)
            for key, one in told.items()
            if not isinstance(one, UpstreamError) and _is_within(one, since)
        }
        if found:
            self._serve(call, len(found))
        return found

    def _serve(self, call: Call, keys: int) -> None:
        if self._served is not None:
            self._served(call, self._name, self._operation, keys)

    async def _second(self, arguments: Sequence[Any], call: Call, error: UpstreamError) -> Any:
        """Its answer, or nothing: the caller is told what became of the first."""
        if call.stale_if_error is not None and call.stale_if_error <= 0:
            return _NOTHING
        self._tell(error)
        try:
            return await self.second(*arguments, call=_noted(call))
        except Exception as failure:  # noqa: BLE001 - whatever it is, the first's error is told
            log.warning(
                "fallback failed",
                operation=self._name,
                reason=type(failure).__name__,
                detail=getattr(failure, "detail", str(failure)),
            )
            return _NOTHING

    def _hurried(self, call: Call) -> Call:
        now = time.monotonic()
        share = now + max(0.0, call.deadline - now) * self._share
        return msgspec.structs.replace(call, deadline=share)

    def _oldest(self, call: Call) -> float:
        """The POSIX time before which this caller wants rather an error, as for stale answers."""
        if call.stale_if_error is None:
            return -inf
        asked = inf if call.max_age is None else call.max_age
        age = min(self._operation.max_age, asked) + call.stale_if_error
        return datetime.now(UTC).timestamp() - age

    def _tell(self, error: UpstreamError) -> None:
        """Once a minute, since an outage asks thousands of times."""
        now = time.monotonic()
        if now >= self._tell_at:
            self._tell_at = now + _TELL_SECONDS
            log.warning(
                "fallback in use", operation=self._name, upstream=error.upstream, code=error.code
            )


def _is_within(value: Any, since: float) -> bool:
    """Whether nothing in it was read before; what does not tell is as old as can be."""
    return since == -inf or min(_moments(value), default=-inf) >= since


def _moments(value: Any) -> Iterator[float]:
    match value:
        case Freshness():
            yield value.as_of.timestamp()
        case tuple():
            for one in value:
                yield from _moments(one)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                yield from _moments(getattr(value, name))
        case _:
            pass


def _noted(call: Call) -> Call:
    """Answers of the second source are noted as such, and as nothing to be reused."""
    note = call.note
    if note is None:
        return call

    def told(use: object) -> object:
        if isinstance(use, Use):
            fallback = use.cached + use.stale + use.live
            none = {"cached": 0, "stale": 0, "live": 0, "fresh_for": 0.0}
            use = msgspec.structs.replace(use, fallback=fallback, **none)
        return note(use)

    return msgspec.structs.replace(call, note=told)


def _with_marked_cursors(value: T) -> T:
    if not isinstance(value, Page):
        return value
    return msgspec.structs.replace(value, cursors=tuple(f"{_MARK}{one}" for one in value.cursors))
