"""Who asks, and on what terms one question is put to a port."""

from collections.abc import Callable
from enum import Enum
from typing import Any, Literal

import msgspec

Lane = Literal["interactive", "listing", "bulk"]
LANES: tuple[Lane, ...] = ("interactive", "listing", "bulk")
"Who is let in first where a system bears fewer calls than there are."


class CallerKind(Enum):
    ANONYMOUS = "ANONYMOUS"
    USER = "USER"
    STAFF = "STAFF"
    APPLICATION = "APPLICATION"


class Caller(msgspec.Struct, frozen=True):
    """An authenticated caller. `customer` is the number of the company it acts for now.

    `customers` are the companies it may see; None means all of them (staff).
    """

    subject: str
    kind: CallerKind
    customer: str | None = None
    customers: frozenset[str] | None = frozenset()
    scopes: frozenset[str] = frozenset()
    name: str | None = None
    email: str | None = None

    def may_see(self, customer: str | None) -> bool:
        """Whether data of this customer number may be shown; unknown owners are nobody's."""
        if self.customers is None:
            return True
        return customer is not None and customer in self.customers


class Trace(msgspec.Struct, frozen=True):
    """Where an operation stands in a distributed trace (W3C Trace Context).

    `span` is the gateway's own span, below which calls to systems are, and `parent` the client's;
    `state` is passed on as it came.
    """

    id: str
    span: str
    parent: str | None = None
    is_sampled: bool = False
    state: str | None = None


class Call(msgspec.Struct, frozen=True):
    """The terms of one call to a port.

    `language` is a BCP 47 tag (`fr`, `fr-FR`). `deadline` is absolute, in seconds of
    `time.monotonic()`. `max_age` and `stale_if_error` are seconds a client asked for by `@fresh`;
    None leaves the operation's own lifetimes. `wanted` names the record fields that will be read
    (None: all), so that a connector may ask its system for less; `attributes.colour` is one of a
    product's attributes. What is not wanted may have its default. `lane` is how urgent the answer
    is: people who wait, long lists, exports of partners. `note` is told how each answer came about
    that the call was given, whoever asked the system for it. `asked` are the port operation
    (`catalog.products`) and its arguments, where somebody wants to know; `trace` likewise. `watch`
    is told of each call that is made to a system for it. `once`: nothing is tried again, as where
    the call finds out whether a system is back.
    """

    caller: Caller
    language: str
    deadline: float
    request_id: str = "-"
    operation: str | None = None
    max_age: int | None = None
    stale_if_error: int | None = None
    wanted: frozenset[str] | None = None
    lane: Lane = "interactive"
    note: Callable[[object], object] | None = None
    asked: tuple[str, tuple[Any, ...]] | None = None
    trace: Trace | None = None
    watch: Callable[[object], object] | None = None
    once: bool = False
