"""The in-memory carrier keeps the contract that the real ones keep."""

from datetime import UTC, datetime, timedelta

import pytest

from ports.common import Freshness, SystemName
from ports.tracking import Parcel, ShipmentStatus, Tracking, TrackingEvent
from tests.contracts.fakes.tracking import FakeTracking
from tests.contracts.peers import FAILURES, Faults, call
from tests.contracts.tracking import TrackingContract, TrackingFacts

_NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_STATUSES = (ShipmentStatus.DELIVERED, ShipmentStatus.IN_TRANSIT, ShipmentStatus.EXCEPTION)


def _made(status: ShipmentStatus) -> Tracking:
    done = status is ShipmentStatus.DELIVERED
    return Tracking(
        status=status,
        source_status=status.value.lower(),
        freshness=Freshness(SystemName.CARRIER, "fake", _NOW),
        tracking_url="https://carrier.example/1",
        delivered_at=_NOW if done else None,
        signed_by="ROUX" if done else None,
        has_proof=done,
        events=(
            TrackingEvent(_NOW, status, "now"),
            TrackingEvent(_NOW - timedelta(hours=1), ShipmentStatus.IN_TRANSIT, "before"),
        ),
    )


class FakeFaults:
    """Makes the fake fail as the wire would have."""

    def __init__(self, fake: FakeTracking) -> None:
        self._fake = fake

    def fail(self, kind: str | None, only: str | None = None, /) -> None:
        if kind is None:
            self._fake.fail_with(None)
            return
        made = FAILURES[kind](system="CARRIER", upstream="fake", operation="tracking.track")
        self._fake.fail_with(made, only)


class TestFakeTracking(TrackingContract):
    @pytest.fixture
    def facts(self) -> TrackingFacts:
        statuses = {Parcel("fake", f"F{at:06}"): _STATUSES[at % 3] for at in range(120)}
        delivered = [one for one, at in statuses.items() if at is ShipmentStatus.DELIVERED]
        signed = dict.fromkeys(delivered, "ROUX")
        return TrackingFacts("fake", statuses, signed, Parcel("fake", "UNKNOWN"))

    @pytest.fixture
    def port(self, facts: TrackingFacts) -> FakeTracking:
        return FakeTracking({one.number: _made(status) for one, status in facts.statuses.items()})

    @pytest.fixture
    def faults(self, port: FakeTracking) -> Faults:
        return FakeFaults(port)


async def test_the_fake_remembers_what_it_was_asked() -> None:
    fake = FakeTracking({})
    await fake.track((Parcel("fake", "1"),), call=call())

    assert fake.calls == [(Parcel("fake", "1"),)]
