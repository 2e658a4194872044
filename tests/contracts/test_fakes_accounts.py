"""The accounts in memory keep the contract, so that resolver tests may rely on them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ports.accounts import CreditStatus, CustomerAccount
from ports.common import Address, Freshness, Money, SystemName
from tests.contracts.accounts import AccountFacts, AccountsContract, Broken
from tests.contracts.failures import failure
from tests.contracts.fakes.accounts import FakeAccounts

CREDIT = CreditStatus(
    outstanding=Money(Decimal(120), "EUR"),
    freshness=Freshness(SystemName.ERP, "erp", datetime(2026, 11, 1, tzinfo=UTC)),
    limit=Money(Decimal(500), "EUR"),
    available=Money(Decimal(380), "EUR"),
)
ACCOUNTS = {
    f"C{index}": CustomerAccount("EUR", index == 3, "Distributors", "30 Days", credit=CREDIT)
    for index in range(5)
}
ADDRESSES = {number: (Address(("1 quai Sud",), id="9", country="FR"),) for number in ACCOUNTS}


class TestFakeAccounts(AccountsContract):
    @pytest.fixture
    def port(self) -> FakeAccounts:
        return FakeAccounts(ACCOUNTS, ADDRESSES)

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> FakeAccounts:
            fake = FakeAccounts(ACCOUNTS, ADDRESSES)
            fake.fail_with(failure(name))
            return fake

        return breaking

    @pytest.fixture
    def facts(self) -> AccountFacts:
        return AccountFacts(
            customer="C1",
            currency="EUR",
            price_list="Distributors",
            payment_terms="30 Days",
            limit=Decimal(500),
            address_ids=("9",),
            blocked=frozenset({"C3"}),
            customers=tuple(ACCOUNTS),
        )
