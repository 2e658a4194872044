"""Which of several processes of a machine tells: who holds a lock on a file, as long as it lives."""

import os
import sys
from contextlib import suppress
from pathlib import Path


class FileTurns:
    """A `Turns` of the processes that name the same file. Its lock ends with its holder."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held: int | None = None

    async def take(self) -> bool | None:
        if self._held is not None or sys.platform == "win32":
            return True
        import fcntl

        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._held = handle
        return True

    async def leave(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with suppress(OSError):
                os.close(held)
