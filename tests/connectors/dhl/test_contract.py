"""The contract of the tracking port, kept before the sandbox's DHL."""

from typing import cast

import pytest

from connectors import registry
from connectors.dhl.connector import Dhl
from ports.tracking import CarrierTracking, Parcel, ShipmentStatus
from sandbox.world import World
from tests.contracts.tracking import TrackingContract, TrackingFacts
from upstream.connector import Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded

STAGES = {
    "announced": ShipmentStatus.PREPARING,
    "handed_over": ShipmentStatus.HANDED_OVER,
    "transit": ShipmentStatus.IN_TRANSIT,
    "customs": ShipmentStatus.CUSTOMS,
    "out_for_delivery": ShipmentStatus.OUT_FOR_DELIVERY,
    "pickup_point": ShipmentStatus.AVAILABLE_FOR_PICKUP,
    "delivered": ShipmentStatus.DELIVERED,
    "exception": ShipmentStatus.EXCEPTION,
    "returned": ShipmentStatus.RETURNED,
}
_MANY = 130


class TestDhl(TrackingContract):
    @pytest.fixture
    def facts(self, world: World) -> TrackingFacts:
        """One parcel of each stage at least, and more than a hundred in all."""
        told = [one for one in world.parcels if one.carrier == "dhl" and one.events]
        told.sort(key=lambda one: one.events[-1].stage == "delivered")
        keys = {one: Parcel("dhl", one.number, one.destination_zip) for one in told[:_MANY]}
        return TrackingFacts(
            upstream="dhl-eu",
            statuses={keys[one]: STAGES[one.events[-1].stage] for one in keys},
            signed={keys[one]: one.signed_by for one in keys if one.signed_by},
            unknown=Parcel("dhl", "1234567890"),
        )

    @pytest.fixture
    def port(self, dhl_connector: Dhl) -> CarrierTracking:
        upstream = Upstream("dhl-eu", registry.manifests()["dhl"], Exchanges())
        guarded = Guarded("tracking", CarrierTracking, dhl_connector.ports()["tracking"], upstream)
        return cast("CarrierTracking", guarded)

    def test_the_facts_cover_every_stage(self, facts: TrackingFacts) -> None:
        assert set(facts.statuses.values()) == set(STAGES.values())
