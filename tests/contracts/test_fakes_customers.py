"""The in-memory CRM keeps the contract that the real ones keep."""

import msgspec
import pytest

from ports.common import ExternalReference, SystemName
from ports.customers import Contact, Customer
from tests.contracts.customers import CustomersContract, CustomersFacts
from tests.contracts.fakes.customers import FakeCustomers
from tests.contracts.peers import FAILURES, Faults, call


class FakeFaults:
    """Makes the fake fail as the wire would have."""

    def __init__(self, fake: FakeCustomers) -> None:
        self._fake = fake

    def fail(self, kind: str | None, only: str | None = None, /) -> None:
        if kind is None:
            self._fake.fail_with(None)
            return
        made = FAILURES[kind](system="CRM", upstream="crm", operation="customers.customers")
        self._fake.fail_with(made)


class TestFakeCustomers(CustomersContract):
    @pytest.fixture
    def facts(self) -> CustomersFacts:
        made = [Customer(f"C{at:03}", f"Works {at:03}", segment="sme") for at in range(130)]
        made += [Customer("C900", "Usine Ada"), Customer("C901", "Usine Bob")]
        numbers = {one.number: one for one in sorted(made, key=lambda one: one.name)}
        return CustomersFacts(
            upstream="crm",
            customers=numbers,
            contacts={"C000": ("Ada", "Bob"), "C001": ()},
            representatives={"7": "Eve"},
            search=("usine", ("C900", "C901")),
        )

    @pytest.fixture
    def port(self, facts: CustomersFacts) -> FakeCustomers:
        return FakeCustomers(
            (
                msgspec.structs.replace(
                    one, references=(ExternalReference(SystemName.CRM, "crm", "1"),)
                )
                for one in facts.customers.values()
            ),
            {"C000": (Contact("1", "Ada"), Contact("2", "Bob"))},
            {"7": Contact("7", "Eve")},
        )

    @pytest.fixture
    def faults(self, port: FakeCustomers) -> Faults:
        return FakeFaults(port)


async def test_the_fake_remembers_what_it_was_asked() -> None:
    fake = FakeCustomers(())
    await fake.customers(("C1",), call=call())

    assert fake.calls == [("customers", ("C1",))]
