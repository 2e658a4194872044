import pytest

from ports.accounts import CreditStatus, CustomerAccount
from ports.common import Address, SystemName
from resolvers.ids import encode
from tests.contracts.fakes.accounts import FakeAccounts
from tests.contracts.fakes.customers import FakeCustomers
from tests.resolvers.shop import Shop, customer, down, errors, eur, fresh


@pytest.fixture
def shop() -> Shop:
    account = CustomerAccount(
        currency="EUR",
        blocked=False,
        price_list="Trade",
        credit=CreditStatus(eur("100"), fresh(SystemName.ERP), eur("500"), eur("400")),
    )
    addresses = {"A": (Address(lines=("1 Main St",), id="7", country="FR"),)}
    return Shop(accounts=FakeAccounts({"A": account}, addresses))


async def test_the_company_with_all_that_belongs_to_it(shop: Shop) -> None:
    data = await shop.data(
        "{ customer { id number name preferences { key value } references { system id } contacts { id"
        " name } salesRepresentative { name } addresses { id lines country } account { currency"
        " priceList blocked credit { limit { amount } outstanding { amount } freshness { upstream } } }"
        " } }"
    )

    assert data["customer"] == {
        "id": encode("Customer", "A"),
        "number": "A",
        "name": "Company A",
        "preferences": [{"key": "newsletter", "value": "yes"}],
        "references": [{"system": "CRM", "id": "A"}],
        "contacts": [{"id": "1", "name": "Ann"}],
        "salesRepresentative": {"name": "Rea"},
        "addresses": [{"id": "7", "lines": ["1 Main St"], "country": "FR"}],
        "account": {
            "currency": "EUR",
            "priceList": "Trade",
            "blocked": False,
            "credit": {
                "limit": {"amount": "500"},
                "outstanding": {"amount": "100"},
                "freshness": {"upstream": "erp"},
            },
        },
    }


async def test_a_crm_that_is_down_nulls_the_company(shop: Shop) -> None:
    shop.customers.fail_with(down("CRM"))

    answer = await shop.ask(
        '{ customer { number } order(number: "A1") { customer { name } total { amount } } }'
    )

    assert errors(answer) == [
        (["customer"], "UPSTREAM_UNAVAILABLE"),
        (["order", "customer"], "UPSTREAM_UNAVAILABLE"),
    ]
    assert answer.data == {
        "customer": None,
        "order": {"customer": None, "total": {"amount": "12"}},
    }


async def test_an_erp_that_is_down_costs_its_fields_of_the_company(shop: Shop) -> None:
    shop.accounts.fail_with(down("ERP"))
    shop.orders.fail_with(down("ERP"))
    shop.invoices.fail_with(down("ERP"))

    answer = await shop.ask(
        "{ customer { name account { blocked } addresses { city } orders { totalCount }"
        " invoices { totalCount } } }"
    )

    assert sorted(str(path[-1]) for path, _ in errors(answer)) == [
        "account",
        "addresses",
        "invoices",
        "orders",
    ]
    assert answer.data is not None
    assert answer.data["customer"]["name"] == "Company A"  # type: ignore[index]


async def test_a_search_among_companies(shop: Shop) -> None:
    data = await shop.data(
        '{ customers(search: "company", first: 1) { nodes { number } edges { cursor } totalCount } }'
    )

    assert data["customers"]["nodes"] == [{"number": "A"}]


async def test_an_empty_page_of_companies(shop: Shop) -> None:
    assert await shop.data("{ customers(first: 0) { totalCount } }") == {
        "customers": {"totalCount": 0}
    }


async def test_a_company_without_contacts(shop: Shop) -> None:
    shop.customers = FakeCustomers([customer("A")])

    data = await shop.data("{ customer { contacts { id } } }")

    assert data["customer"]["contacts"] == []
