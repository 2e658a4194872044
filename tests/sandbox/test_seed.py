"""The seeded company: sizes, references between systems, arithmetic, the story of the examples."""

import zlib
from collections import Counter
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

import pytest

from sandbox.seed import build
from sandbox.world import LOCALES, Item, Order, OrderLine, World

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    return build(7, NOW)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _net(line: OrderLine, quantity: Decimal) -> Decimal:
    return _cents(quantity * line.price * (100 - line.discount) / 100)


def _own_orders(world: World) -> list[Order]:
    return [order for order in world.orders if order.company == world.examples.customer]


def _example(world: World) -> Item:
    return next(item for item in world.items if item.sku == world.examples.sku)


def test_the_same_seed_and_moment_give_the_same_world(world: World) -> None:
    assert build(7, NOW) == world
    assert build(8, NOW) != world


def test_without_a_moment_it_is_the_last_midnight() -> None:
    before = datetime.now(UTC).date()
    now = build().now
    assert (now.hour, now.minute, now.second, now.microsecond) == (0, 0, 0, 0)
    assert before <= now.date() <= datetime.now(UTC).date()


def test_sizes(world: World) -> None:
    assert len(world.items) == 2000
    assert len({item.sku for item in world.items}) == 2000
    assert len({item.uuid for item in world.items}) == 2000
    assert sum(item.model is not None for item in world.items) == 1200
    assert len(world.companies) == 60
    assert all(2 <= len(company.contacts) <= 5 for company in world.companies)
    assert len(world.price_lists) == 4
    assert len(world.orders) == 1500
    assert len(world.families) >= 12


def test_a_gtin_has_its_check_digit(world: World) -> None:
    for item in world.items:
        digits = [int(digit) for digit in item.gtin]
        assert sum(digits[::2]) + 3 * sum(digits[1::2]) in range(0, 400, 10)


def test_the_tree_is_three_deep(world: World) -> None:
    parents = {category.code: category.parent for category in world.categories}

    def depth(code: str) -> int:
        parent = parents[code]
        return 0 if parent is None else 1 + depth(parent)

    assert max(map(depth, parents)) == 3
    assert all(set(item.categories) <= set(parents) for item in world.items)


def test_attributes_cover_every_type(world: World) -> None:
    kinds = {attribute.type.removeprefix("pim_catalog_") for attribute in world.attributes}
    assert kinds == {
        "identifier", "text", "textarea", "simpleselect", "multiselect", "metric", "number",
        "boolean", "date", "price_collection", "table", "image", "file",
    }  # fmt: skip


def test_values_belong_to_the_family_and_fit_their_attribute(world: World) -> None:
    families = {family.code: set(family.attributes) for family in world.families}
    attributes = {attribute.code: attribute for attribute in world.attributes}
    for item in world.items:
        assert item.values.keys() <= families[item.family]
        for code, values in item.values.items():
            attribute = attributes[code]
            for value in values:
                assert (value.locale is not None) is attribute.localizable
                assert (value.scope is not None) is attribute.scopable
                if attribute.options:
                    chosen = value.data if isinstance(value.data, list) else [value.data]
                    assert set(chosen) <= attribute.options.keys()


def test_variants_inherit_and_differ_on_their_axes(world: World) -> None:
    models = {model.code: model for model in world.models}
    families = {family.code: family for family in world.families}
    axes: Counter[tuple[object, ...]] = Counter()
    for item in world.items:
        if item.model is None:
            continue
        model, family = models[item.model], families[item.family]
        assert model.values.items() <= item.values.items()
        axes[item.model, *(str(item.values[axis][0].data) for axis in family.axes)] += 1
    assert set(axes.values()) == {1}


def test_some_models_have_two_levels(world: World) -> None:
    models = {model.code: model for model in world.models}
    nested = [model for model in world.models if model.parent]
    assert nested
    for model in nested:
        assert models[model.parent or ""].values.items() < model.values.items()


def test_some_texts_are_missing_but_never_the_french_name(world: World) -> None:
    assert all("fr_FR" in item.name for item in world.items)
    assert 0 < sum(len(item.name) < len(LOCALES) for item in world.items) < 600


def test_associations_point_at_products(world: World) -> None:
    skus = {item.sku for item in world.items}
    for item in world.items:
        for others in item.associations.values():
            assert set(others) <= skus - {item.sku}


def test_media_are_files_of_their_kind(world: World) -> None:
    for file in world.media.values():
        if file.mime_type == "image/png":
            assert file.body.startswith(b"\x89PNG\r\n\x1a\n")
            length = int.from_bytes(file.body[8:12])
            kind_and_body = file.body[12 : 16 + length]
            assert zlib.crc32(kind_and_body) == int.from_bytes(file.body[16 + length : 20 + length])
        elif file.mime_type == "application/pdf":
            start = int(file.body.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
            assert file.body[start:].startswith(b"xref\n")
        else:
            assert file.body.startswith(b"<svg ")


def test_every_media_value_has_its_file(world: World) -> None:
    for item in world.items:
        for code in ("image", "drawing", "datasheet"):
            assert item.values[code][0].data in world.media


def test_ids_of_partners_never_clash(world: World) -> None:
    ids = [
        *(company.erp_id for company in world.companies),
        *(contact.id for company in world.companies for contact in company.contacts),
        *(place.id for company in world.companies for place in company.addresses[1:]),
    ]
    assert len(ids) == len(set(ids))
    assert all(company.addresses[0].id == company.erp_id for company in world.companies)


def test_price_rules_chain_lists_and_tell_quantities_and_dates(world: World) -> None:
    rules = world.price_rules
    chained = {
        rule.pricelist_id: rule.base_pricelist_id for rule in rules if rule.base_pricelist_id
    }
    assert chained == {2: 1, 3: 2, 4: 1}
    assert {rule.applied_on[0] for rule in rules} == set("0123")
    assert {rule.compute_price for rule in rules} == {"fixed", "percentage", "formula"}
    assert any(rule.date_start and rule.date_start > NOW for rule in rules)
    assert any(rule.date_end and rule.date_end < NOW for rule in rules)
    assert any(rule.price_round and rule.price_surcharge for rule in rules)
    assert any(rule.price_min_margin and rule.price_max_margin for rule in rules)
    assert world.price_lists[3].currency == "CHF"


def test_stock_is_kept_of_what_is_tracked(world: World) -> None:
    tracked = {item.erp_id for item in world.items if item.tracked}
    assert {quant.item for quant in world.quants} <= tracked < {item.erp_id for item in world.items}
    assert all(0 <= quant.reserved <= quant.quantity for quant in world.quants)
    assert {quant.warehouse for quant in world.quants} == {1, 2, 3}
    assert all(move.expected > NOW for move in world.incoming)


def test_order_totals_are_their_lines(world: World) -> None:
    french = {company.number for company in world.companies if company.addresses[0].country == "FR"}
    for order in world.orders:
        untaxed = sum((_net(line, line.quantity) for line in order.lines), Decimal(0))
        rate = Decimal("0.2") if order.company in french else Decimal(0)
        assert (order.untaxed, order.tax) == (untaxed, _cents(untaxed * rate))
        assert order.total == order.untaxed + order.tax


def test_orders_are_in_every_state_and_in_order_of_time(world: World) -> None:
    states = Counter((order.state, order.locked) for order in world.orders)
    assert states.keys() == {
        ("draft", False), ("sent", False), ("sale", False), ("sale", True), ("cancel", False),
    }  # fmt: skip
    placed = [order.placed for order in world.orders]
    assert placed == sorted(placed)
    assert placed[-1] < NOW


def test_delivered_quantities_are_those_of_done_deliveries(world: World) -> None:
    moved: Counter[tuple[int, int]] = Counter()
    for delivery in world.deliveries:
        assert (delivery.done is not None) is (delivery.state == "done")
        for line in delivery.lines if delivery.state == "done" else ():
            moved[delivery.order, line.item] += int(line.quantity)
    for order in world.orders:
        for line in order.lines:
            if line.item is not None:
                assert line.delivered == moved[order.id, line.item]
                assert line.invoiced in {Decimal(0), line.delivered}
                assert line.delivered <= line.quantity


def test_some_orders_are_delivered_in_part(world: World) -> None:
    part = [
        order
        for order in world.orders
        if any(0 < line.delivered < line.quantity for line in order.lines)
    ]
    assert len(part) > 20


def test_invoices_are_what_was_delivered(world: World) -> None:
    orders = {order.id: order for order in world.orders}
    for invoice in world.invoices:
        order = orders[invoice.order]
        net = sum((_net(line, line.delivered) for line in order.lines), Decimal(0))
        gross = net + (_cents(net * Decimal("0.2")) if order.tax else Decimal(0))
        assert invoice.company == order.company
        assert 0 <= invoice.residual <= invoice.total <= gross
        if invoice.move_type == "out_invoice":
            assert invoice.total == gross


def test_invoices_are_in_every_state_and_numbered_without_gaps(world: World) -> None:
    states = {(invoice.state, invoice.payment_state) for invoice in world.invoices}
    assert {("draft", "not_paid"), ("cancel", "not_paid")} < states
    assert {state[1] for state in states} == {
        "not_paid", "in_payment", "paid", "partial", "reversed",
    }  # fmt: skip
    overdue = [row for row in world.invoices if row.residual and row.due < NOW.date()]
    assert overdue
    for prefix in ("INV/2026/", "RINV/2026/"):
        numbers = [row.number for row in world.invoices if row.number.startswith(prefix)]
        assert numbers == [f"{prefix}{place:05d}" for place in range(1, len(numbers) + 1)]


def test_tracking_numbers_are_of_the_carriers_form(world: World) -> None:
    assert len({parcel.number for parcel in world.parcels}) == len(world.parcels)
    tracked = {row.tracking_number for row in world.deliveries if row.tracking_number}
    assert tracked == {parcel.number for parcel in world.parcels}
    for parcel in world.parcels:
        if parcel.carrier == "ups":
            assert parcel.number.startswith("1Z")
            assert len(parcel.number) == 18
        else:
            assert parcel.number.isdigit()
            assert 10 <= len(parcel.number) <= 20


def test_parcels_have_reached_every_stage(world: World) -> None:
    last = {parcel.events[-1].stage for parcel in world.parcels}
    assert last == {
        "announced", "handed_over", "transit", "customs", "out_for_delivery", "pickup_point",
        "delivered", "exception", "returned",
    }  # fmt: skip
    for parcel in world.parcels:
        moments = [event.at for event in parcel.events]
        assert moments == sorted(moments)
        assert moments[-1] <= NOW


def test_the_demo_customer_fills_a_page_of_twenty_orders(world: World) -> None:
    own = _own_orders(world)
    assert len(own) >= 25
    page = own[-20:]
    assert all(sum(line.item is not None for line in order.lines) == 5 for order in page)
    numbers = {order.id for order in page}
    tracked = [row for row in world.deliveries if row.order in numbers and row.tracking_number]
    assert len(tracked) >= 12
    assert {row.carrier for row in tracked} == {"dhl", "ups"}


def test_the_example_order_tells_the_story(world: World) -> None:
    order = next(order for order in world.orders if order.number == world.examples.order)
    assert order.company == world.examples.customer
    goods = [line for line in order.lines if line.item is not None]
    assert len(goods) == 5
    assert _example(world).erp_id in {line.item for line in goods}
    parcel = next(row for row in world.parcels if row.number == world.examples.tracking_number)
    delivery = next(row for row in world.deliveries if row.id == parcel.delivery)
    assert delivery.order == order.id
    assert parcel.events[-1].stage == "out_for_delivery"


def test_the_example_product_has_everything(world: World) -> None:
    item = _example(world)
    assert item.model == "VIS-HEX-A2"
    assert all(item.associations[kind] for kind in (
        "X_SELL", "UPSELL", "SUBSTITUTION", "ACCESSORY", "SPARE_PART", "PACK"))  # fmt: skip
    assert {quant.warehouse for quant in world.quants if quant.item == item.erp_id} == {1, 2, 3}
    assert sum(move.item == item.erp_id for move in world.incoming) == 2
    company = next(row for row in world.companies if row.number == world.examples.customer)
    tiers = [
        rule
        for rule in world.price_rules
        if rule.pricelist_id == company.pricelist_id and rule.product_id == item.erp_id
    ]
    assert len({rule.min_quantity for rule in tiers}) == 4


def test_the_example_category_has_a_page_of_products(world: World) -> None:
    below = {world.examples.category}
    for category in world.categories:
        if category.parent in below:
            below.add(category.code)
    assert sum(not below.isdisjoint(item.categories) for item in world.items) >= 24
