"""Which operations come first before a system that bears few calls."""

import pytest

from gateway.execution.lanes import lane_of
from gateway.settings.resilience import LaneSettings
from ports.caller import Caller, CallerKind, Lane

COSTS = LaneSettings(listing_cost=100, bulk_cost=1000)


@pytest.mark.parametrize(
    ("kind", "cost", "lane"),
    [
        (CallerKind.USER, 99, "interactive"),
        (CallerKind.USER, 100, "listing"),
        (CallerKind.USER, 100_000, "listing"),
        (CallerKind.ANONYMOUS, 100_000, "listing"),
        (CallerKind.APPLICATION, 99, "interactive"),
        (CallerKind.APPLICATION, 999, "listing"),
        (CallerKind.APPLICATION, 1000, "bulk"),
    ],
)
def test_cost_and_caller_tell_the_lane(kind: CallerKind, cost: int, lane: Lane) -> None:
    assert lane_of(Caller("a", kind), cost, COSTS) == lane
