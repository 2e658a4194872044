"""An order query as a domain of `sale.order`."""

from connectors.odoo import order_status
from connectors.odoo.order_mapping import Readable
from connectors.odoo.paging import Domain, any_of, literally, storable, written
from ports.orders import OrderQuery, OrderStatus


def condition(query: OrderQuery, readable: Readable) -> Domain | None:
    """None where no order can be meant, so that nothing needs to be asked.

    `placed_after` is inclusive, `placed_before` is not. The buyer's number is compared whole and
    without case. Raises BadInputError for a moment that no calendar holds.
    """
    texts = [query.purchase_order_number, query.sku, query.search]
    if query.customers == () or not all(text is None or storable(text) for text in texts):
        return None
    goods: Domain = [["is_delivery", "=", False]] if "is_delivery" in readable.line else []
    domain = [*_owners(query), *_dates(query), *_texts(query, goods)]
    if query.status is None:
        return domain
    wanted = order_status.matching(query.status) - {OrderStatus.DELIVERED}
    found = order_status.domain(wanted, transfers="picking_ids" in readable.order)
    return [*domain, *found] if found else None


def _owners(query: OrderQuery) -> Domain:
    if query.customers is None:
        return []
    numbers = [number for number in query.customers if storable(number)]
    return [["partner_id.commercial_partner_id.ref", "in", numbers]]


def _dates(query: OrderQuery) -> Domain:
    domain: Domain = []
    if query.placed_after is not None:
        domain.append(["date_order", ">=", written(query.placed_after)])
    if query.placed_before is not None:
        domain.append(["date_order", "<", written(query.placed_before)])
    return domain


def _texts(query: OrderQuery, goods: Domain) -> Domain:
    """`goods` leaves out the lines of freight, which are none to a shop."""
    domain: Domain = []
    if query.purchase_order_number is not None:
        pattern = literally(query.purchase_order_number.strip())
        domain.append(["client_order_ref", "=ilike", pattern])
    if query.sku is not None:
        sold: Domain = [*goods, ["product_id.default_code", "=", query.sku]]
        domain.append(["order_line", "any", sold])
    sought = (query.search or "").strip()
    return [*domain, *_sought(literally(sought), goods)] if sought else domain


def _sought(pattern: str, goods: Domain) -> Domain:
    texts: list[Domain] = [
        [[text, "ilike", pattern]] for text in ("product_id.default_code", "name")
    ]
    line: Domain = [["order_line", "any", [*goods, *any_of(texts)]]]
    return any_of([[["name", "ilike", pattern]], [["client_order_ref", "ilike", pattern]], line])
