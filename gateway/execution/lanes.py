"""Which lane an operation's calls to systems take."""

from typing import Protocol

from ports.caller import Caller, CallerKind, Lane


class LaneCosts(Protocol):
    """What `[resilience.lanes]` holds."""

    @property
    def listing_cost(self) -> int: ...
    @property
    def bulk_cost(self) -> int: ...


def lane_of(caller: Caller, cost: int, costs: LaneCosts) -> Lane:
    """By what the operation may cost. Only programs export: nobody's page is ever bulk."""
    if cost >= costs.bulk_cost and caller.kind is CallerKind.APPLICATION:
        return "bulk"
    return "listing" if cost >= costs.listing_cost else "interactive"
