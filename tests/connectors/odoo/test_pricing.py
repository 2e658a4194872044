"""Odoo's prices: the contract, the calls they cost, and what is told beside the amount."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import ClassVar

import pytest

from ports.errors import MalformedError, RefusedError, UpstreamError
from ports.pricing import Price, PriceOrigin, PriceQuestion, Pricing
from tests.connectors.odoo.pages_peer import FAULTS, Peer, hurried, page, server, world
from tests.contracts.pricing import Broken, PricingContract, PricingFacts
from upstream.reference import own_call

KEY_ACCOUNT = world().examples.customer
SKU = world().examples.sku


class OnOdoo(PricingContract):
    settings: ClassVar[dict[str, object]]

    @pytest.fixture
    def port(self) -> Pricing:
        return page(Peer(), **self.settings)[0]

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> Pricing:
            return page(Peer(fault=name), **self.settings, **hurried(name))[0]

        return breaking

    @pytest.fixture
    def facts(self) -> PricingFacts:
        skus = tuple(item.sku for item in world().items[:120])
        return PricingFacts(SKU, KEY_ACCOUNT, Decimal("0.45"), "EUR", skus)


class TestByRules(OnOdoo):
    settings: ClassVar[dict[str, object]] = {}


class TestByDryRun(OnOdoo):
    settings: ClassVar[dict[str, object]] = {"pricing": "dry-run"}


def customer_of(pricelist: int) -> str:
    return next(each.number for each in world().companies if each.pricelist_id == pricelist)


async def priced(pricing: Pricing, question: PriceQuestion) -> Price:
    found = (await pricing.prices([question], call=own_call()))[question]
    assert isinstance(found, Price)
    return found


@pytest.mark.parametrize("size", [1, 24, 200])
async def test_a_page_costs_three_calls(size: int) -> None:
    peer = Peer()
    pricing, _ = page(peer)
    questions = [PriceQuestion(item.sku, Decimal(3), KEY_ACCOUNT) for item in world().items[:size]]

    found = await pricing.prices(questions, call=own_call())

    assert len(found) == size
    assert sorted(peer.live) == [
        "product.pricelist.item/web_search_read",
        "product.product/web_search_read",
        "res.partner/web_search_read",
    ]


@pytest.mark.parametrize("size", [1, 24, 200])
async def test_price_and_stock_of_a_page_cost_three_calls_together(size: int) -> None:
    peer = Peer()
    pricing, stock = page(peer)
    skus = [item.sku for item in world().items[:size]]
    questions = [PriceQuestion(sku, Decimal(1), KEY_ACCOUNT) for sku in skus]

    prices, held = await asyncio.gather(
        pricing.prices(questions, call=own_call()), stock.availability(skus, call=own_call())
    )

    assert len(prices) == len(held) == size
    assert len(peer.live) == 3


async def test_a_list_price_costs_one_call() -> None:
    peer = Peer()
    pricing, _ = page(peer)

    price = await priced(pricing, PriceQuestion(SKU, Decimal(1), None))

    assert peer.live == ["product.product/web_search_read"]
    assert price.origin is PriceOrigin.LIST
    assert price.unit.net == price.list
    assert price.agreement is None
    assert price.discount_percent is None


async def test_agreed_tiers_and_a_promotion_on_top() -> None:
    pricing, _ = page(Peer())

    few = await priced(pricing, PriceQuestion(SKU, Decimal(10), KEY_ACCOUNT))
    many = await priced(pricing, PriceQuestion(SKU, Decimal(1000), KEY_ACCOUNT))

    assert few.origin is PriceOrigin.CUSTOMER_GROUP
    assert few.agreement == "Key accounts"
    assert few.valid_until is None
    assert [(str(t.minimum_quantity), str(t.unit.amount)) for t in few.tiers] == [
        ("1", "0.45"),
        ("100", "0.41"),
        ("500", "0.36"),
        ("1000", "0.31"),
    ]
    assert many.unit.net.amount == Decimal("0.31")
    assert many.origin is PriceOrigin.PROMOTION
    assert many.valid_until is not None


async def test_a_percentage_shows_its_list_price_and_discount() -> None:
    pricing, _ = page(Peer())
    item = next(each for each in world().items if "sensors" in each.categories)

    price = await priced(pricing, PriceQuestion(item.sku, Decimal(1), customer_of(2)))

    assert price.list
    assert price.list.amount == item.list_price
    assert price.discount_percent == 15
    assert price.unit.net.amount == pytest.approx(item.list_price * Decimal("0.85"))
    assert price.agreement == "Distributors"


async def test_a_foreign_list_is_priced_in_its_currency() -> None:
    pricing, _ = page(Peer())

    price = await priced(pricing, PriceQuestion(world().items[200].sku, Decimal(1), customer_of(4)))

    assert price.unit.net.currency == price.total.net.currency == "CHF"


@pytest.mark.parametrize("named", [1, "Public"])
async def test_the_public_list_may_be_configured(named: int | str) -> None:
    pricing, _ = page(Peer(), public_pricelist=named)
    item = next(each for each in world().items if "gloves" in each.categories)

    price = await priced(pricing, PriceQuestion(item.sku, Decimal(1), None))

    assert price.discount_percent == 12
    assert price.origin is PriceOrigin.PROMOTION


async def test_the_general_list_is_no_favour() -> None:
    pricing, _ = page(Peer())
    item = next(each for each in world().items if "sensors" in each.categories)

    price = await priced(pricing, PriceQuestion(item.sku, Decimal(1), customer_of(1)))

    assert price.origin is PriceOrigin.LIST
    assert price.agreement == "Public"


async def test_a_public_list_that_is_not_there_is_refused() -> None:
    pricing, _ = page(Peer(), public_pricelist="No such list")

    with pytest.raises(RefusedError):
        await pricing.prices([PriceQuestion(SKU, Decimal(1), None)], call=own_call())


@pytest.mark.parametrize("named", [3, "Key accounts"])
async def test_a_list_may_be_an_agreement(named: int | str) -> None:
    pricing, _ = page(Peer(), agreement_pricelists=[named])

    price = await priced(pricing, PriceQuestion(SKU, Decimal(1000), KEY_ACCOUNT))

    assert price.origin is PriceOrigin.CUSTOMER_AGREEMENT


async def test_a_hidden_cost_costs_only_the_prices_that_need_it() -> None:
    pricing, _ = page(Peer(lacks=frozenset({"standard_price"})))
    pump = next(each for each in world().items if "pumps" in each.categories)
    questions = [PriceQuestion(sku, Decimal(1), KEY_ACCOUNT) for sku in (SKU, pump.sku)]

    found = await pricing.prices(questions, call=own_call())

    assert isinstance(found[questions[0]], Price)
    assert isinstance(found[questions[1]], MalformedError)


async def test_without_price_lists_all_pay_the_list_price() -> None:
    pricing, _ = page(Peer(lacks=frozenset({"property_product_pricelist", "lst_price"})))

    price = await priced(pricing, PriceQuestion(SKU, Decimal(1), KEY_ACCOUNT))

    assert price.origin is PriceOrigin.LIST
    assert price.unit.net.amount == Decimal("0.59")


async def test_a_dry_run_tells_taxes() -> None:
    pricing, _ = page(Peer(), pricing="dry-run")

    price = await priced(pricing, PriceQuestion(SKU, Decimal(100), KEY_ACCOUNT))

    assert price.total.net.amount == Decimal("41.00")
    assert price.total.tax
    assert price.total.tax.amount == Decimal("8.20")
    assert price.total.gross
    assert price.total.gross.amount == Decimal("49.20")
    assert price.total.tax_rate == 20
    assert price.tiers == ()


async def test_a_base_list_put_there_just_now_is_read_too() -> None:
    """The reference of which list stands on which is older than the rule."""
    rules = world().price_rules
    small = replace(world(), price_rules=tuple(r for r in rules if r.base != "pricelist"))
    peer = Peer(server=server(small))
    pricing, _ = page(peer)
    question = PriceQuestion(world().items[3].sku, Decimal(1), customer_of(2))
    before = await priced(pricing, question)

    peer.server = server(world())
    after = await priced(pricing, question)

    assert before.unit.net.amount > after.unit.net.amount


@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault_is_an_error_of_ours(fault: str) -> None:
    pricing, _ = page(Peer(fault=fault))

    with pytest.raises(UpstreamError) as told:
        await pricing.prices([PriceQuestion(SKU, Decimal(1), None)], call=own_call())

    assert "Traceback" not in told.value.message


@pytest.mark.parametrize("way", ["rules", "dry-run"])
async def test_taxes_in_the_price_are_taken_off(way: str) -> None:
    def included(record: dict[str, object]) -> None:
        if "price_include" in record:
            record["price_include"] = True

    pricing, _ = page(Peer(edit=included), pricing=way)

    price = await priced(pricing, PriceQuestion(SKU, Decimal(1), None))

    assert price.unit.net.amount == pytest.approx(
        Decimal("0.59") / Decimal("1.2"), abs=Decimal("0.000001")
    )
    assert price.unit.net == price.list


async def test_one_line_that_cannot_be_read_costs_no_other_its_price() -> None:
    skus = [item.sku for item in world().items[:3]]
    broken = world().items[1].erp_id
    pricing, _ = page(Peer(spoils=f'"product_id":{broken},'), pricing="dry-run")
    questions = [PriceQuestion(sku, Decimal(1), KEY_ACCOUNT) for sku in skus]

    found = await pricing.prices(questions, call=own_call())

    kinds = [isinstance(found[question], Price) for question in questions]
    assert kinds == [True, False, True]
    assert isinstance(found[questions[1]], MalformedError)


@pytest.mark.parametrize("way", ["rules", "dry-run"])
async def test_a_price_in_no_known_currency_is_malformed(way: str) -> None:
    def strange(record: dict[str, object]) -> None:
        if "default_code" in record:
            record["currency_id"] = 999

    pricing, _ = page(Peer(edit=strange), pricing=way)
    question = PriceQuestion(SKU, Decimal(1), None)

    found = await pricing.prices([question], call=own_call())

    assert isinstance(found[question], MalformedError)


async def test_a_list_in_no_known_currency_is_malformed() -> None:
    def strange(record: dict[str, object]) -> None:
        if isinstance(held := record.get("property_product_pricelist"), dict):
            held["currency_id"] = 999

    pricing, _ = page(Peer(edit=strange))

    with pytest.raises(MalformedError):
        await pricing.prices([PriceQuestion(SKU, Decimal(1), KEY_ACCOUNT)], call=own_call())


async def test_a_price_above_the_list_shows_no_discount() -> None:
    def dearer(record: dict[str, object]) -> None:
        if record.get("compute_price") == "fixed":
            record["fixed_price"] = 9.99

    pricing, _ = page(Peer(edit=dearer))

    price = await priced(pricing, PriceQuestion(SKU, Decimal(1), KEY_ACCOUNT))

    assert price.unit.net.amount == Decimal("9.99")
    assert price.discount_percent is None
    assert price.tiers == ()


async def test_a_price_beyond_reason_is_malformed() -> None:
    def absurd(record: dict[str, object]) -> None:
        for name in {"list_price", "lst_price", "fixed_price"} & record.keys():
            record[name] = 1e300

    pricing, _ = page(Peer(edit=absurd))
    question = PriceQuestion(SKU, Decimal(1), KEY_ACCOUNT)

    found = await pricing.prices([question], call=own_call())

    assert isinstance(found[question], MalformedError)


async def test_a_line_beyond_reason_is_malformed() -> None:
    pricing, _ = page(Peer(), pricing="dry-run")
    question = PriceQuestion(SKU, Decimal("1E+30"), KEY_ACCOUNT)

    found = await pricing.prices([question], call=own_call())

    assert isinstance(found[question], MalformedError)
