"""Quantities per warehouse, by context and by groups of quants."""

from collections import defaultdict
from typing import Any

import pytest

from sandbox.world import Item, World

_FIELDS = ["qty_available", "free_qty", "incoming_qty", "outgoing_qty", "virtual_available"]


def _example(world: World) -> Item:
    return next(item for item in world.items if item.sku == world.examples.sku)


async def _quantities(erp: Any, item: Item, **context: Any) -> dict[str, float]:
    (row,) = await erp.call(
        "product.product/read", ids=[item.erp_id], fields=_FIELDS, context=context
    )
    del row["id"]
    quantities: dict[str, float] = row
    return quantities


async def test_the_context_narrows_to_a_warehouse(erp: Any) -> None:
    world: World = erp.world
    item = _example(world)

    for warehouse in world.warehouses:
        quants = [q for q in world.quants if (q.item, q.warehouse) == (item.erp_id, warehouse.id)]
        held = await _quantities(erp, item, warehouse_id=warehouse.id)
        assert held["qty_available"] == float(sum(q.quantity for q in quants))
        assert held["free_qty"] == float(sum(q.quantity - q.reserved for q in quants))
        moves = [m for m in world.incoming if (m.item, m.warehouse) == (item.erp_id, warehouse.id)]
        assert held["incoming_qty"] == float(sum(m.quantity for m in moves))
        assert held["virtual_available"] == (
            held["qty_available"] + held["incoming_qty"] - held["outgoing_qty"]
        )


async def test_several_warehouses_or_a_location(erp: Any) -> None:
    item = _example(erp.world)
    one, two, three = [await _quantities(erp, item, warehouse_id=key) for key in (1, 2, 3)]
    both = await _quantities(erp, item, warehouse_id=[1, 2])

    assert both["free_qty"] == one["free_qty"] + two["free_qty"]
    assert await _quantities(erp, item, location=erp.world.warehouses[0].location_id) == one
    assert (await _quantities(erp, item))["qty_available"] == sum(
        held["qty_available"] for held in (one, two, three)
    )


async def test_the_older_key_is_silently_ignored(erp: Any) -> None:
    item = _example(erp.world)

    assert await _quantities(erp, item, warehouse=1) == await _quantities(erp, item)


async def test_what_is_made_to_order_has_no_quantities(erp: Any) -> None:
    item = next(item for item in erp.world.items if not item.tracked)

    assert await _quantities(erp, item) == dict.fromkeys(_FIELDS, 0.0)


async def test_a_template_sums_its_variants(erp: Any) -> None:
    item = _example(erp.world)
    fields = ["qty_available", "product_variant_ids"]

    (row,) = await erp.call("product.template/read", ids=[item.template_id], fields=fields)

    variants = await erp.call(
        "product.product/read", ids=row["product_variant_ids"], fields=["qty_available"]
    )
    assert row["qty_available"] == sum(variant["qty_available"] for variant in variants)


async def test_pending_deliveries_are_outgoing(erp: Any) -> None:
    world: World = erp.world
    pending: dict[int, float] = defaultdict(float)
    for delivery in world.deliveries:
        if delivery.state in {"waiting", "confirmed", "assigned"}:
            for line in delivery.lines:
                pending[line.item] += float(line.quantity)
    tracked = {item.erp_id: item for item in world.items if item.tracked}
    key = next(key for key in pending if key in tracked)

    assert (await _quantities(erp, tracked[key]))["outgoing_qty"] == pending[key]


async def test_quants_grouped_by_location_tell_all_warehouses(erp: Any) -> None:
    world: World = erp.world
    items = [quant.item for quant in world.quants if quant.quantity > 5][:50]

    groups = await erp.call(
        "stock.quant/formatted_read_group",
        domain=[["product_id", "in", items], ["location_id.usage", "=", "internal"]],
        groupby=["product_id", "location_id"],
        aggregates=["quantity:sum", "reserved_quantity:sum", "__count"],
    )

    houses = {r["id"]: r["warehouse_id"][0] for r in await erp.call(
        "stock.location/search_read", domain=[["warehouse_id", "!=", False]], fields=["warehouse_id"])}  # fmt: skip
    told: dict[Any, float] = defaultdict(float)
    for group in groups:
        product, location = group["product_id"][0], group["location_id"][0]
        assert group["__extra_domain"] == [
            ["product_id", "=", product],
            ["location_id", "=", location],
        ]
        assert group["__count"] == 1
        told[product, houses[location]] += group["quantity:sum"]
    held = {(q.item, q.warehouse): float(q.quantity) for q in world.quants if q.item in items}
    assert told == held
    assert len(groups) > len(held), "some stock lies on shelves below the stock location"


async def test_what_customers_hold_is_a_quant_too(erp: Any) -> None:
    usages = await erp.call(
        "stock.quant/search_read", domain=[["location_id.usage", "!=", "internal"]], limit=1,
        fields=["location_id"],
    )  # fmt: skip

    assert usages[0]["location_id"][1] == "Partners/Customers"


async def test_groups_are_ordered_and_sliced(erp: Any) -> None:
    question = {"domain": [], "groupby": ["location_id"], "aggregates": ["quantity:sum"]}
    groups = await erp.call("stock.quant/formatted_read_group", **question)
    by_name = [group["location_id"][1] for group in groups]
    assert by_name == sorted(by_name)

    ordered = await erp.call(
        "stock.quant/formatted_read_group", order="quantity:sum desc", limit=2, **question
    )

    sums = sorted((group["quantity:sum"] for group in groups), reverse=True)
    assert [group["quantity:sum"] for group in ordered] == sums[:2]
    rest = await erp.call(
        "stock.quant/formatted_read_group", order="location_id desc", offset=1, **question
    )
    assert [group["location_id"][1] for group in rest] == by_name[::-1][1:]


async def test_all_at_once_without_groupby(erp: Any) -> None:
    (group,) = await erp.call(
        "stock.quant/formatted_read_group",
        domain=[["id", "=", 0]],
        aggregates=["quantity:sum", "quantity:min", "quantity:avg", "__count"],
    )

    assert group["__count"] == 0
    assert group["quantity:sum"] == 0
    assert group["quantity:min"] is group["quantity:avg"] is False


@pytest.mark.parametrize("lazy", [True, False])
async def test_the_deprecated_read_group_still_answers(erp: Any, lazy: bool) -> None:
    item = _example(erp.world)

    groups = await erp.call(
        "stock.quant/read_group",
        domain=[["product_id", "=", item.erp_id]],
        fields=["quantity:sum"],
        groupby=["location_id", "product_id"],
        lazy=lazy,
    )

    total = sum(group["quantity"] for group in groups)
    assert total >= float(sum(q.quantity for q in erp.world.quants if q.item == item.erp_id))
    counter = "location_id_count" if lazy else "__count"
    assert all(group[counter] == 1 for group in groups)
    assert ("product_id" in groups[0]) is not lazy
    assert ["product_id", "=", item.erp_id] in groups[0]["__domain"]


async def test_incoming_moves_tell_when_and_where(erp: Any) -> None:
    world: World = erp.world
    item = _example(world)

    moves = await erp.call(
        "stock.move/search_read",
        domain=[
            ["product_id", "=", item.erp_id],
            ["picking_code", "=", "incoming"],
            ["state", "not in", ["done", "cancel", "draft"]],
        ],
        fields=["product_uom_qty", "date", "location_dest_id", "state"],
        order="date",
    )

    expected = sorted(
        (m.expected.strftime("%Y-%m-%d %H:%M:%S"), float(m.quantity))
        for m in world.incoming
        if m.item == item.erp_id
    )
    assert [(move["date"], move["product_uom_qty"]) for move in moves] == expected
    assert all(move["location_dest_id"][1].endswith("/Stock") for move in moves)


async def test_a_warehouse_names_its_locations_and_country(erp: Any) -> None:
    rows = await erp.call(
        "stock.warehouse/web_search_read",
        domain=[],
        specification={
            "code": {},
            "lot_stock_id": {},
            "view_location_id": {"fields": {"complete_name": {}, "usage": {}}},
            "partner_id": {"fields": {"country_id": {"fields": {"code": {}}}}},
        },
    )

    for row, house in zip(rows["records"], erp.world.warehouses, strict=True):
        assert (row["code"], row["lot_stock_id"]) == (house.code, house.location_id)
        assert row["view_location_id"]["complete_name"] == house.code
        assert row["partner_id"]["country_id"]["code"] == house.country
