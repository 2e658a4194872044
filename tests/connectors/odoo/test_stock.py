"""Odoo's stock: the contract, nested or apart, and what each state of a product means."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.odoo.products import NESTED
from ports.errors import RefusedError
from ports.pricing import Price, PriceQuestion
from ports.stock import Availability, AvailabilityStatus, Stock
from tests.connectors.odoo.pages_peer import Peer, hurried, page, world
from tests.contracts.stock import Broken, StockContract, StockFacts
from upstream.reference import own_call

SKU = world().examples.sku
APART = frozenset({"stock_quant_ids", "stock_move_ids"})


class OnOdoo(StockContract):
    peer: Callable[..., Peer]

    @pytest.fixture
    def port(self) -> Stock:
        return page(type(self).peer())[1]

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> Stock:
            return page(type(self).peer(fault=name), **hurried(name))[1]

        return breaking

    @pytest.fixture
    def facts(self) -> StockFacts:
        skus = tuple(item.sku for item in world().items[:120])
        return StockFacts(SKU, Decimal(4545), "Units", ("LYO", "LIL", "KAR"), skus)


def apart(**settings: Any) -> Peer:
    return Peer(**settings, lacks=APART)


class TestNested(OnOdoo):
    peer = Peer


class TestApart(OnOdoo):
    peer = staticmethod(apart)


async def held(peer: Peer, sku: str = SKU, **settings: object) -> Availability:
    found = (await page(peer, **settings)[1].availability([sku], call=own_call()))[sku]
    assert isinstance(found, Availability)
    return found


async def test_both_ways_tell_the_same() -> None:
    skus = [item.sku for item in world().items[:300]]
    one, other = Peer(), apart()

    together = await page(one)[1].availability(skus, call=own_call())
    separate = await page(other)[1].availability(skus, call=own_call())

    assert one.live == ["product.product/web_search_read"]
    assert len(other.live) == 3
    for sku in skus:
        first, second = together[sku], separate[sku]
        assert isinstance(first, Availability)
        assert isinstance(second, Availability)
        assert replace_freshness(first) == replace_freshness(second)


def replace_freshness(found: Availability) -> Availability:
    return msgspec.structs.replace(found, freshness=None)


def ds(*numbers: int) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, numbers))


async def test_the_world_is_told_as_it_is() -> None:
    found = await held(Peer())

    lyon, lille, karlsruhe = found.locations
    assert (lyon.on_hand, lyon.reserved, lyon.available) == ds(4200, 420, 3780)
    assert (lille.on_hand, lille.reserved, lille.available) == ds(850, 85, 765)
    assert (karlsruhe.on_hand, karlsruhe.available) == ds(0, 0)
    assert [level.warehouse.country for level in found.locations] == ["FR", "FR", "DE"]
    assert [each.quantity for each in lyon.incoming] == [2000]
    expected = {m.expected.date() for m in world().incoming if m.item == item(SKU).erp_id}
    assert {each.expected_on for level in found.locations for each in level.incoming} == expected


def item(sku: str) -> Any:
    return next(each for each in world().items if each.sku == sku)


async def test_goods_not_kept_are_made_to_order() -> None:
    found = await held(Peer(), next(i.sku for i in world().items if not i.tracked))

    assert found.status is AvailabilityStatus.MADE_TO_ORDER
    assert found.locations == ()
    assert found.lead_time_days is not None


@pytest.mark.parametrize("field", ["active", "sale_ok"])
async def test_what_is_no_longer_sold_is_discontinued(field: str) -> None:
    found = await held(Peer(edit=lambda record: record.update({field: False})))

    assert found.status is AvailabilityStatus.DISCONTINUED


def emptied(record: dict[str, Any]) -> None:
    for quant in record.get("stock_quant_ids", ()):
        quant["quantity"] = quant["reserved_quantity"]


def without_moves(record: dict[str, Any]) -> None:
    emptied(record)
    record["stock_move_ids"] = []


async def test_nothing_left_but_some_coming_is_a_backorder() -> None:
    found = await held(Peer(edit=emptied))

    assert found.status is AvailabilityStatus.BACKORDER
    assert found.available == 0


async def test_nothing_left_and_nothing_coming_is_out_of_stock() -> None:
    found = await held(Peer(edit=without_moves))

    assert found.status is AvailabilityStatus.OUT_OF_STOCK


async def test_little_is_low() -> None:
    found = await held(Peer(), low_stock=Decimal(4545))

    assert found.status is AvailabilityStatus.LOW_STOCK


async def test_more_is_reserved_than_is_there() -> None:
    def oversold(record: dict[str, Any]) -> None:
        for quant in record.get("stock_quant_ids", ()):
            quant["reserved_quantity"] = quant["quantity"] + 7

    found = await held(Peer(edit=oversold))

    assert found.available == 0
    assert all(level.available == 0 for level in found.locations)


async def test_a_long_history_is_asked_for_pending_moves_only() -> None:
    def worn(record: dict[str, Any]) -> None:
        if "stock_move_ids" in record:
            record["stock_move_ids"] += [{"id": 10**6 + n} for n in range(NESTED)]

    peer = Peer(edit=worn)
    _, stock = page(peer)
    expected = (await held(Peer())).locations

    for _ in range(2):
        found = (await stock.availability([SKU], call=own_call()))[SKU]
        assert isinstance(found, Availability)
        assert found.locations == expected

    assert (
        sorted(peer.live)
        == ["product.product/web_search_read"] * 2 + ["stock.move/web_search_read"] * 2
    )
    products = [
        wish for asked in peer.asked if "default_code" in (wish := asked.get("specification", {}))
    ]
    assert ["stock_move_ids" in wish for wish in products] == [True, False]


async def test_pieces_by_serial_number_are_asked_in_the_warehouses_only() -> None:
    def sold(record: dict[str, Any]) -> None:
        if "stock_quant_ids" in record:
            record["stock_quant_ids"] += [{"id": 10**6 + n} for n in range(NESTED)]

    peer = Peer(edit=sold)
    _, stock = page(peer)
    expected = (await held(Peer())).locations

    for _ in range(2):
        found = (await stock.availability([SKU], call=own_call()))[SKU]
        assert isinstance(found, Availability)
        assert found.locations == expected

    assert (
        sorted(peer.live)
        == ["product.product/web_search_read"] * 2 + ["stock.quant/web_search_read"] * 2
    )


async def test_without_the_inventory_app_nothing_is_known() -> None:
    found = await held(Peer(lacks=APART | {"is_storable"}))

    assert found.status is AvailabilityStatus.UNKNOWN
    assert found.locations == ()


async def test_a_key_that_may_not_see_stock_still_sees_prices() -> None:
    pricing, stock = page(Peer(hides=frozenset({"stock_quant_ids", "stock.quant"})))
    question = PriceQuestion(SKU, Decimal(1), None)

    prices, refusal = await asyncio.gather(
        pricing.prices([question], call=own_call()),
        stock.availability([SKU], call=own_call()),
        return_exceptions=True,
    )

    assert isinstance(prices, dict)
    assert isinstance(prices[question], Price)
    assert isinstance(refusal, RefusedError)


async def test_without_routes_nothing_is_procured_to_order() -> None:
    found = await held(Peer(edit=without_moves, lacks=frozenset({"route_ids"})))

    assert found.status is AvailabilityStatus.OUT_OF_STOCK


async def test_what_is_sold_out_on_a_route_to_order_is_made_to_order() -> None:
    def routed(record: dict[str, Any]) -> None:
        without_moves(record)
        record["route_ids"] = [1]

    assert (await held(Peer(edit=routed))).status is AvailabilityStatus.MADE_TO_ORDER


async def test_a_key_that_may_not_see_products_is_refused() -> None:
    _, stock = page(Peer(hides=frozenset({"product.product"})))

    with pytest.raises(RefusedError):
        await stock.availability([SKU], call=own_call())


async def test_an_archived_twin_does_not_hide_the_product() -> None:
    """Odoo lets several products have one reference."""
    twin = next(each for each in world().items if each.tracked and each.sku != SKU)

    def renamed(record: dict[str, Any]) -> None:
        if record.get("default_code") == twin.sku:
            record.update(default_code=SKU, active=False)

    _, stock = page(Peer(edit=renamed))
    found = await stock.availability([twin.sku, SKU], call=own_call())

    assert set(found) == {SKU}
    shown = found[SKU]
    assert isinstance(shown, Availability)
    assert shown.status is AvailabilityStatus.IN_STOCK
