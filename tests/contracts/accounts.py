"""What every implementation of `ports.accounts.Accounts` promises."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from ports.accounts import Accounts, CustomerAccount
from ports.common import Address
from tests.contracts.failures import FAILURES
from upstream.reference import own_call


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """`customer` has a credit limit and several addresses; `customers` are all there are."""

    customer: str
    currency: str
    price_list: str
    payment_terms: str
    limit: Decimal
    address_ids: tuple[str, ...]
    blocked: frozenset[str]
    customers: tuple[str, ...]


Broken = Callable[[str], Accounts]
"A port whose peer fails in one of the ways of `FAILURES`."

STRANGE = ("nobody-has-this", "", " ", "%", "\0", "\ud800", "x" * 5000, "' OR 1=1 --")


class AccountsContract:
    async def test_a_known_customer_has_its_account(
        self, port: Accounts, facts: AccountFacts
    ) -> None:
        account = (await port.accounts([facts.customer], call=own_call()))[facts.customer]

        assert isinstance(account, CustomerAccount)
        assert account.currency == facts.currency
        assert account.price_list == facts.price_list
        assert account.payment_terms == facts.payment_terms
        assert account.credit
        assert account.credit.limit
        assert account.credit.limit.amount == facts.limit

    async def test_what_is_available_is_the_limit_less_what_is_owed(
        self, port: Accounts, facts: AccountFacts
    ) -> None:
        for account in (await port.accounts(facts.customers, call=own_call())).values():
            assert isinstance(account, CustomerAccount)
            credit = account.credit
            assert credit
            if credit.limit is None:
                assert credit.available is None
                continue
            assert credit.available
            free = credit.limit.amount - credit.outstanding.amount
            assert credit.available.amount == max(Decimal(0), free)
            assert credit.available.currency == credit.limit.currency

    async def test_those_on_hold_are_blocked_and_no_others(
        self, port: Accounts, facts: AccountFacts
    ) -> None:
        found = await port.accounts(facts.customers, call=own_call())

        blocked = {
            number
            for number, account in found.items()
            if isinstance(account, CustomerAccount) and account.blocked
        }
        assert set(found) == set(facts.customers)
        assert blocked == facts.blocked

    async def test_addresses_come_own_first(self, port: Accounts, facts: AccountFacts) -> None:
        found = (await port.addresses([facts.customer], call=own_call()))[facts.customer]

        assert isinstance(found, tuple)
        assert tuple(address.id for address in found) == facts.address_ids
        for address in found:
            assert isinstance(address, Address)
            assert address.lines
            assert address.country
            assert len(address.country) == 2

    async def test_what_is_unknown_is_absent(self, port: Accounts, facts: AccountFacts) -> None:
        asked = [facts.customer, *STRANGE]

        assert set(await port.accounts(asked, call=own_call())) == {facts.customer}
        assert set(await port.addresses(asked, call=own_call())) == {facts.customer}

    async def test_nothing_asked_is_nothing_answered(self, port: Accounts) -> None:
        assert await port.accounts([], call=own_call()) == {}
        assert await port.addresses([], call=own_call()) == {}

    async def test_a_customer_asked_twice_is_answered_once(
        self, port: Accounts, facts: AccountFacts
    ) -> None:
        twice = [facts.customer] * 2

        assert set(await port.accounts(twice, call=own_call())) == {facts.customer}
        assert set(await port.addresses(twice, call=own_call())) == {facts.customer}

    async def test_more_than_a_hundred_keys(self, port: Accounts, facts: AccountFacts) -> None:
        asked = [*facts.customers, *(f"nobody-{index}" for index in range(150))]

        assert set(await port.accounts(asked, call=own_call())) == set(facts.customers)
        assert set(await port.addresses(asked, call=own_call())) == set(facts.customers)

    @pytest.mark.parametrize("name", sorted(FAILURES))
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Broken, facts: AccountFacts, name: str
    ) -> None:
        port = broken(name)

        with pytest.raises(FAILURES[name]):
            await port.accounts([facts.customer], call=own_call())
        with pytest.raises(FAILURES[name]):
            await port.addresses([facts.customer], call=own_call())
