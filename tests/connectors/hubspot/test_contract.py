"""The contract of the customers port, kept before the sandbox's HubSpot."""

from typing import cast

import pytest

from connectors import registry
from connectors.hubspot.connector import HubSpot
from ports.customers import Customer, Customers, Preference
from sandbox.world import Company, World
from tests.contracts.customers import CustomersContract, CustomersFacts
from upstream.connector import Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded


def _expected(one: Company) -> Customer:
    wishes = sorted(one.preferences.items())
    return Customer(
        number=one.number,
        name=one.name,
        email=one.email,
        phone=one.phone,
        website=one.website,
        vat_number=one.vat,
        segment=one.segment,
        language=one.language,
        preferences=tuple(Preference(key, value) for key, value in wishes),
        representative=one.owner_id,
    )


class TestHubSpot(CustomersContract):
    @pytest.fixture
    def facts(self, world: World) -> CustomersFacts:
        ordered = sorted(world.companies, key=lambda one: one.name.lower())
        kellers = tuple(one.number for one in ordered if "keller" in one.name.lower().split())
        return CustomersFacts(
            upstream="crm",
            customers={one.number: _expected(one) for one in ordered},
            contacts={
                one.number: tuple(f"{p.first_name} {p.last_name}" for p in one.contacts)
                for one in ordered
            },
            representatives={one.id: f"{one.first_name} {one.last_name}" for one in world.owners},
            search=("keller", kellers),
        )

    @pytest.fixture
    def port(self, hubspot_connector: HubSpot) -> Customers:
        upstream = Upstream("crm", registry.manifests()["hubspot"], Exchanges())
        inner = hubspot_connector.ports()["customers"]
        return cast("Customers", Guarded("customers", Customers, inner, upstream))
