"""What is asked of a system, and what is answered from what is known: the policy of the cache.

An answer is CACHED within its lifetime. Past it the system is asked; the old answer stands in,
marked STALE and with the time it was read at, where the system fails or, shortly past the lifetime,
takes longer than the policy's patience.

A call may tighten lifetimes, never stretch them: `max_age` 0 reads the system now, and
`stale_if_error` 0 gives the error. Every failure of an upstream lets the old answer stand in, a
refusal too: credentials that ended at night must not close the shop.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import msgspec

from ports.caller import Call
from ports.common import Freshness, FreshnessState, Page
from ports.errors import TimedOutError, UpstreamError
from ports.operation import Operation
from upstream.codec import Codec, key_bytes, structs_in
from upstream.connector import Upstream
from upstream.flights import Ask, Fare, Flight, Flights
from upstream.lifetimes import CachePolicy, fresh_seconds
from upstream.memory import ABSENT, Entry, Memory
from upstream.scope import scope
from upstream.stores import Kept, Store
from upstream.tags import tags

Clock = Callable[[], float]


class Cache:
    """What all guarded operations of a process keep. Close it with `aclose`."""

    def __init__(
        self,
        policy: CachePolicy | None = None,
        store: Store | None = None,
        *,
        clock: Clock = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.policy = policy or CachePolicy()
        self.store = store
        self.clock = clock
        self.chance = chance
        self.memory = Memory(self.policy.memory_entries, self.policy.memory_bytes)
        self.purges = 0
        self._operations: list[CachedOperation] = []
        self._listening = False

    def operation(
        self, name: str, operation: Operation, upstream: Upstream, shape: Any
    ) -> "CachedOperation":
        """What keeps the answers, of type `shape`, of a port operation of an upstream."""
        made = CachedOperation(self, name, operation, upstream, shape)
        self._operations.append(made)
        return made

    async def purge(self, tags: Sequence[str]) -> int:
        """Drops all answers with any of the tags, here and in every replica.

        They do not stand in for failures either. Tells how many were dropped, as far as is known.
        """
        here = self._forget(tags)
        shared = await self.store.purge(tags) if self.store else 0
        return max(here, shared)

    async def aclose(self) -> None:
        for one in self._operations:
            await one.flights.aclose()
        if self.store:
            await self.store.aclose()

    def listen(self) -> None:
        """Hears what other replicas purge, from the first question on."""
        if self.store and not self._listening:
            self._listening = True
            self.store.listen(self._forget)

    def _forget(self, tags: Sequence[str]) -> int:
        self.purges += 1
        for one in self._operations:
            one.flights.forget(tags, one.tags_of)
        return self.memory.purge(tags)


class _Terms(msgspec.Struct, frozen=True):
    """What one call accepts.

    Seconds: the oldest fresh answer, and for how long past that an answer stands in for a system
    that is slow (`revalidate`) or fails (`stale`). `since` is when a call under way must have begun
    to serve this one too.
    """

    scope: str
    call: Call
    ask: Ask
    now: float
    max_age: float
    revalidate: float
    stale: float
    since: float


@dataclass(slots=True)
class _Known:
    """What is known of the keys of one call: good answers, and old ones that may stand in."""

    found: dict[Any, Any]
    old: dict[Any, Entry]


class CachedOperation:
    """One operation of one upstream behind the cache. `ask` is always what asks the system."""

    def __init__(
        self, cache: Cache, name: str, operation: Operation, upstream: Upstream, shape: Any
    ) -> None:
        self.name = name
        self._cache = cache
        self._operation = operation
        self._upstream = upstream
        self._codec = Codec(shape)
        self._lifetime = cache.policy.lifetime(upstream.name, name, operation)
        self._keeps = self._lifetime.max_age > 0
        self._generation: str | None = None
        records = structs_in(shape)
        self._dated = Freshness in records
        types = [record.__name__ for record in records if record is not Page][:1]
        self._broad = (
            f"upstream:{upstream.name}",
            f"role:{name.partition('.')[0]}",
            *(f"type:{one}" for one in types),
        )
        self.flights = Flights(cache.clock, self._landed)

    async def batch(self, keys: Sequence[Any], call: Call, ask: Ask) -> dict[Any, Any]:
        """Answers by key; unknown keys are absent, failed ones hold their error.

        Raises the error where all that was asked failed of the same one.
        """
        self._cache.listen()
        terms = self._terms(call, ask)
        known = _Known({}, {})
        missing = self._remembered(terms, keys, known)
        if missing and self._cache.store and self._keeps:
            missing = await self._shared(terms, missing, known)
        found = known.found
        if missing:
            found.update(await self._flown(terms, missing, known))
        return {key: found[key] for key in keys if found[key] is not ABSENT}

    async def single(self, arguments: Sequence[Any], call: Call, ask: Ask) -> Any:
        """The answer to these arguments. Raises what the call to the system raises."""
        key = key_bytes(arguments)
        return (await self.batch((key,), call, ask))[key]

    def tags_of(self, key: Any) -> tuple[str, ...]:
        """What the key alone tells."""
        return tags(self.name, key, None)

    def _terms(self, call: Call, ask: Ask) -> _Terms:
        life, now = self._lifetime, self._cache.clock()
        told = scope(self._upstream.name, self.name, self._operation, call)
        stale = life.stale_if_error
        if call.stale_if_error is not None:
            stale = min(stale, call.stale_if_error)
        if call.max_age is None:
            soon = min(life.stale_while_revalidate, stale)
            return _Terms(told, call, ask, now, inf, soon, stale, -inf)
        return _Terms(told, call, ask, now, call.max_age, 0.0, stale, now - call.max_age)

    def _remembered(self, terms: _Terms, keys: Sequence[Any], known: _Known) -> list[Any]:
        """Looks in this process; the keys that are still missing."""
        get, found = self._cache.memory.get, known.found
        # Where nothing is shared nobody else purges.
        trusted = terms.now - self._cache.policy.memory_seconds if self._cache.store else -inf
        missing = []
        for key in keys:
            entry = get((terms.scope, key))
            if entry is None:
                missing.append(key)
            elif entry.checked >= trusted and _is_fresh(entry, terms):
                found[key] = entry.value
            else:
                missing.append(key)
                known.old[key] = entry
        return missing

    async def _shared(self, terms: _Terms, keys: Sequence[Any], known: _Known) -> list[Any]:
        """Looks in the store and remembers what it has; the keys that are still missing."""
        store = self._cache.store
        if store is None:
            return list(keys)
        places = {store.place(self._codec.fingerprint, terms.scope, key): key for key in keys}
        purges = self._cache.purges
        reading = await store.read(tuple(places), self._broad)
        if reading is None:
            return list(keys)
        self._generation = reading.generation
        for place, kept in reading.found.items():
            key = places[place]
            entry = self._confirmed(key, kept, known.old.get(key))
            if entry is None:
                continue
            if purges == self._cache.purges:
                self._cache.memory.put((terms.scope, key), entry)
            if _is_fresh(entry, terms):
                known.found[key] = entry.value
            else:
                known.old[key] = entry
        return [key for key in keys if key not in known.found]

    def _confirmed(self, key: Any, kept: Kept, old: Entry | None) -> Entry | None:
        """The store's answer, or the remembered one where it is as young."""
        now = self._cache.clock()
        # Clocks of replicas agree within a second, or else their answers are read anew.
        if old is not None and old.born + 1.0 >= now - kept.age:
            agreed = abs(old.born - (now - kept.age)) <= 1.0
            return msgspec.structs.replace(old, checked=now) if agreed else old
        try:
            value = ABSENT if kept.body is None else self._codec.decode(kept.body)
        except (msgspec.DecodeError, ValueError):
            return None
        return self._entry(key, kept, value)

    def _entry(self, key: Any, kept: Kept, value: Any) -> Entry:
        now = self._cache.clock()
        return Entry(
            value=self._marked(value, FreshnessState.CACHED),
            born=now - kept.age,
            fresh=kept.fresh,
            checked=now,
            encoded=len(kept.body or b""),
            tags=tags(self.name, key, value),
            broad=self._broad,
        )

    async def _flown(self, terms: _Terms, keys: Sequence[Any], known: _Known) -> dict[Any, Any]:
        """The answers of calls to the system; the old ones where it fails or is late."""
        old = known.old
        flights = self.flights.join(self._fare(terms), keys, terms.since)
        await self._awaited(terms, flights, old)
        late, now = self._late(), self._cache.clock()
        outcomes = {key: _outcome(flight, key, late) for key, flight in flights.items()}
        for key, entry in old.items():
            failed = isinstance(outcomes.get(key), UpstreamError)
            if failed and _may_stand_in(entry, terms, terms.stale, now):
                outcomes[key] = self._marked(entry.value, FreshnessState.STALE)
        if not known.found and (error := _common_failure(outcomes, flights, late)):
            raise error.with_traceback(None)
        return outcomes

    def _fare(self, terms: _Terms) -> Fare:
        """A flight outlives who asked first: others may wait for it."""
        deadline = max(terms.call.deadline, time.monotonic() + self._cache.policy.call_seconds)
        return Fare(
            terms.scope,
            msgspec.structs.replace(terms.call, deadline=deadline),
            terms.ask,
            gathers=self._operation.shape == "batch",
            generation=self._generation,
        )

    async def _awaited(
        self, terms: _Terms, flights: Mapping[Any, Flight], old: Mapping[Any, Entry]
    ) -> None:
        """Waits to the deadline; for those with an answer just past its lifetime, a moment."""
        deadline = terms.call.deadline
        soon = min(deadline, time.monotonic() + self._cache.policy.patience_seconds)
        needed = {
            flight.done
            for key, flight in flights.items()
            if key not in old or not _may_stand_in(old[key], terms, terms.revalidate, terms.now)
        }
        await _wait(needed, deadline)
        await _wait({flight.done for flight in flights.values()} - needed, soon)

    def _late(self) -> TimedOutError:
        return TimedOutError(
            system=self._upstream.manifest.system.value,
            upstream=self._upstream.name,
            operation=self.name,
            detail="the operation's deadline passed",
        )

    async def _landed(self, flight: Flight) -> None:
        """Keeps what a flight brought: here at once, then in the store."""
        if flight.answers is None or not self._keeps:
            return
        kept = {}
        for key in flight.keys:
            value = flight.answers.get(key, ABSENT)
            if isinstance(value, UpstreamError):
                continue
            one = self._kept(flight, key, value)
            if flight.purged.isdisjoint((*one.tags, *self._broad)):
                place = (flight.fare.scope, key)
                self._cache.memory.put(place, self._entry(key, one, value))
                kept[key] = one
        store, generation = self._cache.store, flight.fare.generation
        if store and generation is not None and kept:
            told, mark = flight.fare.scope, self._codec.fingerprint
            placed = {store.place(mark, told, key): one for key, one in kept.items()}
            await store.write(placed, generation)

    def _kept(self, flight: Flight, key: Any, value: Any) -> Kept:
        policy, life = self._cache.policy, self._lifetime
        absent = value is ABSENT
        fresh = min(policy.negative_seconds, life.max_age) if absent else fresh_seconds(value, life)
        fresh *= 1.0 - policy.jitter * self._cache.chance()
        return Kept(
            age=self._cache.clock() - flight.started,
            fresh=fresh,
            body=None if absent else self._codec.encode(value),
            lasts=fresh if absent else fresh + life.stale_if_error,
            tags=tags(self.name, key, value),
        )

    def _marked(self, value: Any, state: FreshnessState) -> Any:
        return _marked(value, state) if self._dated else value


def _is_fresh(entry: Entry, terms: _Terms) -> bool:
    return terms.now - entry.born < min(entry.fresh, terms.max_age)


def _may_stand_in(entry: Entry, terms: _Terms, seconds: float, now: float) -> bool:
    """Whether an answer is at most so long past its lifetime. Nothing known is no answer."""
    if entry.value is ABSENT or seconds <= 0:
        return False
    return now - entry.born < min(entry.fresh, terms.max_age) + seconds


async def _wait(flights: set[asyncio.Future[None]], until: float) -> None:
    pending = {one for one in flights if not one.done()}
    if pending:
        await asyncio.wait(pending, timeout=max(0.0, until - time.monotonic()))


def _outcome(flight: Flight, key: Any, late: UpstreamError) -> Any:
    if flight.failure is not None:
        raise flight.failure.with_traceback(None)
    if flight.answers is not None:
        return flight.answers.get(key, ABSENT)
    return flight.raised or late


def _common_failure(
    outcomes: Mapping[Any, Any], flights: Mapping[Any, Flight], late: UpstreamError
) -> UpstreamError | None:
    """The one error that left all without an answer."""
    first = next(iter(outcomes.values()))
    whole = first is late or any(first is flight.raised for flight in flights.values())
    return first if whole and all(one is first for one in outcomes.values()) else None


def _marked(value: Any, state: FreshnessState) -> Any:
    """The same record with this state wherever it tells its freshness. FALLBACK stays."""
    match value:
        case Freshness():
            if value.state is FreshnessState.FALLBACK:
                return value
            return msgspec.structs.replace(value, state=state)
        case tuple():
            return tuple(_marked(one, state) for one in value)
        case msgspec.Struct():
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            changed = {
                name: new for name, old in fields.items() if (new := _marked(old, state)) is not old
            }
            return msgspec.structs.replace(value, **changed) if changed else value
        case _:
            return value
