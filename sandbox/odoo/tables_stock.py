"""Warehouses, locations, what lies there, what moves, and the deliveries of orders."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sandbox.odoo.forms import Ids, moment, number, stamps, text
from sandbox.odoo.models_stock import (
    CARRIER,
    LOCATION,
    MOVE,
    PICKING,
    PICKING_TYPE,
    QUANT,
    ROUTE,
    RULE,
    TO_ORDER,
    WAREHOUSE,
)
from sandbox.odoo.schema import Row
from sandbox.odoo.store import Store
from sandbox.odoo.tables_reference import key_of
from sandbox.world import Delivery, Warehouse, World

_CARRIERS = {
    "dhl": ("DHL", "https://www.dhl.com/global-en/home/tracking.html?tracking-id=<shipmenttrackingnumber>"),
    "ups": ("UPS", "https://www.ups.com/track?tracknum=<shipmenttrackingnumber>"),
    None: ("Own van", ""),
}  # fmt: skip
_SHELVED = 7
"Every 7th holding lies partly on a shelf below the stock location, as in a real warehouse."


@dataclass(frozen=True, slots=True)
class Places:
    """Location ids by role, and the picking types of each warehouse."""

    vendors: int
    customers: int
    stock: Mapping[int, int]
    shelf: Mapping[int, int]
    types: Mapping[tuple[int, str], int]


def load(store: Store, world: World) -> None:
    places = _places(store, world)
    store.add(CARRIER, _carriers(store, world))
    _add_routes(store, world, places)
    moves = Ids(line.id for delivery in world.deliveries for line in delivery.lines)
    pickings = Ids(delivery.id for delivery in world.deliveries)
    store.add(PICKING)
    store.add(MOVE)
    for delivery in world.deliveries:
        _add_delivery(store, world, places, delivery)
    _add_receipts(store, world, places, (pickings, moves))
    store.add(QUANT, _quants(world, places))


def _places(store: Store, world: World) -> Places:
    ids = Ids(warehouse.location_id for warehouse in world.warehouses)
    magic = stamps(world.now)
    table = store.add(LOCATION)

    def place(key: int, name: str, usage: str, parent: int = 0, warehouse: int = 0) -> int:
        above = table.rows.get(parent, {})
        prefix = f"{above['complete_name']}/" if above else ""
        table.add({
            "id": key, "name": name, "usage": usage, "active": True,
            "complete_name": f"{prefix}{name}", "location_id": parent or False,
            "parent_path": f"{above.get('parent_path', '')}{key}/",
            "warehouse_id": warehouse or False, "company_id": 1 if warehouse else False, **magic,
        })  # fmt: skip
        return key

    partners = place(ids.fresh(), "Partners", "view")
    vendors = place(ids.fresh(), "Vendors", "supplier", partners)
    customers = place(ids.fresh(), "Customers", "customer", partners)
    stock, shelf, views = {}, {}, {}
    for house in world.warehouses:
        views[house.id] = place(ids.fresh(), house.code, "view", 0, house.id)
        stock[house.id] = place(house.location_id, "Stock", "internal", views[house.id], house.id)
        shelf[house.id] = place(ids.fresh(), "Shelf 1", "internal", house.location_id, house.id)
    store.add(WAREHOUSE, [_warehouse(store, h, views[h.id], magic) for h in world.warehouses])
    return Places(vendors, customers, stock, shelf, _picking_types(store, world))


def _warehouse(store: Store, house: Warehouse, view: int, magic: Row) -> Row:
    partners = store["res.partner"]
    key = max(partners.rows) + 1
    partners.add({
        "id": key, "name": house.name, "complete_name": house.name, "is_company": True,
        "type": "contact", "active": True, "commercial_partner_id": key, "city": house.name,
        "country_id": key_of(store, "res.country", house.country, "code"),
        "country_code": house.country, "lang": "en_US", **magic,
    })  # fmt: skip
    return {"id": house.id, "name": house.name, "code": house.code, "active": True,
            "company_id": 1, "partner_id": key, "view_location_id": view,
            "lot_stock_id": house.location_id, "sequence": 10, **magic}  # fmt: skip


def _picking_types(store: Store, world: World) -> dict[tuple[int, str], int]:
    kinds = (("outgoing", "Delivery Orders", "OUT"), ("incoming", "Receipts", "IN"))
    table = store.add(PICKING_TYPE)
    keys: dict[tuple[int, str], int] = {}
    for house in world.warehouses:
        for code, name, prefix in kinds:
            keys[house.id, code] = key = len(keys) + 1
            table.add({"id": key, "name": name, "code": code, "sequence_code": prefix,
                       "warehouse_id": house.id, "company_id": 1, "active": True,
                       **stamps(world.now)})  # fmt: skip
    return keys


def _carriers(store: Store, world: World) -> list[Row]:
    product = key_of(store, "product.product", "service", "type")
    return [
        {"id": key, "name": name, "active": True, "sequence": 10, "delivery_type": "fixed",
         "company_id": False, "product_id": product, "tracking_url": text(url),
         **stamps(world.now)}
        for key, (name, url) in enumerate(_CARRIERS.values(), 1)
    ]  # fmt: skip


def _add_routes(store: Store, world: World, places: Places) -> None:
    magic = stamps(world.now)
    store.add(ROUTE, [{"id": TO_ORDER, "name": "Replenish on Order (MTO)", "active": True,
                       "sequence": 5, "product_selectable": True, **magic}])  # fmt: skip
    store.add(RULE, [{"id": 1, "name": "Stock → Customers (MTO)", "active": True, "sequence": 20,
                      "action": "pull", "procure_method": "make_to_order", "route_id": TO_ORDER,
                      "location_dest_id": places.customers, "company_id": 1, **magic}])  # fmt: skip


def carrier_id(code: str | None) -> int:
    return list(_CARRIERS).index(code) + 1


def _house_of(world: World, number_: str) -> Warehouse:
    """The warehouse that a delivery number names (`LYO/OUT/00042`), else the first."""
    prefix = number_.partition("/")[0]
    return next((h for h in world.warehouses if h.code == prefix), world.warehouses[0])


def _add_delivery(store: Store, world: World, places: Places, delivery: Delivery) -> None:
    order = store["sale.order"].rows[delivery.order]
    house = _house_of(world, delivery.number)
    url = _CARRIERS[delivery.carrier][1]
    tracking = text(delivery.tracking_number)
    common = {
        "origin": order["name"],
        "state": delivery.state,
        "company_id": 1,
        "partner_id": order["partner_shipping_id"],
        "location_id": places.stock[house.id],
        "location_dest_id": places.customers,
        "picking_type_id": places.types[house.id, "outgoing"],
        "date_deadline": order["commitment_date"],
        **stamps(delivery.scheduled, delivery.done or delivery.scheduled),
    }
    store["stock.picking"].add({
        **common, "id": delivery.id, "name": delivery.number, "priority": "0",
        "scheduled_date": moment(delivery.scheduled), "date_done": moment(delivery.done),
        "picking_type_code": "outgoing", "sale_id": order["id"], "user_id": 2,
        "carrier_id": carrier_id(delivery.carrier), "carrier_tracking_ref": tracking,
        "carrier_tracking_url": bool(url and tracking)
        and url.replace("<shipmenttrackingnumber>", tracking),
    })  # fmt: skip
    sold = {store["sale.order.line"].rows[key]["product_id"]: key
            for key in reversed(store["sale.order.line"].index("order_id").get(order["id"], []))}  # fmt: skip
    for line in delivery.lines:
        store["stock.move"].add({
            **common, **_moved(store, line.item, number(line.quantity), delivery.state),
            "id": line.id, "sequence": 10, "reference": delivery.number,
            "date": moment(delivery.done or delivery.scheduled), "picking_code": "outgoing",
            "picking_id": delivery.id, "warehouse_id": house.id,
            "sale_line_id": sold.get(line.item, False),
        })  # fmt: skip


def _moved(store: Store, item: int, quantity: float, state: str) -> Row:
    product = store["product.product"].rows[item]
    return {
        "product_id": item,
        "product_uom": product["uom_id"],
        "product_uom_qty": quantity,
        "product_qty": quantity,
        "quantity": quantity if state in {"assigned", "done"} else 0.0,
        "picked": state == "done",
    }


def _add_receipts(store: Store, world: World, places: Places, ids: tuple[Ids, Ids]) -> None:
    codes = {house.id: house.code for house in world.warehouses}
    for move in world.incoming:
        picking, key = ids[0].fresh(), ids[1].fresh()
        name = f"{codes[move.warehouse]}/IN/{move.id:05d}"
        common = {
            "origin": f"P{move.id:05d}", "state": "assigned", "company_id": 1,
            "location_id": places.vendors, "location_dest_id": places.stock[move.warehouse],
            "picking_type_id": places.types[move.warehouse, "incoming"],
            "date_deadline": moment(move.expected), **stamps(world.now),
        }  # fmt: skip
        store["stock.picking"].add({
            **common, "id": picking, "name": name, "priority": "0", "date_done": False,
            "scheduled_date": moment(move.expected), "picking_type_code": "incoming",
        })  # fmt: skip
        store["stock.move"].add({
            **common, **_moved(store, move.item, number(move.quantity), "assigned"),
            "id": key, "sequence": 10, "reference": name, "date": moment(move.expected),
            "picking_code": "incoming", "picking_id": picking, "warehouse_id": move.warehouse,
        })  # fmt: skip


def _quants(world: World, places: Places) -> Iterator[Row]:
    ids = Ids(quant.id for quant in world.quants)
    for quant in world.quants:
        free = quant.quantity - quant.reserved
        shelved = free // 2 if quant.id % _SHELVED == 0 else free * 0
        row = {"product_id": quant.item, "company_id": 1, "in_date": moment(world.now),
               **stamps(world.now)}  # fmt: skip
        yield {**row, "id": quant.id, "location_id": places.stock[quant.warehouse],
               "quantity": number(quant.quantity - shelved),
               "reserved_quantity": number(quant.reserved)}  # fmt: skip
        if shelved:
            yield {**row, "id": ids.fresh(), "location_id": places.shelf[quant.warehouse],
                   "quantity": number(shelved), "reserved_quantity": 0.0}  # fmt: skip
    for item, quantity in _shipped(world.deliveries).items():
        yield {"id": ids.fresh(), "product_id": item, "company_id": 1, "reserved_quantity": 0.0,
               "location_id": places.customers, "quantity": quantity,
               "in_date": moment(world.now), **stamps(world.now)}  # fmt: skip


def _shipped(deliveries: Iterable[Delivery]) -> dict[int, float]:
    """What customers hold by now: such quants are no stock, though they are quants."""
    totals: dict[int, float] = {}
    for delivery in deliveries:
        for line in delivery.lines if delivery.state == "done" else ():
            totals[line.item] = totals.get(line.item, 0.0) + number(line.quantity)
    return totals
