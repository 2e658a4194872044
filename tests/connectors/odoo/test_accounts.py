"""Odoo's accounts: the contract, the calls, and what a database without modules tells."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.odoo.accounts import OdooAccounts
from ports.accounts import Accounts, CustomerAccount
from ports.errors import MalformedError
from tests.connectors.odoo.pages_peer import Peer, client, hurried, world
from tests.contracts.accounts import AccountFacts, AccountsContract, Broken
from upstream.reference import own_call

CUSTOMER = world().examples.customer


def accounts(peer: Peer, **settings: object) -> OdooAccounts:
    return OdooAccounts(client(peer, **settings))


class TestOdooAccounts(AccountsContract):
    @pytest.fixture
    def port(self) -> Accounts:
        return accounts(Peer())

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> Accounts:
            return accounts(Peer(fault=name), **hurried(name))

        return breaking

    @pytest.fixture
    def facts(self) -> AccountFacts:
        company = next(each for each in world().companies if each.number == CUSTOMER)
        lists = {each.id: each.name for each in world().price_lists}
        kinds = ("contact", "invoice", "delivery")
        own_first = sorted(company.addresses, key=lambda a: (kinds.index(a.kind), a.id))
        assert company.credit_limit is not None
        return AccountFacts(
            customer=CUSTOMER,
            currency=company.currency,
            price_list=lists[company.pricelist_id],
            payment_terms=company.payment_terms,
            limit=company.credit_limit,
            address_ids=tuple(str(address.id) for address in own_first),
            blocked=frozenset(each.number for each in world().companies if each.blocked),
            customers=tuple(each.number for each in world().companies),
        )


async def account(peer: Peer, **settings: object) -> CustomerAccount:
    found = (await accounts(peer, **settings).accounts([CUSTOMER], call=own_call()))[CUSTOMER]
    assert isinstance(found, CustomerAccount)
    return found


async def test_overdue_is_what_is_open_past_its_date() -> None:
    today = datetime.now(UTC).date()
    expected = sum(
        invoice.residual if invoice.move_type == "out_invoice" else -invoice.residual
        for invoice in world().invoices
        if invoice.company == CUSTOMER
        and invoice.state == "posted"
        and invoice.payment_state in {"not_paid", "partial"}
        and invoice.due < today
    )

    found = await account(Peer())

    assert found.credit
    assert found.credit.overdue
    assert found.credit.overdue.amount == max(Decimal(0), Decimal(expected))


async def test_accounts_of_many_cost_two_calls_and_addresses_one() -> None:
    peer = Peer()
    port = accounts(peer)
    customers = [company.number for company in world().companies]

    await port.accounts(customers, call=own_call())
    await port.addresses(customers, call=own_call())

    assert sorted(peer.live) == [
        "account.move/formatted_read_group",
        "res.partner/web_search_read",
        "res.partner/web_search_read",
    ]


async def test_a_key_that_may_not_see_credit_tells_none() -> None:
    peer = Peer(lacks=frozenset({"credit", "credit_limit", "property_payment_term_id"}))

    found = await account(peer)

    assert found.credit is None
    assert found.payment_terms is None
    assert "account.move/formatted_read_group" not in peer.live


async def test_without_a_price_list_the_currency_is_the_company_s() -> None:
    found = await account(Peer(lacks=frozenset({"property_product_pricelist", "currency_id"})))

    assert found.currency == "EUR"
    assert found.price_list is None


@pytest.mark.parametrize(
    "held",
    [
        {"active": False},
        {"sale_warn": "block"},
        {"sale_warn_msg": "Do not sell: BLOCKED by the court"},
    ],
)
async def test_each_way_of_blocking(held: dict[str, object]) -> None:
    def change(record: dict[str, Any]) -> None:
        if "ref" in record:
            record.update(held)

    assert (await account(Peer(edit=change))).blocked
    assert not (await account(Peer())).blocked


async def test_the_words_of_a_hold_are_configured() -> None:
    def warned(record: dict[str, Any]) -> None:
        if "ref" in record:
            record["sale_warn_msg"] = "Compte bloqué"

    assert (await account(Peer(edit=warned), hold_words=["bloqué"])).blocked
    assert not (await account(Peer(edit=warned))).blocked


async def test_terms_of_delivery_where_a_module_keeps_them() -> None:
    def agreed(record: dict[str, Any]) -> None:
        if "ref" in record:
            record["sale_incoterm_id"] = {"id": 4, "code": "DAP", "display_name": "DAP at place"}

    assert (await account(Peer(edit=agreed))).delivery_terms == "DAP"


async def test_an_account_in_no_known_currency_is_malformed() -> None:
    def strange(record: dict[str, Any]) -> None:
        if "ref" in record:
            record["currency_id"] = 999

    found = await accounts(Peer(edit=strange)).accounts([CUSTOMER], call=own_call())

    assert isinstance(found[CUSTOMER], MalformedError)


async def test_an_amount_beyond_reason_is_malformed() -> None:
    def absurd(record: dict[str, Any]) -> None:
        if "credit" in record:
            record["credit"] = 1e300

    found = await accounts(Peer(edit=absurd)).accounts([CUSTOMER], call=own_call())

    assert isinstance(found[CUSTOMER], MalformedError)


async def test_a_database_without_a_company_is_malformed() -> None:
    with pytest.raises(MalformedError):
        await account(Peer(), company_id=77)
