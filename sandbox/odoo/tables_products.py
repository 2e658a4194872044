"""Products, templates, categories, price lists and their rules."""

from typing import Any

from sandbox.odoo.forecasts import forecasts
from sandbox.odoo.forms import Ids, moment, number, stamps, text
from sandbox.odoo.models_stock import TO_ORDER
from sandbox.odoo.schema import Model, Row, fields
from sandbox.odoo.store import Env, Store, translated
from sandbox.odoo.tables_reference import key_of
from sandbox.world import Category, Item, PriceRule, World

CATEGORY = Model(
    "product.category",
    "Product Category",
    fields("""
name | char | Name | required
complete_name | char | Complete Name
parent_id | many2one product.category | Parent Category
parent_path | char | Parent Path
child_id | one2many product.category parent_id | Child Categories
"""),
    order="complete_name",
    searched=("complete_name",),
    label=lambda _env, row: row["complete_name"],
)

_COMMON = """
name | char | Name | required translate
default_code | char | Internal Reference
barcode | char | Barcode
active | boolean | Active
sale_ok | boolean | Sales
purchase_ok | boolean | Purchase
type | selection consu=Goods, service=Service, combo=Combo | Product Type | required
is_storable | boolean | Track Inventory
tracking | selection serial=By Unique Serial Number, lot=By Lots, none=By Quantity | Tracking
invoice_policy | selection order=Ordered quantities, delivery=Delivered quantities | Invoicing Policy
list_price | float | Sales Price
standard_price | float | Cost
currency_id | many2one res.currency | Currency
cost_currency_id | many2one res.currency | Cost Currency
company_id | many2one res.company | Company
uom_id | many2one uom.uom | Unit | required
uom_name | char | Unit Name
categ_id | many2one product.category | Product Category
taxes_id | many2many account.tax | Sales Taxes
route_ids | many2many stock.route | Routes
sale_delay | integer | Customer Lead Time
description_sale | text | Sales Description | translate
weight | float | Weight
volume | float | Volume
sequence | integer | Sequence
qty_available | float | Quantity On Hand | computed
virtual_available | float | Forecasted Quantity | computed
incoming_qty | float | Incoming | computed
outgoing_qty | float | Outgoing | computed
"""


def _product_label(env: Env, row: Row) -> str:
    name = translated(env, row["name"]) or ""
    return f"[{row['default_code']}] {name}" if row["default_code"] else name


PRODUCT = Model(
    "product.product",
    "Product Variant",
    fields(f"""{_COMMON}
product_tmpl_id | many2one product.template | Product Template | required
lst_price | float | Sales Price
free_qty | float | Free To Use Quantity | computed
stock_quant_ids | one2many stock.quant product_id | Stock Quant
stock_move_ids | one2many stock.move product_id | Stock Move
is_product_variant | boolean | Is a product variant
"""),
    order="default_code, id",
    searched=("default_code", "name", "barcode"),
    label=_product_label,
    computes={
        name: lambda env, row, n=name: forecasts(env, (row["id"],))[n]  # type: ignore[misc]
        for name in ("qty_available", "virtual_available", "incoming_qty", "outgoing_qty",
                     "free_qty")
    },
)  # fmt: skip
TEMPLATE = Model(
    "product.template",
    "Product",
    fields(f"""{_COMMON}
product_variant_ids | one2many product.product product_tmpl_id | Products
product_variant_id | many2one product.product | Product
product_variant_count | integer | # Product Variants
"""),
    order="name, id",
    searched=("default_code", "name"),
    label=_product_label,
    computes={
        name: lambda env, row, n=name: forecasts(env, row["product_variant_ids"])[n]  # type: ignore[misc]
        for name in ("qty_available", "virtual_available", "incoming_qty", "outgoing_qty")
    },
)
PRICELIST = Model(
    "product.pricelist",
    "Pricelist",
    fields("""
name | char | Pricelist Name | required translate
active | boolean | Active
sequence | integer | Sequence
currency_id | many2one res.currency | Currency | required
company_id | many2one res.company | Company
item_ids | one2many product.pricelist.item pricelist_id | Pricelist Rules
"""),
    order="sequence, id, name",
    label=lambda env, row: f"{row['name']} ({env.label('res.currency', row['currency_id'])})",
)
RULE = Model(
    "product.pricelist.item",
    "Pricelist Rule",
    fields("""
pricelist_id | many2one product.pricelist | Pricelist | required
company_id | many2one res.company | Company
currency_id | many2one res.currency | Currency
name | char | Name | computed
applied_on | selection 3_global=All Products, 2_product_category=Product Category, 1_product=Product, 0_product_variant=Product Variant | Apply On | required
display_applied_on | selection 1_product=Product, 2_product_category=Category | Display Applied On
categ_id | many2one product.category | Category
product_tmpl_id | many2one product.template | Product
product_id | many2one product.product | Variant
min_quantity | float | Min. Quantity | digits
date_start | datetime | Start Date
date_end | datetime | End Date
compute_price | selection percentage=Discount, formula=Formula, fixed=Fixed Price | Compute Price | required
base | selection list_price=Sales Price, standard_price=Cost, pricelist=Other Pricelist | Based on | required
base_pricelist_id | many2one product.pricelist | Other Pricelist
fixed_price | float | Fixed Price
percent_price | float | Percentage Price
price_discount | float | Price Discount | digits
price_markup | float | Markup | digits
price_round | float | Price Rounding
price_surcharge | float | Extra Fee
price_min_margin | float | Min. Price Margin
price_max_margin | float | Max. Price Margin
"""),
    order="applied_on, min_quantity desc, categ_id desc, id desc",
    searched=(),
    computes={"name": lambda _env, row: row["applied_on"].partition("_")[2]},
)

DELIVERY_CODE = "Delivery_001"
"The internal reference of the service that shipping costs are sold as."


def load(store: Store, world: World) -> None:
    store.add(CATEGORY, _categories(world))
    codes = {category.code: category.erp_id for category in world.categories}
    products = [_product(store, item, codes) for item in world.items]
    fresh = Ids(item.erp_id for item in world.items)
    templates = Ids(item.template_id for item in world.items)
    products.append(_delivery(store, world, fresh.fresh(), templates.fresh()))
    store.add(PRODUCT, products)
    store.add(TEMPLATE, _templates(products))
    store.add(PRICELIST, _pricelists(store, world))
    store.add(RULE, [_rule(store, rule, world) for rule in world.price_rules])


def _categories(world: World) -> list[Row]:
    by_code = {category.code: category for category in world.categories}
    rows: dict[str, Row] = {}

    def row(category: Category) -> Row:
        if category.code in rows:
            return rows[category.code]
        above = by_code.get(category.parent or "")
        parent = row(above) if above else None
        name = category.labels.get("en_US") or category.code
        rows[category.code] = {
            "id": category.erp_id,
            "name": name,
            "complete_name": f"{parent['complete_name']} / {name}" if parent else name,
            "parent_id": parent["id"] if parent else False,
            "parent_path": f"{parent['parent_path'] if parent else ''}{category.erp_id}/",
            **stamps(world.now),
        }
        return rows[category.code]

    return [row(category) for category in world.categories]


def _product(store: Store, item: Item, categories: dict[str, int]) -> Row:
    euro = key_of(store, "res.currency", "EUR")
    leaf = next((categories[code] for code in item.categories if code in categories), False)
    return {
        "id": item.erp_id,
        "name": item.name,
        "default_code": item.sku,
        "barcode": text(item.gtin),
        "active": True,
        "sale_ok": item.enabled,
        "purchase_ok": True,
        "type": "consu",
        "is_storable": item.tracked,
        "route_ids": () if item.tracked else (TO_ORDER,),
        "tracking": "none",
        "invoice_policy": "delivery",
        "list_price": number(item.list_price),
        "lst_price": number(item.list_price),
        "standard_price": number(item.cost),
        "currency_id": euro,
        "cost_currency_id": euro,
        "uom_id": key_of(store, "uom.uom", item.unit),
        "uom_name": item.unit,
        "categ_id": leaf,
        "taxes_id": (key_of(store, "account.tax", "20%"),),
        "sale_delay": item.lead_time_days,
        "sequence": 1,
        "product_tmpl_id": item.template_id,
        "is_product_variant": True,
        **stamps(item.created, item.updated),
    }


def _delivery(store: Store, world: World, key: int, template: int) -> Row:
    euro = key_of(store, "res.currency", "EUR")
    return {
        "id": key,
        "name": {"fr_FR": "Livraison", "en_US": "Standard delivery", "de_DE": "Lieferung"},
        "default_code": DELIVERY_CODE,
        "active": True,
        "type": "service",
        "tracking": "none",
        "invoice_policy": "order",
        "currency_id": euro,
        "cost_currency_id": euro,
        "list_price": 0.0,
        "standard_price": 0.0,
        "uom_id": key_of(store, "uom.uom", "Units"),
        "uom_name": "Units",
        "categ_id": False,
        "taxes_id": (key_of(store, "account.tax", "20%"),),
        "sale_delay": 0,
        "sequence": 1,
        "product_tmpl_id": template,
        "is_product_variant": True,
        **stamps(world.now),
    }


def _templates(products: list[Row]) -> list[Row]:
    """A template's reference and barcode are those of its only variant, else empty."""
    variants: dict[int, list[Row]] = {}
    for product in products:
        variants.setdefault(product["product_tmpl_id"], []).append(product)
    return [_template(key, rows) for key, rows in variants.items()]


def _template(key: int, variants: list[Row]) -> Row:
    first = variants[0]
    single = len(variants) == 1
    row: dict[str, Any] = {k: v for k, v in first.items() if k in TEMPLATE.fields}
    row |= {
        "id": key,
        "default_code": first["default_code"] if single else False,
        "barcode": first.get("barcode", False) if single else False,
        "standard_price": first["standard_price"] if single else 0.0,
        "product_variant_id": first["id"],
        "product_variant_count": len(variants),
    }
    return row


def _pricelists(store: Store, world: World) -> list[Row]:
    return [
        {"id": pricelist.id, "name": pricelist.name, "active": True, "sequence": 16,
         "company_id": False, **stamps(world.now),
         "currency_id": key_of(store, "res.currency", pricelist.currency)}
        for pricelist in world.price_lists
    ]  # fmt: skip


def _rule(store: Store, rule: PriceRule, world: World) -> Row:
    pricelist = store["product.pricelist"].rows[rule.pricelist_id]
    by_category = rule.applied_on in {"3_global", "2_product_category"}
    return {
        "id": rule.id,
        "pricelist_id": rule.pricelist_id,
        "company_id": False,
        "currency_id": pricelist["currency_id"],
        "applied_on": rule.applied_on,
        "display_applied_on": "2_product_category" if by_category else "1_product",
        "categ_id": rule.categ_id or False,
        "product_tmpl_id": rule.product_tmpl_id or _template_of(store, rule.product_id),
        "product_id": rule.product_id or False,
        "min_quantity": number(rule.min_quantity),
        "date_start": moment(rule.date_start),
        "date_end": moment(rule.date_end),
        "compute_price": rule.compute_price,
        "base": rule.base,
        "base_pricelist_id": rule.base_pricelist_id or False,
        "fixed_price": number(rule.fixed_price),
        "percent_price": number(rule.percent_price),
        "price_discount": number(rule.price_discount),
        "price_markup": -number(rule.price_discount),
        "price_round": number(rule.price_round),
        "price_surcharge": number(rule.price_surcharge),
        "price_min_margin": number(rule.price_min_margin),
        "price_max_margin": number(rule.price_max_margin),
        **stamps(world.now),
    }


def _template_of(store: Store, product_id: int | None) -> Any:
    """A rule on a variant also names its template, as the real server fills in on creation."""
    row = store["product.product"].rows.get(product_id or 0)
    return row["product_tmpl_id"] if row else False
