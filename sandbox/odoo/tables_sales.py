"""Orders with their lines, and the statuses that the real server derives from deliveries and invoices."""

from typing import Any

from sandbox.odoo.forms import Ids, moment, number, stamps, text
from sandbox.odoo.models_sales import INVOICE, INVOICE_LINE, LINE, ORDER
from sandbox.odoo.pricing import rounded
from sandbox.odoo.schema import Row
from sandbox.odoo.store import Store
from sandbox.odoo.tables_reference import key_of, tax_rate
from sandbox.world import Company, Invoice, Order, OrderLine, World


def load(store: Store, world: World) -> None:
    """Orders and lines as placed; `settle` adds what deliveries and invoices make of them."""
    companies = {company.number: company for company in world.companies}
    orders, lines = store.add(ORDER), store.add(LINE)
    for order in world.orders:
        row = _order(store, order, companies[order.company])
        orders.add(row)
        tax = key_of(store, "account.tax", f"{tax_rate(order.untaxed, order.tax):g}%")
        for place, line in enumerate(order.lines):
            lines.add(_line(store, row, line, (10 + place, tax)))


def _order(store: Store, order: Order, company: Company) -> Row:
    currency = key_of(store, "res.currency", order.currency)
    return {
        "id": order.id,
        "name": order.number,
        "state": order.state,
        "locked": order.locked,
        "client_order_ref": text(order.purchase_order_number),
        "date_order": moment(order.placed),
        "commitment_date": moment(order.requested),
        "company_id": 1,
        "partner_id": company.erp_id,
        "partner_invoice_id": order.invoice_address,
        "partner_shipping_id": order.shipping_address,
        "user_id": 2,
        "pricelist_id": company.pricelist_id,
        "currency_id": currency,
        "currency_rate": store["res.currency"].rows[currency]["rate"],
        "payment_term_id": bool(company.payment_terms)
        and key_of(store, "account.payment.term", company.payment_terms),
        "incoterm": bool(company.incoterm)
        and key_of(store, "account.incoterms", company.incoterm, "code"),
        "warehouse_id": 1,
        "amount_untaxed": number(order.untaxed),
        "amount_tax": number(order.tax),
        "amount_total": number(order.total),
        "picking_policy": "direct",
        **stamps(order.placed, order.updated),
    }


def _line(store: Store, order: Row, line: OrderLine, terms: tuple[int, int]) -> Row:
    sequence, tax = terms
    note = line.item is None and not line.is_delivery and not line.price
    row: Row = {
        "id": line.id,
        "order_id": order["id"],
        "sequence": sequence,
        "name": line.description,
        "state": order["state"],
        "company_id": 1,
        "currency_id": order["currency_id"],
        "order_partner_id": order["partner_id"],
        "is_delivery": line.is_delivery,
        "warehouse_id": order["warehouse_id"],
        **{key: order[key] for key in ("create_date", "create_uid", "write_date", "write_uid")},
    }
    if note:
        return row | {"display_type": "line_note", "invoice_status": "no"}
    return row | _sold(store, line) | _amounts(store, line, tax)


def _sold(store: Store, line: OrderLine) -> Row:
    """Shipping costs and other free lines are sold as the one service product."""
    products = store["product.product"]
    product = products.rows[line.item or products.index("type")["service"][0]]
    return {
        "product_id": product["id"],
        "product_template_id": product["product_tmpl_id"],
        "product_uom_id": key_of(store, "uom.uom", line.unit or "Units"),
        "product_uom_qty": number(line.quantity),
        "customer_lead": float(product["sale_delay"]),
        "qty_delivered": number(line.delivered),
        "qty_delivered_method": "manual" if line.item is None else "stock_move",
        "qty_invoiced": number(line.invoiced),
    }


def _amounts(store: Store, line: OrderLine, tax: int) -> Row:
    price, discount = number(line.price), number(line.discount)
    subtotal = rounded(price * (1 - discount / 100) * number(line.quantity), 0.01)
    taxed = rounded(subtotal * store["account.tax"].rows[tax]["amount"] / 100, 0.01)
    return {
        "tax_ids": (tax,),
        "price_unit": price,
        "technical_price_unit": price,
        "discount": discount,
        "price_subtotal": subtotal,
        "price_tax": taxed,
        "price_total": rounded(subtotal + taxed, 0.01),
        "price_reduce_taxexcl": price * (1 - discount / 100),
    }


def load_invoices(store: Store, world: World) -> None:
    store.add(INVOICE, [_invoice(store, invoice) for invoice in world.invoices])
    table, ids = store.add(INVOICE_LINE), Ids([0])
    for invoice in store["account.move"]:
        order = key_of(store, "sale.order", invoice["invoice_origin"])
        for key in store["sale.order.line"].index("order_id").get(order, ()):
            line = store["sale.order.line"].rows[key]
            if line.get("qty_invoiced"):
                table.add(_invoice_line(invoice, line, ids.fresh()))


def _invoice(store: Store, invoice: Invoice) -> Row:
    order = store["sale.order"].rows[invoice.order]
    sign = -1 if invoice.move_type == "out_refund" else 1
    ratio = order["amount_untaxed"] / order["amount_total"] if order["amount_total"] else 1.0
    total, residual = number(invoice.total), number(invoice.residual)
    untaxed = rounded(total * ratio, 0.01)
    currency = key_of(store, "res.currency", invoice.currency)
    rate = store["res.currency"].rows[currency]["rate"]
    return {
        "id": invoice.id,
        "name": invoice.number if invoice.state != "draft" else False,
        "ref": order["client_order_ref"],
        "state": invoice.state,
        "move_type": invoice.move_type,
        "payment_state": invoice.payment_state,
        "date": invoice.issued.isoformat(),
        "invoice_date": invoice.issued.isoformat(),
        "invoice_date_due": invoice.due.isoformat(),
        "invoice_origin": order["name"],
        "payment_reference": invoice.number if invoice.state != "draft" else False,
        "journal_id": 1,
        "company_id": 1,
        "partner_id": order["partner_invoice_id"],
        "commercial_partner_id": order["partner_id"],
        "partner_shipping_id": order["partner_shipping_id"],
        "invoice_user_id": 2,
        "invoice_payment_term_id": order["payment_term_id"],
        "invoice_incoterm_id": order["incoterm"],
        "currency_id": currency,
        "amount_untaxed": untaxed,
        "amount_tax": rounded(total - untaxed, 0.01),
        "amount_total": total,
        "amount_residual": residual,
        "amount_untaxed_signed": rounded(sign * untaxed / rate, 0.01),
        "amount_total_signed": rounded(sign * total / rate, 0.01),
        "amount_residual_signed": rounded(sign * residual / rate, 0.01),
        "amount_total_in_currency_signed": sign * total,
        **{key: order[key] for key in ("create_date", "create_uid", "write_date", "write_uid")},
    }


def _invoice_line(invoice: Row, line: Row, key: int) -> Row:
    taken = ("name", "sequence", "product_id", "product_uom_id", "price_unit", "discount",
             "tax_ids", "company_id", "currency_id")  # fmt: skip
    net = line["price_unit"] * (1 - line["discount"] / 100)
    return {name: line[name] for name in taken} | {
        "id": key,
        "move_id": invoice["id"],
        "display_type": "product",
        "parent_state": invoice["state"],
        "partner_id": invoice["partner_id"],
        "quantity": line["qty_invoiced"],
        "price_subtotal": rounded(net * line["qty_invoiced"], 0.01),
        "sale_line_ids": (line["id"],),
        **{k: invoice[k] for k in ("create_date", "create_uid", "write_date", "write_uid")},
    }


def settle(store: Store) -> None:
    """What the real server computes of an order once its pickings and invoices are linked."""
    billed = store["account.move"].index("invoice_origin")
    for order in store["sale.order"]:
        lines = [store["sale.order.line"].rows[key] for key in order["order_line"]]
        invoices = [store["account.move"].rows[key] for key in billed.get(order["name"], ())]
        pickings = [store["stock.picking"].rows[key] for key in order["picking_ids"]]
        for line in lines:
            line.update(_billing(order, line))
        order.update(_delivery(pickings, lines), **_invoicing(order, lines, invoices))
    for line in store["account.move.line"]:
        for key in line["sale_line_ids"]:
            sold = store["sale.order.line"].rows[key]
            sold["invoice_lines"] = (*sold.get("invoice_lines", ()), line["id"])
    _owe(store)


def _billing(order: Row, line: Row) -> Row:
    if order["state"] != "sale" or line.get("display_type"):
        return {"qty_to_invoice": 0.0, "invoice_status": "no"}
    due = line["qty_delivered"] if line["qty_delivered_method"] == "stock_move" else line["product_uom_qty"]  # fmt: skip
    open_quantity = due - line["qty_invoiced"]
    full = line["qty_invoiced"] >= line["product_uom_qty"]
    status = "to invoice" if open_quantity > 0 else "invoiced" if full else "no"
    return {"qty_to_invoice": open_quantity, "invoice_status": status}


def _delivery(pickings: list[Row], lines: list[Row]) -> dict[str, Any]:
    states = {picking["state"] for picking in pickings}
    if not states - {"cancel"}:
        status: Any = False
    elif states <= {"done", "cancel"}:
        status = "full"
    elif "done" in states:
        status = "partial" if any(line.get("qty_delivered") for line in lines) else "started"
    else:
        status = "pending"
    dates = [picking["date_done"] for picking in pickings if picking["date_done"]]
    return {
        "delivery_status": status,
        "delivery_count": len(pickings),
        "effective_date": min(dates, default=False),
        "carrier_id": next((p["carrier_id"] for p in pickings if p.get("carrier_id")), False),
    }


def _invoicing(order: Row, lines: list[Row], invoices: list[Row]) -> dict[str, Any]:
    statuses = {line["invoice_status"] for line in lines if not line.get("display_type")}
    status = "no"
    if "to invoice" in statuses:
        status = "to invoice"
    elif statuses == {"invoiced"}:
        status = "invoiced"
    posted = sum(i["amount_total_in_currency_signed"] for i in invoices if i["state"] == "posted")
    return {
        "invoice_status": status,
        "invoice_ids": tuple(invoice["id"] for invoice in invoices),
        "invoice_count": len(invoices),
        "amount_invoiced": rounded(posted, 0.01),
        "amount_to_invoice": rounded(order["amount_total"] - posted, 0.01),
    }


def _owe(store: Store) -> None:
    """Receivables per commercial partner, in the company's currency."""
    for invoice in store["account.move"]:
        if invoice["state"] == "posted":
            partner = store["res.partner"].rows[invoice["commercial_partner_id"]]
            owed = partner.get("credit", 0.0) + invoice["amount_residual_signed"]
            billed = partner.get("total_invoiced", 0.0) + invoice["amount_untaxed_signed"]
            partner.update(credit=rounded(owed, 0.01), total_invoiced=rounded(billed, 0.01))
    for partner in store["res.partner"]:
        partner["sale_order_count"] = len(partner["sale_order_ids"])
