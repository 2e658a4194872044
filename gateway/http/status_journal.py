"""What the status page shows of the journal: a system's exchanges, its errors, a search."""

import asyncio
import time
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

import msgspec

from gateway.telemetry.journal.grouping import Group, grouped
from gateway.telemetry.journal.query import Query
from gateway.telemetry.journal.record import Entry
from gateway.telemetry.journal.search import Reader
from gateway.telemetry.journal.store import JournalUnavailableError

HOUR = 3600.0
MOST_SECONDS = 7 * 24 * HOUR
_SHOWN, _GROUPED, _FOUND = 40, 2_000, 60
_KINDS = ("order", "sku", "customer", "tracking", "request_id")
_LONGEST = 200


class Asked(msgspec.Struct, frozen=True):
    """A search: `kind` of key (`any`), how far back in seconds, failures alone."""

    key: str
    kind: str = "any"
    seconds: float = HOUR
    errors: bool = False


class Shown(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """`journal` is false where there is none to read; bodies are left to the command line."""

    exchanges: tuple[Entry, ...] = ()
    errors: tuple[Group, ...] = ()
    journal: bool = True


NOTHING = Shown(journal=False)


def asked_of(parameters: Mapping[str, str]) -> Asked | None:
    """None where nothing sensible is asked."""
    key, kind = parameters.get("q", "").strip(), parameters.get("kind", "any")
    try:
        seconds = float(parameters.get("seconds", HOUR))
    except ValueError:
        return None
    if not 0 < len(key) <= _LONGEST or kind not in {"any", "request", *_KINDS} or not seconds > 0:
        return None
    return Asked(key, kind, min(seconds, MOST_SECONDS), parameters.get("errors") == "1")


class JournalView:
    """Reads in threads, two at a time at most. `file` None: there is no journal."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._turns = asyncio.Semaphore(2)

    async def of_system(self, upstream: str) -> Shown:
        return await self._read(lambda reader: _of_system(reader, upstream))

    async def found(self, asked: Asked) -> Shown:
        return await self._read(lambda reader: _found(reader, asked))

    async def _read(self, work: Callable[[Reader], Shown]) -> Shown:
        async with self._turns:
            return await asyncio.to_thread(self._worked, work)

    def _worked(self, work: Callable[[Reader], Shown]) -> Shown:
        if self._file is None:
            return NOTHING
        try:
            with Reader(self._file) as reader:
                return work(reader)
        except JournalUnavailableError:
            return NOTHING


def _of_system(reader: Reader, upstream: str) -> Shown:
    since = time.time() - HOUR
    latest = reader.search(Query(upstream=upstream, since=since, limit=_SHOWN))
    failed = reader.search(Query(upstream=upstream, since=since, errors=True, limit=_GROUPED))
    return Shown(tuple(map(_without_bodies, latest)), tuple(grouped(failed)))


def _found(reader: Reader, asked: Asked) -> Shown:
    kinds = _KINDS if asked.kind == "any" else (asked.kind.replace("request", "request_id", 1),)
    since = time.time() - asked.seconds
    answers = (
        reader.search(Query(since=since, errors=asked.errors, limit=_FOUND, **{kind: asked.key}))  # type: ignore[arg-type]
        for kind in kinds
    )
    by_number = {one.id: one for one in chain.from_iterable(answers)}
    ordered = sorted(by_number.values(), key=lambda one: -one.at)[:_FOUND]
    return Shown(tuple(map(_without_bodies, ordered)))


def _without_bodies(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, request=None, response=None, subject="")
