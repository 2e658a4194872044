"""Which record a customer number is, remembered for as long as one page may take to be answered.

Associations know record ids only; without this each `contacts` would read its companies again.
"""

import time
from collections.abc import Callable, Iterable

_SECONDS = 60.0
_KEPT = 10_000


class Identities:
    """Record ids by customer number, for a minute. `clock` gives monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ids: dict[str, tuple[str, float]] = {}

    def remember(self, number: str, id_: str) -> None:
        self._ids.pop(number, None)
        if len(self._ids) >= _KEPT:
            # The dictionary keeps its order, so this is the one remembered longest ago.
            del self._ids[next(iter(self._ids))]
        self._ids[number] = (id_, self._clock() + _SECONDS)

    def known(self, numbers: Iterable[str]) -> dict[str, str]:
        now = self._clock()
        found = ((number, self._ids.get(number)) for number in numbers)
        return {number: known[0] for number, known in found if known and known[1] > now}
