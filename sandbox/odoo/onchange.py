"""`sale.order.line/onchange`: what a new order line would cost, without writing one."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.odoo.faults import missing_error, value_error
from sandbox.odoo.pricing import COMPANY_CURRENCY, Ask, Prices, Quote, rounded
from sandbox.odoo.reading import Record, web_read
from sandbox.odoo.schema import Row
from sandbox.odoo.store import Env, translated

Values = Mapping[str, Any]

_VIRTUAL = 0
"The id of the line that is not written."


def line_onchange(
    env: Env, values: Values, field_names: Sequence[str], fields_spec: Mapping[str, Any]
) -> Record:
    """`{"value": {…}}`: what the form would change, in the shape of `web_read`.

    With names of changed fields, what stays as it was (a discount of 0.0, say) is left out as by
    the real server; with none (a first call) every field of `fields_spec` is told.
    """
    line = _line(env, values, quantity=0.0 if field_names else 1.0)
    table = env.store["sale.order.line"]
    for name in fields_spec:
        if name not in table.model.fields:
            raise value_error(f"Invalid field {name!r} on {table.model.name!r}")
    told = web_read(env, table, [line], fields_spec)[0]
    del told["id"]
    if field_names:
        told = {
            name: value
            for name, value in told.items()
            if name not in field_names and value != values.get(name, False) and value != []
        }
    return {"value": told}


def _record_id(value: Any) -> int:
    """A relation in `values`: an id, `{"id": …}`, `[id, label]` or false."""
    if isinstance(value, Mapping):
        value = value.get("id")
    if isinstance(value, list):
        value = value[0] if value else 0
    return int(value or 0)


def _found(env: Env, model: str, value: Any) -> Row | None:
    key = _record_id(value)
    if not key:
        return None
    row = env.store[model].rows.get(key)
    if row is None:
        raise missing_error(model, key)
    return row


def _order(env: Env, value: Any) -> Values:
    """The order's values: of an existing one by id, or of one that the caller describes."""
    if isinstance(value, Mapping) and not value.get("id"):
        return value
    return _found(env, "sale.order", value) or {}


def _pricelist(env: Env, order: Values) -> Row | None:
    if "pricelist_id" in order:
        return _found(env, "product.pricelist", order["pricelist_id"])
    partner = _found(env, "res.partner", order.get("partner_id"))
    return partner and _found(env, "product.pricelist", partner["property_product_pricelist"])


def _currency(env: Env, order: Values, pricelist: Row | None) -> Row:
    chosen = pricelist["currency_id"] if pricelist else order.get("currency_id")
    table = env.store["res.currency"]
    return (
        _found(env, "res.currency", chosen) or table.rows[table.index("name")[COMPANY_CURRENCY][0]]
    )


def _line(env: Env, values: Values, *, quantity: float) -> Row:
    order = _order(env, values.get("order_id"))
    pricelist = _pricelist(env, order)
    currency = _currency(env, order, pricelist)
    partner = _found(env, "res.partner", order.get("partner_id"))
    line: Row = {
        "id": _VIRTUAL,
        "name": values.get("name") or "",
        "order_id": _record_id(values.get("order_id")) or False,
        "order_partner_id": partner["id"] if partner else False,
        "company_id": 1,
        "currency_id": currency["id"],
        "sequence": values.get("sequence", 10),
        "state": "draft",
        "invoice_status": "no",
        "display_type": values.get("display_type") or False,
        "product_uom_qty": float(values.get("product_uom_qty", quantity)),
    }
    product = _found(env, "product.product", values.get("product_id"))
    if product is not None and not line["display_type"]:
        date = order.get("date_order") or env.moment
        line |= _priced(env, line, product, (values, pricelist, currency, date))
    return line


def _priced(
    env: Env, line: Row, product: Row, terms: tuple[Values, Row | None, Row, str]
) -> Record:
    values, pricelist, currency, date = terms
    unit = _found(env, "uom.uom", values.get("product_uom_id") or product["uom_id"]) or {}
    ask = Ask(product, line["product_uom_qty"] or 1.0, unit, date)
    quote = Prices(env).quote(ask, pricelist["id"] if pricelist else None, currency)
    if "price_unit" in values:
        quote = Quote(float(values["price_unit"]), quote.discount, quote.rule)
    subtotal = quote.subtotal(line["product_uom_qty"], currency["decimal_places"])
    tax = _tax(env, product, subtotal, currency)
    return {
        "product_id": product["id"],
        "product_template_id": product["product_tmpl_id"],
        "product_uom_id": unit["id"],
        "name": f"[{product['default_code']}] {translated(env, product['name'])}",
        "price_unit": quote.price_unit,
        "technical_price_unit": quote.price_unit,
        "discount": quote.discount,
        "price_subtotal": subtotal,
        "price_tax": tax,
        "price_total": rounded(subtotal + tax, currency["rounding"]),
        "price_reduce_taxexcl": subtotal / (line["product_uom_qty"] or 1.0),
        "pricelist_item_id": quote.rule["id"] if quote.rule else False,
        "tax_ids": product["taxes_id"],
        "customer_lead": product["sale_delay"],
    }


def _tax(env: Env, product: Row, subtotal: float, currency: Row) -> float:
    taxes = env.store["account.tax"].rows
    rate = sum(taxes[key]["amount"] for key in product["taxes_id"])
    return rounded(subtotal * rate / 100, currency["rounding"])
