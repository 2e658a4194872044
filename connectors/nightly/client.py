"""One exported file: which it is, when it is read anew, and what was last read of it.

All that touches the file runs in a thread, one at a time for each export.
"""

import asyncio
import fnmatch
import os
import stat
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Generic, NamedTuple, TypeVar

import structlog

from connectors.nightly.config import NightlyConfig
from connectors.nightly.rows import UnreadableError
from ports.caller import Call
from ports.errors import (
    MalformedError,
    RefusedError,
    TimedOutError,
    UnavailableError,
    UpstreamError,
)
from upstream.connector import Upstream
from upstream.exchanges import Exchange

T = TypeVar("T")

log = structlog.get_logger(__name__)


class Mark(NamedTuple):
    """By what a file is known to be the same as before."""

    path: str
    size: int
    written_ns: int


class Kept(NamedTuple, Generic[T]):
    mark: Mark
    written_at: datetime
    table: T


class Trouble(NamedTuple):
    """Why the file there is now cannot be had; `mark` None: it may read well the next time."""

    kind: type[UpstreamError]
    detail: str
    mark: Mark | None = None


class _TroubleError(Exception):
    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.detail)
        self.trouble = trouble


class Export(Generic[T]):
    """The newest file of `pattern`, as `parse` read it.

    A file that cannot be read, is still being written or is gone leaves the one before in place.
    """

    def __init__(
        self,
        upstream: Upstream,
        operation: str,
        config: NightlyConfig,
        pattern: str,
        parse: Callable[[bytes], T],
    ) -> None:
        self._upstream = upstream
        self._operation = operation
        self._config = config
        self._pattern = pattern
        self._parse = parse
        self._kept: Kept[T] | None = None
        self._trouble: Trouble | None = None
        self._look_at = 0.0
        self._looking: asyncio.Task[None] | None = None

    async def get(self, call: Call) -> Kept[T]:
        """What was read last, after a look for a newer file if one is due.

        A look that takes more than half of the caller's time goes on without it, where there is
        something to answer with.
        """
        if self._looking is None and time.monotonic() >= self._look_at:
            self._look()
        await self._looked(call, 1.0 if self._kept is None else 0.5)
        if self._kept is not None:
            return self._kept
        raise self._error()

    async def check(self, call: Call) -> Kept[T]:
        """Looks now. Raises what is wrong with the newest file, though an older one serves."""
        self._look()
        await self._looked(call, 1.0)
        if self._kept is None or self._trouble is not None:
            raise self._error()
        return self._kept

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def error(self, kind: type[UpstreamError], detail: str) -> UpstreamError:
        return kind(
            system=self._upstream.manifest.system.value,
            upstream=self._upstream.name,
            operation=self._operation,
            detail=detail,
        )

    def _error(self) -> UpstreamError:
        if self._trouble is None or self._looking is not None:
            return self.error(TimedOutError, f"{self._pattern} is still being read")
        return self.error(self._trouble.kind, self._trouble.detail)

    def _look(self) -> None:
        if self._looking is None:
            self._looking = asyncio.create_task(self._renew())

    async def _looked(self, call: Call, share: float) -> None:
        if self._looking is not None:
            left = max(0.0, call.deadline - time.monotonic())
            await asyncio.wait({self._looking}, timeout=left * share)

    async def _renew(self) -> None:
        begun = time.monotonic()
        trouble: Trouble | None = None
        try:
            self._kept = await asyncio.to_thread(self._read, self._kept, self._trouble)
        except _TroubleError as found:
            trouble = found.trouble
        except Exception as mistake:
            log.exception("export not read", upstream=self._upstream.name, file=self._pattern)
            trouble = Trouble(UnavailableError, f"cannot be read: {type(mistake).__name__}")
        finally:
            self._look_at = time.monotonic() + self._config.look_seconds
            self._looking = None
        self._note(trouble, time.monotonic() - begun)

    def _note(self, trouble: Trouble | None, seconds: float) -> None:
        """For the log, what is new; for the figures of the upstream, every look."""
        if trouble is not None and trouble != self._trouble:
            log.warning(
                "export not read",
                upstream=self._upstream.name,
                file=self._pattern,
                detail=trouble.detail,
                serving=str(self._kept.written_at) if self._kept else None,
            )
        self._trouble = trouble
        code = trouble.kind.code if trouble else None
        message = self.error(trouble.kind, "").message if trouble else ""
        exchange = Exchange(self._operation, seconds, None, code, "-")
        self._upstream.exchanges.record(exchange, message)

    def _read(self, kept: Kept[T] | None, before: Trouble | None) -> Kept[T]:
        """In a thread. What is kept, if it is still the newest, else the newest file."""
        try:
            mark = self._newest()
            if kept is not None and kept.mark == mark:
                return kept
            if before is not None and before.mark == mark:
                raise _TroubleError(before)
            written = min(mark.written_ns / 1e9, time.time())
            return Kept(mark, datetime.fromtimestamp(written, UTC), self._parsed(mark))
        except PermissionError as error:
            detail = f"{self._pattern}: the gateway may not read it"
            raise _TroubleError(Trouble(RefusedError, detail)) from error
        except OSError as error:
            detail = f"{self._pattern}: {error.strerror}"
            raise _TroubleError(Trouble(UnavailableError, detail)) from error

    def _newest(self) -> Mark:
        found = []
        with os.scandir(self._config.directory) as entries:
            for entry in entries:
                if fnmatch.fnmatchcase(entry.name, self._pattern):
                    seen = entry.stat()
                    if stat.S_ISREG(seen.st_mode):
                        found.append((seen.st_mtime_ns, entry.path, seen.st_size))
        now = time.time()
        settled = [one for one in found if abs(now - one[0] / 1e9) >= self._config.settle_seconds]
        if not settled:
            reason = "is still being written" if found else "is not there"
            raise _TroubleError(Trouble(UnavailableError, f"{self._pattern} {reason}"))
        written_ns, path, size = max(settled)
        return Mark(path, size, written_ns)

    def _parsed(self, mark: Mark) -> T:
        name, limit = os.path.basename(mark.path), self._config.file_limit_bytes  # noqa: PTH119
        if mark.size > limit:
            detail = f"{name} has {mark.size} bytes, more than file_limit_bytes allows ({limit})"
            raise _TroubleError(Trouble(MalformedError, detail, mark))
        with open(mark.path, "rb") as file:  # noqa: PTH123 - a path as the directory gave it
            content = file.read(mark.size + 1)
            seen = os.fstat(file.fileno())
        if len(content) != mark.size or seen.st_mtime_ns != mark.written_ns:
            raise _TroubleError(Trouble(UnavailableError, f"{name} is still being written"))
        try:
            return self._parse(content)
        except UnreadableError as error:
            raise _TroubleError(Trouble(MalformedError, f"{name} {error}", mark)) from error
