"""What API keys are tested against: a store in memory, a clock to be set, a watch that remembers."""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gateway.access.key_format import KeyKind, Pepper, Peppers, new_id, new_key
from gateway.access.key_ring import Issued
from gateway.access.key_store import ApiKey, Decide, KeyStoreError, oldest_first, with_use
from gateway.access.remembered import Clock

PEPPERS = Peppers(Pepper(b"a pepper of the tests, long enough"))
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass
class Hands:
    """A clock that tests move."""

    wall: float = START.timestamp()
    steady: float = 1000.0

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.wall, lambda: self.steady)


@dataclass
class Noticed:
    """What was told to the watch."""

    notes: list[tuple[str, str, dict[str, object]]] = field(default_factory=list)

    def note(self, event: str, *, caller: str, **facts: object) -> None:
        self.notes.append((event, caller, facts))


@dataclass
class MemoryKeys:
    """A store that counts how often it is read, and can be down or slow."""

    held: dict[str, ApiKey] = field(default_factory=dict)
    uses: dict[str, datetime] = field(default_factory=dict)
    writes: list[Mapping[str, datetime]] = field(default_factory=list)
    reads: int = 0
    down: bool = False
    closed: bool = False
    gate: asyncio.Event | None = None
    "Reads have looked already, and answer when it is set."

    async def find(self, digests: Sequence[bytes]) -> ApiKey | None:
        self.reads += 1
        self._require_up()
        by_digest = {key.digest: key for key in self.held.values()}
        found = next((by_digest[digest] for digest in digests if digest in by_digest), None)
        if self.gate is not None:
            await self.gate.wait()
        return found and with_use(found, None)

    async def keys(self) -> Sequence[ApiKey]:
        self._require_up()
        return oldest_first([with_use(key, self.uses.get(key.id)) for key in self.held.values()])

    async def change(self, client: str, decide: Decide) -> None:
        self._require_up()
        family = [with_use(key, None) for key in self.held.values() if key.client == client]
        for key in decide(oldest_first(family)):
            self.held[key.id] = key

    async def note_use(self, times: Mapping[str, datetime]) -> None:
        self._require_up()
        self.writes.append(times)
        self.uses.update(times)

    async def aclose(self) -> None:
        self.closed = True

    def _require_up(self) -> None:
        if self.down:
            raise KeyStoreError("down")


def made(pepper: Pepper = PEPPERS.current, **changes: object) -> Issued:
    """A key with its secret, not yet in any store."""
    kind = changes.pop("kind", KeyKind.LIVE)
    assert isinstance(kind, KeyKind)
    secret, key_id = new_key(kind), new_id()
    told: dict[str, object] = {
        "id": key_id,
        "client": key_id,
        "name": "storefront",
        "kind": kind,
        "digest": pepper.digest(secret),
        "pepper_id": pepper.id,
        "created_at": START,
        "scopes": frozenset({"catalog:read"}),
        **changes,
    }
    return Issued(secret, ApiKey(**told))  # type: ignore[arg-type]


def free_port() -> int:
    """One that the system chose: test processes beside this one look for ports too."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def files_of(folder: Path) -> bytes:
    """Every byte in a folder, its journals included."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
