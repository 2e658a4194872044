"""What is asked of a system, and what is answered from what is known: the policy of the cache.

An answer is CACHED within its lifetime. Past it the system is asked; the old answer stands in,
marked STALE and with the time it was read at, where the system fails or, shortly past the lifetime,
takes longer than the policy's patience.

A call may tighten lifetimes, never stretch them: `max_age` 0 reads the system now, and
`stale_if_error` 0 gives the error. Every failure of an upstream lets the old answer stand in, a
refusal too: credentials that ended at night must not close the shop.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Any

import msgspec

from ports.caller import Call
from ports.common import Freshness, FreshnessState, Page
from ports.errors import TimedOutError, UpstreamError
from ports.operation import Operation
from upstream.codec import Codec, key_bytes, structs_in
from upstream.connector import Upstream
from upstream.deadlines import Deadlines
from upstream.flights import Ask, Fare, Flight, Flights
from upstream.freshness import marked
from upstream.lifetimes import CachePolicy, fresh_seconds
from upstream.memory import ABSENT, Entry, Memory
from upstream.scope import Scopes
from upstream.stores import Kept, Store
from upstream.tags import tags
from upstream.terms import Terms, terms_of
from upstream.uses import Known, Observe, Use

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
        observe: Observe | None = None,
    ) -> None:
        """`observe` is told after each call on a port how its answers came about."""
        self.policy = policy or CachePolicy()
        self.store = store
        self.clock = clock
        self.chance = chance
        self.observe = observe
        self.memory = Memory(self.policy.memory_entries, self.policy.memory_bytes)
        self.purges = 0
        self._operations: list[CachedOperation] = []
        self._listening = False
        self._told: list[Callable[[Sequence[str]], object]] = []

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
        if self.store is None:
            return here
        shared = await self.store.purge(tags)
        # Once more: it may have been read from the store before that forgot it, too.
        self._forget(tags)
        return max(here, shared)

    def subscribe(self, told: Callable[[Sequence[str]], object]) -> None:
        """`told` hears the tags of every purge, here or in another replica, before it is over."""
        self._told.append(told)

    async def aclose(self) -> None:
        for one in self._operations:
            await one.flights.aclose()
            await one.looks.aclose()
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
            one.looks.forget(tags, one.tags_of)
        for told in self._told:
            told(tags)
        return self.memory.purge(tags)


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
        self._scopes = Scopes(upstream.name, name, operation)
        self._deadlines = Deadlines()
        self._lifetime = cache.policy.lifetime(upstream.name, name, operation)
        self._keeps = self._lifetime.max_age > 0
        # Whoever asks for the key next may want another part of the same record.
        self._keeps_whole = self._keeps and operation.shape == "batch"
        self._generation: str | None = None
        self._unused = Use(upstream.name, name, operation.varies_on)
        # A purge that was missed ends with this.
        self._trusted_seconds = cache.policy.memory_seconds if cache.store else inf
        records = structs_in(shape)
        self._dated = Freshness in records
        types = [record.__name__ for record in records if record is not Page][:1]
        self._broad = (
            f"upstream:{upstream.name}",
            f"role:{name.partition('.')[0]}",
            *(f"type:{one}" for one in types),
        )
        self.flights = Flights(cache.clock, self._landed)
        self.looks = Flights(cache.clock)

    async def batch(self, keys: Sequence[Any], call: Call, ask: Ask) -> dict[Any, Any]:
        """Answers by key; unknown keys are absent, failed ones hold their error.

        Raises the error where all that was asked failed of the same one.
        """
        self._cache.listen()
        terms = self._terms(call)
        known = Known({}, {})
        missing = self._remembered(terms, keys, known)
        if missing and self._cache.store and self._keeps:
            missing = await self._shared(terms, missing, known)
        try:
            flown = await self._flown(terms, missing, known, ask) if missing else {}
        except BaseException:
            self._note(call, msgspec.structs.replace(self._unused, failed=len(keys)))
            raise
        if call.note or self._cache.observe:
            now, trusted = self._cache.clock(), self._trusted_seconds
            self._note(call, known.use(self._unused, flown, call.max_age, (now, trusted)))
        return known.answers(keys, flown)

    async def single(self, arguments: Sequence[Any], call: Call, ask: Ask) -> Any:
        """The answer to these arguments. Raises what the call to the system raises."""
        key = key_bytes(arguments)
        return (await self.batch((key,), call, ask))[key]

    def tags_of(self, key: Any) -> tuple[str, ...]:
        """What the key alone tells."""
        return tags(self.name, key, None)

    def _note(self, call: Call, use: Use) -> None:
        if call.note:
            call.note(use)
        if self._cache.observe:
            self._cache.observe(call, use)

    def _terms(self, call: Call) -> Terms:
        if self._keeps_whole and call.wanted is not None:
            call = msgspec.structs.replace(call, wanted=None)
        return terms_of(call, self._scopes.of(call), self._lifetime, self._cache.clock())

    def _remembered(self, terms: Terms, keys: Sequence[Any], known: Known) -> list[Any]:
        """Looks in this process; the keys that are still missing."""
        now, max_age, trusted = terms.now, terms.max_age, self._trusted_since()
        missing, good = [], known.good
        for key, entry in zip(keys, self._cache.memory.find(terms.scope, keys), strict=True):
            if entry is None:
                missing.append(key)
                continue
            # As `Terms.accepts` has it, written out for pages of hundreds of keys.
            age = now - entry.born
            if entry.checked >= trusted and age < entry.fresh and age < max_age:
                good[key] = entry
            else:
                missing.append(key)
                known.old[key] = entry
        return missing

    async def _shared(self, terms: Terms, keys: Sequence[Any], known: Known) -> list[Any]:
        """Looks in the store; the keys that are still missing.

        Those who look for the same at the same time share one look.
        """

        async def look(keys: "Sequence[Any]", _: Call) -> "dict[Any, Any]":
            return await self._looked_up(terms.scope, keys)

        looks = self.looks.join(Fare(terms.scope, terms.call, look, gathers=True), keys, -inf)
        await self._deadlines.wait({look.done for look in looks.values()}, terms.call.deadline)
        missing = []
        for key, flight in looks.items():
            # What a flight brought meanwhile is younger than what was looked up.
            entry = self._cache.memory.get((terms.scope, key)) or (flight.answers or {}).get(key)
            if (
                entry is not None
                and entry.checked >= self._trusted_since()
                and terms.accepts(entry)
            ):
                known.good[key] = entry
                continue
            missing.append(key)
            if entry is not None:
                known.old[key] = entry
        return missing

    async def _looked_up(self, scope: str, keys: Sequence[Any]) -> dict[Any, Entry]:
        """What the store has, which is remembered from now on."""
        store, memory = self._cache.store, self._cache.memory
        if store is None:
            return {}
        places = {store.place(self._codec.fingerprint, scope, key): key for key in keys}
        purges = self._cache.purges
        reading = await store.read(tuple(places), self._broad)
        if reading is None:
            return {}
        self._generation = reading.generation
        entries = {}
        for place, kept in reading.found.items():
            key = places[place]
            entry = self._confirmed(key, kept, memory.get((scope, key)))
            if entry is None:
                continue
            entries[key] = entry
            if purges == self._cache.purges:
                memory.put((scope, key), entry)
        return entries

    def _trusted_since(self) -> float:
        """When an entry must have been checked, so that a purge elsewhere would have been heard of.

        Without a store nobody else purges.
        """
        if self._cache.store is None:
            return -inf
        return self._cache.clock() - self._cache.policy.memory_seconds

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
            tags=kept.tags or tags(self.name, key, value),
            broad=self._broad,
        )

    async def _flown(
        self, terms: Terms, keys: Sequence[Any], known: Known, ask: Ask
    ) -> dict[Any, Any]:
        """The answers of calls to the system; the old ones where it fails or is late."""
        old = known.old
        flights = known.flights = self.flights.join(self._fare(terms, ask), keys, terms.since)
        await self._awaited(terms, flights, old)
        outcomes, troubles = self._outcomes(flights)
        if old:
            now = self._cache.clock()
            for key, entry in old.items():
                failed = isinstance(outcomes.get(key), UpstreamError)
                if failed and terms.covers_failure(entry, now):
                    outcomes[key] = self._marked(entry.value, FreshnessState.STALE)
                    known.stale += 1
        # The one error that left all without an answer.
        if troubles and not known.good and all(one is troubles[0] for one in outcomes.values()):
            raise troubles[0].with_traceback(None)
        return outcomes

    def _outcomes(
        self, flights: Mapping[Any, Flight]
    ) -> tuple[dict[Any, Any], Sequence[UpstreamError]]:
        """What came of each key; and what whole flights failed of, late ones of being late."""
        outcomes: dict[Any, Any] = {}
        troubles: list[UpstreamError] = []
        late = None
        for key, flight in flights.items():
            if flight.answers is not None:
                outcomes[key] = flight.answers.get(key, ABSENT)
                continue
            if flight.failure is not None:
                raise flight.failure.with_traceback(None)
            if flight.raised is None:
                late = late or self._late()
            outcomes[key] = flight.raised or late
            troubles.append(outcomes[key])
        return outcomes, troubles

    def _fare(self, terms: Terms, ask: Ask) -> Fare:
        """A flight outlives who asked first: others may wait for it."""
        deadline = max(terms.call.deadline, time.monotonic() + self._cache.policy.call_seconds)
        return Fare(
            terms.scope,
            msgspec.structs.replace(terms.call, deadline=deadline),
            ask,
            gathers=self._operation.shape == "batch",
            generation=self._generation,
        )

    async def _awaited(
        self, terms: Terms, flights: Mapping[Any, Flight], old: Mapping[Any, Entry]
    ) -> None:
        """Waits to the deadline; for those with an answer just past its lifetime, a moment."""
        wait, deadline = self._deadlines.wait, terms.call.deadline
        every = {flight.done for flight in flights.values()}
        if not old:
            await wait(every, deadline)
            return
        soon = min(deadline, time.monotonic() + self._cache.policy.patience_seconds)
        needed = {
            flight.done
            for key, flight in flights.items()
            if key not in old or not terms.covers_slowness(old[key])
        }
        await wait(needed, deadline)
        await wait(every - needed, soon)

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
                flight.kept[key] = entry = self._entry(key, one, value)
                self._cache.memory.put(place, entry)
                kept[key] = one
        store, generation = self._cache.store, flight.fare.generation
        if store and generation is not None and kept:
            told, mark = flight.fare.scope, self._codec.fingerprint
            placed = {store.place(mark, told, key): one for key, one in kept.items()}
            await store.write(placed, generation)

    def _kept(self, flight: Flight, key: Any, value: Any) -> Kept:
        absent = value is ABSENT
        fresh = self._fresh(value) * (1.0 - self._cache.policy.jitter * self._cache.chance())
        return Kept(
            age=self._cache.clock() - flight.started,
            fresh=fresh,
            body=None if absent else self._codec.encode(value),
            lasts=fresh if absent else fresh + self._lifetime.stale_if_error,
            tags=tags(self.name, key, value),
        )

    def _fresh(self, value: Any) -> float:
        if value is ABSENT:
            return min(self._cache.policy.negative_seconds, self._lifetime.max_age)
        return fresh_seconds(value, self._lifetime)

    def _marked(self, value: Any, state: FreshnessState) -> Any:
        return marked(value, state) if self._dated else value
