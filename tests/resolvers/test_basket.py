from decimal import Decimal
from typing import Any

import pytest

from ports.caller import Caller, CallerKind
from ports.catalog import Product
from ports.common import Money, SystemName, TaxedMoney
from ports.pricing import Price, PriceOrigin, QuantityRule
from ports.stock import AvailabilityStatus
from resolvers.basket import Asked, Basket, BasketLine, BasketProblem, _line, _sum
from tests.resolvers.shop import BOLT, OURS, Shop, available, down, errors, eur, fresh

QUERY = """query($lines: [BasketLineInput!]!) { basket(lines: $lines) { orderable subtotal { net {
amount currency } } lines { sku quantity problems product { name } price { total { net { amount } } }
availability { status } } } }"""


def lines(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"lines": [{"sku": sku, "quantity": quantity} for sku, quantity in pairs]}


async def test_a_basket_that_can_be_ordered(shop: Shop) -> None:
    basket = (await shop.data(QUERY, lines(("BOLT", "100"), ("NUT", "5"))))["basket"]

    assert basket["orderable"] is True
    assert basket["subtotal"]["net"] == {"amount": "40.50", "currency": "EUR"}
    assert [line["problems"] for line in basket["lines"]] == [[], []]


async def test_two_hundred_lines_are_one_call_a_port(shop: Shop) -> None:
    asked = [("BOLT", str(i + 1)) for i in range(200)]

    basket = (await shop.data(QUERY, lines(*asked)))["basket"]

    assert len(basket["lines"]) == 200
    assert (len(shop.catalog.calls), len(shop.pricing.calls), len(shop.stock.calls)) == (1, 1, 1)


@pytest.mark.parametrize(
    ("sku", "quantity", "problems"),
    [
        ("nope", "1", ["UNKNOWN_SKU"]),
        ("BOLT", "251", ["INSUFFICIENT_STOCK"]),
        ("WASHER", "1", ["NO_PRICE", "NOT_SELLABLE"]),
        ("NUT", "1000", []),
    ],
)
async def test_what_keeps_a_line_from_being_ordered(
    shop: Shop, sku: str, quantity: str, problems: list[str]
) -> None:
    basket = (await shop.data(QUERY, lines((sku, quantity))))["basket"]

    assert basket["lines"][0]["problems"] == problems
    assert basket["orderable"] is (problems == [])


async def test_the_same_article_twice_is_weighed_together(shop: Shop) -> None:
    basket = (await shop.data(QUERY, lines(("BOLT", "200"), ("BOLT", "100"))))["basket"]

    assert [line["problems"] for line in basket["lines"]] == [["INSUFFICIENT_STOCK"]] * 2


async def test_an_erp_that_is_down_is_told_in_problems_and_errors(shop: Shop) -> None:
    shop.pricing.fail_with(down("ERP"))
    shop.stock.fail_with(down("ERP"))

    answer = await shop.ask(QUERY, lines(("BOLT", "1")))

    assert sorted(str(path[-1]) for path, _ in errors(answer)) == ["availability", "price"]
    basket: Any = answer.data and answer.data["basket"]
    assert basket["lines"][0]["problems"] == ["PRICE_UNAVAILABLE", "STOCK_UNAVAILABLE"]
    assert basket["subtotal"] is None


async def test_a_caller_without_prices_gets_the_rest(shop: Shop) -> None:
    caller = Caller("x", CallerKind.USER, scopes=OURS.scopes - {"prices:read"})

    answer = await shop.ask(QUERY, lines(("BOLT", "1")), caller)

    assert [code for _, code in errors(answer)] == ["FORBIDDEN"]
    assert shop.pricing.calls == []


@pytest.mark.parametrize("asked", [lines(("BOLT", "0")), lines(*[("BOLT", "1")] * 201)])
async def test_a_basket_that_cannot_be_meant_is_refused(shop: Shop, asked: dict[str, Any]) -> None:
    assert errors(await shop.ask(QUERY, asked)) == [(["basket"], "BAD_USER_INPUT")]


async def test_an_empty_basket_is_not_orderable(shop: Shop) -> None:
    basket = (await shop.data(QUERY, lines()))["basket"]

    assert basket == {"orderable": False, "subtotal": None, "lines": []}


def money(amount: str, currency: str = "EUR") -> Money:
    return Money(Decimal(amount), currency)


@pytest.mark.parametrize(
    ("quantity", "problems"),
    [
        ("4", (BasketProblem.BELOW_MINIMUM, BasketProblem.NOT_A_MULTIPLE)),
        ("12", (BasketProblem.NOT_A_MULTIPLE,)),
        ("15", ()),
    ],
)
def test_quantity_rules_are_checked(quantity: str, problems: tuple[BasketProblem, ...]) -> None:
    price = Price(
        unit=TaxedMoney(eur("1")),
        total=TaxedMoney(eur("1")),
        quantity=Decimal(quantity),
        origin=PriceOrigin.LIST,
        freshness=fresh(SystemName.ERP),
        quantity_rule=QuantityRule(Decimal(10), Decimal(5)),
    )
    stock = available(AvailabilityStatus.IN_STOCK, "100")

    line = _line(Asked("BOLT", Decimal(quantity)), Decimal(quantity), BOLT, price, stock)

    assert line.problems == problems


def test_a_product_that_is_switched_off_is_not_sold() -> None:
    off = Product(sku="X", reference="x", name="X", enabled=False)
    stock = available(AvailabilityStatus.IN_STOCK, "100")

    line = _line(Asked("X", Decimal(1)), Decimal(1), off, down("ERP"), stock)

    assert line.problems == (BasketProblem.NOT_SELLABLE, BasketProblem.PRICE_UNAVAILABLE)


def test_tax_and_gross_are_told_only_when_every_line_tells_them() -> None:
    taxed = TaxedMoney(eur("10"), eur("2"), eur("12"), Decimal(20))

    assert _sum([taxed, taxed]) == TaxedMoney(eur("20"), eur("4"), eur("24"), Decimal(20))
    assert _sum([taxed, TaxedMoney(eur("1"))]) == TaxedMoney(eur("11"))


def test_lines_in_two_currencies_have_no_subtotal() -> None:
    def line(currency: str) -> BasketLine:
        total = TaxedMoney(money("1", currency))
        price = Price(total, total, Decimal(1), PriceOrigin.LIST, fresh(SystemName.ERP))
        return BasketLine("x", Decimal(1), None, price, None, ())

    assert Basket((line("EUR"), line("CHF"))).subtotal is None
    assert Basket((line("EUR"), line("EUR"))).subtotal == TaxedMoney(money("2"))
