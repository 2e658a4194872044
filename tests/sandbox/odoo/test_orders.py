"""Orders, deliveries, invoices and customers tell the world's facts, with Odoo's derived statuses."""

from collections.abc import Iterable
from typing import Any

from sandbox.world import Delivery, World


def _expected_status(deliveries: Iterable[Delivery], *, delivered: bool) -> Any:
    states = {delivery.state for delivery in deliveries}
    if states <= {"cancel"}:
        return False
    if states <= {"done", "cancel"}:
        return "full"
    if "done" not in states:
        return "pending"
    return "partial" if delivered else "started"


async def test_every_order_has_the_status_of_its_deliveries(erp: Any) -> None:
    world: World = erp.world
    by_order: dict[int, list[Delivery]] = {}
    for delivery in world.deliveries:
        by_order.setdefault(delivery.order, []).append(delivery)
    fields = ["delivery_status", "picking_ids", "state", "locked", "effective_date"]

    rows = await erp.call("sale.order/search_read", fields=fields, order="id")

    seen = set()
    for row, order in zip(rows, sorted(world.orders, key=lambda o: o.id), strict=True):
        mine = by_order.get(order.id, [])
        delivered = any(line.delivered for line in order.lines)
        assert row["delivery_status"] == _expected_status(mine, delivered=delivered)
        assert set(row["picking_ids"]) == {delivery.id for delivery in mine}
        assert (row["state"], row["locked"]) == (order.state, order.locked)
        dates = [d.done.strftime("%Y-%m-%d %H:%M:%S") for d in mine if d.done]
        assert row["effective_date"] == min(dates, default=False)
        seen.add(row["delivery_status"])
    assert seen >= {False, "pending", "partial", "full"}


async def test_the_lines_add_up_to_the_order(erp: Any) -> None:
    specification = {
        "amount_untaxed": {},
        "amount_tax": {},
        "amount_total": {},
        "order_line": {"fields": {"price_subtotal": {}, "price_tax": {}}},
    }

    answer = await erp.call("sale.order/web_search_read", domain=[], specification=specification)

    for row in answer["records"]:
        net = sum(line["price_subtotal"] for line in row["order_line"])
        assert abs(net - row["amount_untaxed"]) < 0.005, row
        # The tax is rounded per line here, per order there.
        tax = sum(line["price_tax"] for line in row["order_line"])
        assert abs(tax - row["amount_tax"]) <= 0.005 * len(row["order_line"]) + 0.001
        assert abs(row["amount_untaxed"] + row["amount_tax"] - row["amount_total"]) < 0.005


async def test_a_line_is_told_in_odoos_words(erp: Any) -> None:
    world: World = erp.world
    order = next(o for o in world.orders if any(line.is_delivery for line in o.lines))
    freight = next(line for line in order.lines if line.is_delivery)
    goods = next(line for line in order.lines if line.item)
    fields = ["product_id", "product_uom_id", "product_uom_qty", "price_unit", "discount",
              "qty_delivered", "qty_invoiced", "is_delivery", "display_type", "name"]  # fmt: skip

    sold, shipping = await erp.call(
        "sale.order.line/read", ids=[goods.id, freight.id], fields=fields
    )

    assert sold["product_id"][0] == goods.item
    assert sold["product_uom_id"][1] == goods.unit
    assert sold["product_uom_qty"] == float(goods.quantity)
    assert sold["qty_delivered"] == float(goods.delivered)
    assert sold["price_unit"] == float(goods.price)
    assert sold["discount"] == float(goods.discount)
    assert sold["display_type"] is sold["is_delivery"] is False
    assert shipping["is_delivery"] is True
    assert shipping["name"] == freight.description
    (service,) = await erp.call(
        "product.product/read", ids=[shipping["product_id"][0]], fields=["type", "is_storable"]
    )
    assert (service["type"], service["is_storable"]) == ("service", False)


async def test_what_was_delivered_is_what_moved(erp: Any) -> None:
    lines = await erp.call(
        "sale.order.line/web_search_read",
        domain=[["qty_delivered", ">", 0], ["qty_delivered_method", "=", "stock_move"]],
        specification={
            "qty_delivered": {},
            "move_ids": {"fields": {"state": {}, "quantity": {}, "picking_code": {}}},
        },
    )

    assert lines["length"] > 1000
    for line in lines["records"]:
        moved = sum(move["quantity"] for move in line["move_ids"] if move["state"] == "done")
        assert moved == line["qty_delivered"]


async def test_invoice_status_follows_quantities(erp: Any) -> None:
    rows = await erp.call(
        "sale.order/search_read", fields=["invoice_status", "state", "invoice_ids"]
    )

    assert {row["invoice_status"] for row in rows} >= {"no", "invoiced"}
    assert all(row["invoice_status"] == "no" for row in rows if row["state"] != "sale")
    assert all(row["invoice_ids"] for row in rows if row["invoice_status"] == "invoiced")


async def test_a_delivery_names_its_carrier_and_tracking(erp: Any) -> None:
    world: World = erp.world
    sent = next(d for d in world.deliveries if d.tracking_number == world.examples.tracking_number)

    (row,) = await erp.call(
        "stock.picking/search_read",
        domain=[["carrier_tracking_ref", "=", sent.tracking_number]],
        fields=["name", "sale_id", "carrier_id", "carrier_tracking_url", "state", "date_done",
                "picking_type_code", "origin", "move_ids"],
    )  # fmt: skip

    order = next(o for o in world.orders if o.id == sent.order)
    assert row["name"] == sent.number
    assert row["sale_id"] == [order.id, order.number]
    assert row["origin"] == order.number
    assert row["carrier_id"][1].lower() == sent.carrier
    assert sent.tracking_number in row["carrier_tracking_url"]
    assert row["picking_type_code"] == "outgoing"
    assert set(row["move_ids"]) == {line.id for line in sent.lines}


async def test_our_own_van_has_no_tracking(erp: Any) -> None:
    (row, *_) = await erp.call(
        "stock.picking/search_read",
        domain=[["carrier_id.name", "=", "Own van"]],
        fields=["carrier_tracking_ref", "carrier_tracking_url"],
    )

    assert row["carrier_tracking_ref"] is row["carrier_tracking_url"] is False


async def test_invoices_link_to_orders_both_ways(erp: Any) -> None:
    world: World = erp.world
    invoice = next(i for i in world.invoices if i.state == "posted")
    fields = ["name", "invoice_origin", "payment_state", "amount_total", "amount_residual",
              "invoice_date", "invoice_date_due", "commercial_partner_id", "move_type",
              "invoice_line_ids"]  # fmt: skip

    (row,) = await erp.call("account.move/read", ids=[invoice.id], fields=fields)

    order = next(o for o in world.orders if o.id == invoice.order)
    company = next(c for c in world.companies if c.number == invoice.company)
    assert row["invoice_origin"] == order.number
    assert row["invoice_date"] == invoice.issued.isoformat()
    assert row["invoice_date_due"] == invoice.due.isoformat()
    assert row["amount_total"] == float(invoice.total)
    assert row["amount_residual"] == float(invoice.residual)
    assert row["commercial_partner_id"] == [company.erp_id, company.name]
    linked = await erp.call(
        "account.move/search",
        domain=[["invoice_line_ids.sale_line_ids.order_id.name", "=", order.number]],
    )
    (back,) = await erp.call("sale.order/read", ids=[order.id], fields=["invoice_ids"])
    assert invoice.id in back["invoice_ids"]
    assert set(linked) == set(back["invoice_ids"])


async def test_refunds_are_negative_only_when_signed(erp: Any) -> None:
    (row, *_) = await erp.call(
        "account.move/search_read",
        domain=[["move_type", "=", "out_refund"], ["state", "=", "posted"]],
        fields=["amount_total", "amount_total_signed"],
    )

    assert row["amount_total"] > 0 > row["amount_total_signed"]


async def test_receivables_add_up_in_the_companys_currency(erp: Any) -> None:
    world: World = erp.world
    rate = {"EUR": 1.0, **{name: float(value) for name, value in world.currency_rates.items()}}
    partners = await erp.call(
        "res.partner/search_read", domain=[["ref", "!=", False]],
        fields=["ref", "credit", "credit_limit", "use_partner_credit_limit", "sale_warn_msg"],
    )  # fmt: skip

    companies = {company.number: company for company in world.companies}
    for row in partners:
        company = companies[row["ref"]]
        owed = 0.0
        for invoice in world.invoices:
            if invoice.company == company.number and invoice.state == "posted":
                sign = -1 if invoice.move_type == "out_refund" else 1
                owed += sign * float(invoice.residual) / rate[invoice.currency]
        assert abs(row["credit"] - owed) < 0.05
        assert row["use_partner_credit_limit"] is (company.credit_limit is not None)
        assert row["credit_limit"] == float(company.credit_limit or 0)
        assert bool(row["sale_warn_msg"]) is company.blocked


async def test_a_customer_has_addresses_and_contacts(erp: Any) -> None:
    company = erp.world.companies[0]

    (row,) = await erp.call(
        "res.partner/web_read",
        ids=[company.erp_id],
        specification={
            "type": {},
            "country_code": {},
            "company_type": {},
            "child_ids": {"fields": {"type": {}, "name": {}, "ref": {}, "parent_id": {}}},
        },
    )

    assert row["company_type"] == "company"
    kinds = {child["id"]: child["type"] for child in row["child_ids"]}
    for address in company.addresses:
        if address.id != company.erp_id:
            assert kinds[address.id] == address.kind
    assert {contact.id for contact in company.contacts} <= kinds.keys()
    assert all(child["parent_id"] == company.erp_id for child in row["child_ids"])


async def test_the_order_history_of_a_customer_in_one_call(erp: Any) -> None:
    world: World = erp.world
    mine = [o for o in world.orders if o.company == world.examples.customer]

    answer = await erp.call(
        "sale.order/web_search_read",
        domain=[["partner_id.commercial_partner_id.ref", "=", world.examples.customer]],
        specification={
            "name": {},
            "partner_id": {"fields": {"ref": {}}},
            "currency_id": {"fields": {"name": {}}},
            "order_line": {"fields": {"product_id": {"fields": {"default_code": {}}}}},
            "picking_ids": {"fields": {"carrier_tracking_ref": {}, "state": {}}},
        },
        limit=20,
        order="date_order desc, id desc",
    )

    assert answer["length"] == len(mine)
    newest = sorted(mine, key=lambda o: (o.placed, o.id), reverse=True)[:20]
    assert [row["name"] for row in answer["records"]] == [order.number for order in newest]
    skus = {item.erp_id: item.sku for item in world.items}
    for row, order in zip(answer["records"], newest, strict=True):
        told = [line["product_id"]["default_code"] for line in row["order_line"]]
        assert [sku for sku in told if sku in skus.values()] == [
            skus[line.item] for line in order.lines if line.item
        ]
