"""How often an upstream may be tried again, and how soon: a share of the calls, spread in time."""

import random
from collections.abc import Callable

from ports.errors import UpstreamError
from upstream.limits import QueueFullError, QueueTimedOutError

_WHOLE = 1000
"Tokens are counted in thousandths, in whole numbers, so that no rounding adds up."


_FIRST_SECONDS = 0.05
_MOST_SECONDS = 2.0


class RetryBudget:
    """The tries again of one upstream, at most `share` of its first tries.

    It starts with `reserve` tries, or a system that is seldom asked would never be tried again.
    They are lent, and paid back by a tenth of what calls earn: if the first calls earned nothing,
    an unlucky minute after the start would show. So of `calls` since the start at most
    share * calls are tried again once the loan is paid (1,000 calls by default), before that at
    most reserve + 0.9 * share * calls; of any later stretch, at most `reserve` more than its share.
    """

    def __init__(self, share: float = 0.1, reserve: int = 10) -> None:
        self._earned = round(share * _WHOLE)
        self._most = reserve * _WHOLE
        self._tokens = self._most
        self._lent = self._most
        self._paying = self._earned // 10

    def called(self) -> None:
        """A first try was made."""
        paid = min(self._lent, self._paying)
        self._lent -= paid
        self._tokens = min(self._most, self._tokens + self._earned - paid)

    def spend(self) -> bool:
        """Whether one try again may be made; if so, it is counted."""
        if self._tokens < _WHOLE:
            return False
        self._tokens -= _WHOLE
        return True


def pause(
    error: UpstreamError, tried: int, spread: Callable[[float, float], float] = random.uniform
) -> float | None:
    """Seconds to wait before the next try, after `tried` of them; None where none makes sense.

    Full jitter: anything up to a limit that doubles, so that many who failed together do not come
    back together. A system's own wish for a pause is kept to, and spread likewise.
    """
    if isinstance(error, QueueFullError | QueueTimedOutError):
        return None
    return (error.retry_after or 0.0) + spread(0.0, min(_MOST_SECONDS, _FIRST_SECONDS * 2**tried))
