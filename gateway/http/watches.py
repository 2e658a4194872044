"""Ends the work for clients that hung up. Most answers are there before it would be worth looking.

One timer for all that is under way, and none while nothing is.
"""

import asyncio
from typing import cast

from starlette.types import Receive

# Who hangs up sooner has cost little; who stays is looked at after twice this at the latest.
_LOOK_SECONDS = 0.02


class Watched:
    """A request under way, in the task of `owner`, which is cancelled once its client `is_gone`."""

    __slots__ = ("is_gone", "owner", "receive", "watcher")

    def __init__(self, receive: Receive, owner: asyncio.Task[None]) -> None:
        self.receive = receive
        self.owner = owner
        self.watcher: asyncio.Task[None] | None = None
        self.is_gone = False

    async def wait(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
        self.is_gone = True
        self.owner.cancel()


class Watches:
    """All requests under way: the `_new` ones, and those that were there at the last look."""

    def __init__(self) -> None:
        self._new: set[Watched] = set()
        self._old: set[Watched] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def begin(self, receive: Receive) -> Watched:
        """To be given to `end` by the same task."""
        owner = cast("asyncio.Task[None]", asyncio.current_task())
        made = Watched(receive, owner)
        self._new.add(made)
        loop = owner.get_loop()
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(_LOOK_SECONDS, self._look, loop)
        return made

    def end(self, watched: Watched) -> None:
        self._new.discard(watched)
        self._old.discard(watched)
        if watched.watcher is not None:
            watched.watcher.cancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            return
        for one in self._old:
            if one.watcher is None:
                one.watcher = loop.create_task(one.wait())
        self._old |= self._new
        self._new.clear()
        if self._old:
            loop.call_later(_LOOK_SECONDS, self._look, loop)
        else:
            self._loop = None
