"""What replicas share of answers: the interface that the cache needs of a store.

The store over Redis or Valkey is `redis_store`; without one, each process remembers for itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec


class Kept(msgspec.Struct, frozen=True):
    """An answer on its way to or from a store; `body` None: the key is not known there.

    In seconds: its `age`, and from its beginning on how long it is `fresh` and worth keeping
    (`lasts`).
    """

    age: float
    fresh: float
    body: bytes | None
    lasts: float = 0.0
    tags: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True):
    """What a store has for some places. `generation` is to be given back when writing."""

    generation: str
    found: Mapping[str, Kept]


class Store(Protocol):
    """None of it raises or takes long: a store that fails knows nothing."""

    def place(self, fingerprint: str, scope: str, key: object) -> str:
        """Where the answer to a key is kept."""
        ...

    async def read(self, places: Sequence[str], broad: Sequence[str]) -> Reading | None:
        """None where the store cannot be asked."""
        ...

    async def write(self, answers: Mapping[str, Kept], generation: str) -> None:
        """Keeps answers, unless one of their tags was purged after they were asked for."""
        ...

    async def purge(self, tags: Sequence[str]) -> int:
        """How many answers were dropped, as far as is known."""
        ...

    def listen(self, heard: Callable[[Sequence[str]], object]) -> None:
        """Calls `heard` with the tags that any replica purges."""
        ...

    async def aclose(self) -> None: ...
