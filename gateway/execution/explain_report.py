"""What an explanation tells: of an operation before it runs, and of what happened when it ran."""

import msgspec


class _Told(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    pass


class Batch(_Told, frozen=True):
    """So many calls of so many keys each; `keys` None for a question that is no list of keys."""

    calls: int
    keys: int | None = None


class Keeping(_Told, frozen=True):
    """Where answers are kept and for how many seconds, as this operation asks for it."""

    store: str
    max_age: float
    stale_while_revalidate: float
    stale_if_error: float
    varies_on: tuple[str, ...]


class Worst(_Told, frozen=True):
    """`by` "p95": of the latest `samples` calls; "timeout": nothing is known but the limits."""

    milliseconds: float
    by: str
    samples: int = 0


class Planned(_Told, frozen=True):
    """What one system is asked at most. `maybe`: only where the answers above ask for it.

    `keys` is None for questions that are no lists of keys. `cache` None: nothing is kept.
    """

    operation: str
    fields: tuple[str, ...]
    upstream: str
    system: str
    connector: str
    batches: tuple[Batch, ...]
    worst: Worst
    keys: int | None = None
    maybe: bool = False
    cache: Keeping | None = None
    fallback: str | None = None

    @property
    def calls(self) -> int:
        return sum(batch.calls for batch in self.batches)


class PlannedWave(_Told, frozen=True):
    """What is asked at the same time."""

    wave: int
    calls: tuple[Planned, ...]


class Unasked(_Told, frozen=True):
    """A field that asks nobody, for its `scope` is missing or no upstream serves its `operation`."""

    field: str
    scope: str | None = None
    operation: str | None = None


class Plan(_Told, frozen=True):
    """`calls` and `worst_milliseconds` are upper bounds. Of fields in `unplanned` nothing is known."""

    waves: tuple[PlannedWave, ...]
    calls: int
    worst_milliseconds: float
    deadline_milliseconds: float
    unasked: tuple[Unasked, ...] = ()
    unplanned: tuple[str, ...] = ()


class Made(_Told, frozen=True):
    """A call to a system; `start` is in milliseconds from the beginning of the operation."""

    upstream: str
    start: float
    milliseconds: float
    keys: int | None = None
    error: str | None = None


class Happened(_Told, frozen=True):
    """A question to a port, and how its keys were answered.

    `live` keys with no `calls` were answered by a call that another request had under way.
    """

    operation: str
    start: float
    milliseconds: float
    keys: int | None = None
    upstreams: tuple[str, ...] = ()
    cached: int = 0
    stale: int = 0
    live: int = 0
    fallback: int = 0
    failed: int = 0
    error: str | None = None
    calls: tuple[Made, ...] = ()


class Wave(_Told, frozen=True):
    wave: int
    start: float
    milliseconds: float
    questions: tuple[Happened, ...]


class Run(_Told, frozen=True):
    """`left_off`: questions too many to be told."""

    milliseconds: float
    calls: int
    waves: tuple[Wave, ...]
    left_off: int = 0


class Cost(_Told, frozen=True):
    requested: int
    limit: int


class Explanation(_Told, frozen=True):
    """`run` None: it did not run."""

    cost: Cost
    plan: Plan
    run: Run | None = None
