"""The models of stock and delivery."""

from typing import Any

from sandbox.odoo.schema import Model, Row, fields
from sandbox.odoo.store import Env


def _of(env: Env, model: str, key: Any) -> Row:
    return env.store[model].rows[key]


def _product(env: Env, row: Row) -> Row:
    return _of(env, "product.product", row["product_id"])


_STATES = (
    "draft=Draft, waiting=Waiting Another Operation, confirmed=Waiting, assigned=Ready, "
    "done=Done, cancel=Cancelled"
)
TO_ORDER = 1
"The route of products that are procured per order."

ROUTE = Model(
    "stock.route",
    "Inventory Routes",
    fields("""
name | char | Route | required translate
active | boolean | Active
sequence | integer | Sequence
product_selectable | boolean | Applicable on Product
company_id | many2one res.company | Company
rule_ids | one2many stock.rule route_id | Rules
"""),
    order="sequence, id",
)
RULE = Model(
    "stock.rule",
    "Stock Rule",
    fields("""
name | char | Name | required
active | boolean | Active
sequence | integer | Sequence
action | selection pull=Pull From, push=Push To, pull_push=Pull & Push | Action
procure_method | selection make_to_stock=Take From Stock, make_to_order=Trigger Another Rule, mts_else_mto=Take From Stock or Trigger Another Rule | Supply Method
route_id | many2one stock.route | Route
location_dest_id | many2one stock.location | Destination Location
company_id | many2one res.company | Company
"""),
    order="sequence, id",
)
WAREHOUSE = Model(
    "stock.warehouse",
    "Warehouse",
    fields("""
name | char | Warehouse | required
code | char | Short Name | required
active | boolean | Active
company_id | many2one res.company | Company
partner_id | many2one res.partner | Address
view_location_id | many2one stock.location | View Location
lot_stock_id | many2one stock.location | Location Stock
sequence | integer | Sequence
"""),
    order="sequence, id",
    searched=("name", "code"),
)
LOCATION = Model(
    "stock.location",
    "Inventory Locations",
    fields("""
name | char | Location Name | required
complete_name | char | Full Location Name
active | boolean | Active
usage | selection supplier=Vendor, view=Virtual, internal=Internal, customer=Customer, inventory=Inventory Loss, production=Production, transit=Transit | Location Type
location_id | many2one stock.location | Parent Location
child_ids | one2many stock.location location_id | Contains
parent_path | char | Parent Path
warehouse_id | many2one stock.warehouse | Warehouse
company_id | many2one res.company | Company
barcode | char | Barcode
"""),
    order="complete_name, id",
    parent="location_id",
    searched=("complete_name", "barcode"),
    label=lambda _env, row: row["complete_name"],
)
PICKING_TYPE = Model(
    "stock.picking.type",
    "Picking Type",
    fields("""
name | char | Operation Type | required
code | selection incoming=Receipt, outgoing=Delivery, internal=Internal Transfer | Type of Operation
sequence_code | char | Sequence Prefix
warehouse_id | many2one stock.warehouse | Warehouse
company_id | many2one res.company | Company
active | boolean | Active
"""),
    label=lambda env, row: f"{env.label('stock.warehouse', row['warehouse_id'])}: {row['name']}",
)
QUANT = Model(
    "stock.quant",
    "Quants",
    fields("""
product_id | many2one product.product | Product | required
product_tmpl_id | many2one product.template | Product Template | computed
product_uom_id | many2one uom.uom | Unit | computed
product_categ_id | many2one product.category | Product Category | computed
company_id | many2one res.company | Company
location_id | many2one stock.location | Location | required
warehouse_id | many2one stock.warehouse | Warehouse | computed
quantity | float | Quantity
reserved_quantity | float | Reserved Quantity
available_quantity | float | Available Quantity | computed
in_date | datetime | Incoming Date
"""),
    searched=(),
    label=lambda env, row: env.label("stock.location", row["location_id"]),
    computes={
        "available_quantity": lambda _env, row: row["quantity"] - row["reserved_quantity"],
        "warehouse_id": lambda env, row: _of(env, "stock.location", row["location_id"])[
            "warehouse_id"
        ],
        "product_tmpl_id": lambda env, row: _product(env, row)["product_tmpl_id"],
        "product_uom_id": lambda env, row: _product(env, row)["uom_id"],
        "product_categ_id": lambda env, row: _product(env, row)["categ_id"],
    },
)
MOVE = Model(
    "stock.move",
    "Stock Move",
    fields("""
reference | char | Reference
sequence | integer | Sequence
origin | char | Source Document
state | selection draft=New, waiting=Waiting Another Move, confirmed=Waiting, partially_available=Partially Available, assigned=Available, done=Done, cancel=Cancelled | Status
date | datetime | Date Scheduled
date_deadline | datetime | Deadline
company_id | many2one res.company | Company
product_id | many2one product.product | Product | required
product_tmpl_id | many2one product.template | Product Template | computed
description_picking | text | Description Of Picking
product_uom | many2one uom.uom | Unit
product_uom_qty | float | Demand
product_qty | float | Real Quantity
quantity | float | Quantity
picked | boolean | Picked
location_id | many2one stock.location | Source Location
location_dest_id | many2one stock.location | Intermediate Location
warehouse_id | many2one stock.warehouse | Warehouse
partner_id | many2one res.partner | Destination Address
picking_id | many2one stock.picking | Transfer
picking_type_id | many2one stock.picking.type | Operation Type
picking_code | selection incoming=Receipt, outgoing=Delivery, internal=Internal Transfer | Type of Operation
sale_line_id | many2one sale.order.line | Sale Line
"""),
    order="sequence, id",
    searched=("reference",),
    label=lambda _env, row: row["reference"],
    computes={"product_tmpl_id": lambda env, row: _product(env, row)["product_tmpl_id"]},
)
PICKING = Model(
    "stock.picking",
    "Transfer",
    fields(f"""
name | char | Reference
origin | char | Source Document
note | html | Notes
state | selection {_STATES} | Status
priority | selection 0=Normal, 1=Urgent | Priority
scheduled_date | datetime | Scheduled Date
date_deadline | datetime | Deadline
date_done | datetime | Date of Transfer
company_id | many2one res.company | Company
partner_id | many2one res.partner | Contact
user_id | many2one res.users | Responsible
location_id | many2one stock.location | Source Location
location_dest_id | many2one stock.location | Destination Location
picking_type_id | many2one stock.picking.type | Operation Type
picking_type_code | selection incoming=Receipt, outgoing=Delivery, internal=Internal Transfer | Type of Operation
move_ids | one2many stock.move picking_id | Stock Moves
backorder_id | many2one stock.picking | Back Order of
backorder_ids | one2many stock.picking backorder_id | Back Orders
return_id | many2one stock.picking | Return of
sale_id | many2one sale.order | Sales Order
carrier_id | many2one delivery.carrier | Carrier
carrier_price | float | Shipping Cost
carrier_tracking_ref | char | Tracking Reference
carrier_tracking_url | char | Tracking URL
weight | float | Weight
"""),
    order="priority desc, scheduled_date, id desc",
    searched=("name", "origin"),
)
CARRIER = Model(
    "delivery.carrier",
    "Delivery Methods",
    fields("""
name | char | Delivery Method | required translate
active | boolean | Active
sequence | integer | Sequence
delivery_type | selection base_on_rule=Based on Rules, fixed=Fixed Price | Provider
company_id | many2one res.company | Company
product_id | many2one product.product | Delivery Product
tracking_url | char | Tracking Link
"""),
    order="sequence, id",
)
