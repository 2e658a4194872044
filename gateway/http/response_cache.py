"""Whole answers as the bytes that were sent: bounded, for those they were made for, purged by tag.

Held by one process. An answer ends with the first of its parts, or with a purge of any of them.
"""

import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gateway.access.watch import Observed
from gateway.execution.audience import Audience
from ports.caller import Caller

Clock = Callable[[], float]
Asked = tuple[str, bytes, str, bytes]
"""Method, content type, language and the exact bytes that were sent: what an answer depends on
beside its caller."""

# Of the objects around the bytes, measured; and of a tag with its place in the index.
_ENTRY_BYTES = 1_500
_TAG_BYTES = 250
# Purges that are remembered for answers under way; an answer that saw more begin is not kept.
_PURGES_REMEMBERED = 1_000


@dataclass(slots=True)
class Reply:
    """`born` is when the oldest part was asked of its system, `until` when the first one ends.

    `cost` and `observed` are what making it cost, and what it looked at; `source` tells of which
    operation. `coded` are its compressed forms by the names of their codings.
    """

    body: bytes
    audience: Audience
    born: float
    until: float
    cost: int
    tags: frozenset[str]
    etag: bytes | None = None
    source: object = None
    observed: Observed | None = None
    coded: dict[bytes, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """An answer is kept for `seconds` at the most, whatever its parts say."""

    bytes: int = 64 * 1024 * 1024
    entries: int = 50_000
    entry_bytes: int = 2 * 1024 * 1024
    seconds: float = 300.0


_Place = tuple[Asked, Caller | None]


class ResponseCache:
    """`clock` is the one that the parts were measured with."""

    def __init__(self, limits: ReplyLimits | None = None, clock: Clock = time.monotonic) -> None:
        self.limits = limits or ReplyLimits()
        self.clock = clock
        self.size = 0
        self.hits = 0
        self.purges = 0
        self._entries: OrderedDict[_Place, Reply] = OrderedDict()
        self._sizes: dict[_Place, int] = {}
        self._asked: Counter[Asked] = Counter()
        self._tagged: dict[str, set[_Place]] = {}
        self._purged: deque[frozenset[str]] = deque(maxlen=_PURGES_REMEMBERED)

    def __len__(self) -> int:
        return len(self._entries)

    def is_asked(self, asked: Asked) -> bool:
        """Whether there is an answer for anybody."""
        return asked in self._asked

    def find(self, asked: Asked, caller: Caller) -> Reply | None:
        """The answer that this caller may be given, if it is still good."""
        for place in ((asked, None), (asked, caller)):
            reply = self._entries.get(place)
            if reply is None or not reply.audience.holds(caller):
                continue
            if reply.until <= self.clock():
                self._drop(place)
                continue
            self._entries.move_to_end(place)
            self.hits += 1
            return reply
        return None

    def keep(self, asked: Asked, reply: Reply, began: int) -> bool:
        """`began`: how many `purges` there were before the first part was asked for."""
        now = self.clock()
        reply.until = min(reply.until, now + self.limits.seconds)
        size = len(reply.body) + len(asked[3]) + len(reply.tags) * _TAG_BYTES + _ENTRY_BYTES
        if reply.until <= now or size > self.limits.entry_bytes or self._is_purged(reply, began):
            return False
        place = (asked, reply.audience.caller)
        self._drop(place)
        self._entries[place] = reply
        self._asked[asked] += 1
        self._grow(place, size)
        for tag in reply.tags:
            self._tagged.setdefault(tag, set()).add(place)
        self._shrink()
        return place in self._entries

    def hold_coded(self, asked: Asked, reply: Reply, coded: tuple[bytes, bytes]) -> None:
        """Keeps a compressed form, with the name of its coding, beside the plain one."""
        place, (coding, body) = (asked, reply.audience.caller), coded
        if self._entries.get(place) is reply and coding not in reply.coded:
            reply.coded[coding] = body
            self._grow(place, len(body))
            self._shrink()

    def forget(self, tags: Sequence[str]) -> int:
        """Drops all with any of the tags; what is under way is not kept either."""
        self.purges += 1
        self._purged.append(frozenset(tags))
        gone = set().union(*(self._tagged.get(tag, ()) for tag in tags))
        for place in gone:
            self._drop(place)
        return len(gone)

    def _is_purged(self, reply: Reply, began: int) -> bool:
        missed = self.purges - began
        if missed > len(self._purged):
            return True
        return any(not reply.tags.isdisjoint(tags) for tags in _last(self._purged, missed))

    def _grow(self, place: _Place, size: int) -> None:
        self._sizes[place] = self._sizes.get(place, 0) + size
        self.size += size

    def _shrink(self) -> None:
        while self.size > self.limits.bytes or len(self._entries) > self.limits.entries:
            self._drop(next(iter(self._entries)))

    def _drop(self, place: _Place) -> None:
        reply = self._entries.pop(place, None)
        if reply is None:
            return
        self.size -= self._sizes.pop(place)
        asked = place[0]
        self._asked[asked] -= 1
        if not self._asked[asked]:
            del self._asked[asked]
        for tag in reply.tags:
            places = self._tagged[tag]
            places.discard(place)
            if not places:
                del self._tagged[tag]


def _last(purged: deque[frozenset[str]], number: int) -> Iterable[frozenset[str]]:
    return (purged[-index] for index in range(1, number + 1))
