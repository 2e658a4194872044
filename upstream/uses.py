"""How answers came about, for headers and figures."""

from collections.abc import Callable

import msgspec

from ports.caller import Call


class Use(msgspec.Struct, frozen=True):
    """How the answers of one call came about: numbers of keys, and for how long they hold.

    `fresh_for` is the least number of seconds that any of them stays fresh; an old answer, a
    failed key and one that is not kept make it 0.
    """

    upstream: str
    operation: str
    varies_on: tuple[str, ...]
    cached: int
    stale: int
    live: int
    fresh_for: float


Observe = Callable[[Call, Use], object]
