"""What one process remembers of answers: bounded by number and bytes, least recently used first out."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import msgspec

from upstream.tags import is_broad

Place: TypeAlias = tuple[str, Any]
"""The scope of an operation's answers, and the key within it."""

# Measured on products, prices and orders: objects take three to six times their msgpack.
_BYTES_PER_ENCODED_BYTE = 6
_BYTES_PER_ENTRY = 600


class Absent:
    """Stands for a key that the system does not know."""


ABSENT = Absent()


class Entry(msgspec.Struct, frozen=True):
    """`value` is marked CACHED already. Times are of the cache's clock.

    `born` is when it was asked, `checked` when the shared store last agreed. `encoded` is its
    length in msgpack. `broad` are the tags of the whole operation.
    """

    value: Any
    born: float
    fresh: float
    checked: float
    encoded: int
    tags: tuple[str, ...]
    broad: tuple[str, ...]

    @property
    def size(self) -> int:
        return _BYTES_PER_ENTRY + self.encoded * _BYTES_PER_ENCODED_BYTE


class Memory:
    """A younger answer is never replaced by an older one."""

    def __init__(self, entries: int, size: int) -> None:
        self._entries: OrderedDict[Place, Entry] = OrderedDict()
        self._tagged: dict[str, set[Place]] = {}
        self._most = entries
        self._largest = size
        self.size = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, place: Place) -> Entry | None:
        entry = self._entries.get(place)
        if entry is not None:
            self._entries.move_to_end(place)
        return entry

    def find(self, scope: str, keys: Iterable[Any]) -> list[Entry | None]:
        """As `get` of each key within a scope, in their order."""
        get, touch = self._entries.get, self._entries.move_to_end
        found: list[Entry | None] = []
        for key in keys:
            place = (scope, key)
            entry = get(place)
            if entry is not None:
                touch(place)
            found.append(entry)
        return found

    def put(self, place: Place, entry: Entry) -> None:
        known = self._entries.get(place)
        if known is not None:
            if known.born > entry.born:
                return
            self.drop(place)
        self._entries[place] = entry
        self.size += entry.size
        for tag in entry.tags:
            places = self._tagged.get(tag)
            if places is None:
                self._tagged[tag] = {place}
            else:
                places.add(place)
        while len(self._entries) > self._most or self.size > self._largest:
            self.drop(next(iter(self._entries)))

    def drop(self, place: Place) -> None:
        entry = self._entries.pop(place, None)
        if entry is None:
            return
        self.size -= entry.size
        for tag in entry.tags:
            places = self._tagged[tag]
            places.discard(place)
            if not places:
                del self._tagged[tag]

    def purge(self, tags: Sequence[str]) -> int:
        """How many answers were dropped."""
        gone = set().union(*(self._tagged.get(tag, ()) for tag in tags))
        broad = frozenset(filter(is_broad, tags))
        if broad:
            gone |= self._with_any(broad)
        for place in gone:
            self.drop(place)
        return len(gone)

    def _with_any(self, broad: frozenset[str]) -> set[Place]:
        return {place for place, one in self._entries.items() if not broad.isdisjoint(one.broad)}
