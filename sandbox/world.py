"""The facts of the sandbox's company: frozen rows that every dialect reads, none owns.

Keys that systems share: `Item.sku` (PIM identifier = ERP default_code), `Company.number`
(ERP `ref` = CRM `customer_number`), `Parcel.number` (ERP `carrier_tracking_ref` = carrier's).
Money and quantities are Decimal, moments aware UTC; a dialect converts them to its vendor's habit.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Locale = Literal["fr_FR", "en_US", "de_DE"]
LOCALES: tuple[Locale, ...] = ("fr_FR", "en_US", "de_DE")

Text = dict[Locale, str]
"A text in every locale of the sandbox (a missing locale is a real gap: fallbacks are to be tried)."


@dataclass(frozen=True, slots=True)
class Category:
    """A node of the tree, at most 3 deep below the root `master`."""

    code: str
    parent: str | None
    labels: Text
    erp_id: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the PIM; `type` is Akeneo's (`pim_catalog_text`, …)."""

    code: str
    type: str
    group: str
    labels: Text
    localizable: bool = False
    scopable: bool = False
    metric_family: str | None = None
    unit: str | None = None
    options: dict[str, Text] = field(default_factory=dict)
    table_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    code: str
    labels: Text
    attributes: tuple[str, ...]
    axes: tuple[str, ...]
    "Empty when products of the family have no model."


@dataclass(frozen=True, slots=True)
class Value:
    """One attribute value as Akeneo stores it: `data` is JSON-ready, amounts are strings."""

    data: object
    locale: Locale | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Model:
    code: str
    family: str
    categories: tuple[str, ...]
    values: dict[str, tuple[Value, ...]]
    "The values common to all its variants, those of a parent model included."
    parent: str | None = None
    "The root model, where variants have two levels."


@dataclass(frozen=True, slots=True)
class Item:
    """A sellable product. `values` holds all values, those of its model included."""

    index: int
    sku: str
    uuid: str
    gtin: str
    name: Text
    brand: str
    family: str
    model: str | None
    categories: tuple[str, ...]
    enabled: bool
    values: dict[str, tuple[Value, ...]]
    associations: dict[str, tuple[str, ...]]
    "Association type code -> SKUs."
    created: datetime
    updated: datetime
    list_price: Decimal
    cost: Decimal
    unit: str
    "ERP unit of measure: Units, m, kg, Box."
    erp_id: int
    template_id: int
    lead_time_days: int
    tracked: bool
    "False for what is made to order: no stock is kept."


@dataclass(frozen=True, slots=True)
class MediaFile:
    code: str
    filename: str
    mime_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Contact:
    id: int
    first_name: str
    last_name: str
    email: str
    phone: str
    job_title: str
    crm_id: str


@dataclass(frozen=True, slots=True)
class PostalAddress:
    id: int
    kind: Literal["invoice", "delivery", "contact"]
    label: str
    street: str
    street2: str
    zip: str
    city: str
    country: str
    phone: str


@dataclass(frozen=True, slots=True)
class Company:
    """A customer. `blocked` and credit are the ERP's; segment, language, preferences the CRM's.

    `addresses[0]` is its seat, of kind `contact`: the ERP's own row, so its id is `erp_id`.
    """

    number: str
    name: str
    email: str
    phone: str
    website: str
    vat: str
    segment: str
    language: str
    currency: str
    pricelist_id: int
    payment_terms: str
    incoterm: str
    blocked: bool
    credit_limit: Decimal | None
    contacts: tuple[Contact, ...]
    addresses: tuple[PostalAddress, ...]
    preferences: dict[str, str]
    owner_id: str
    erp_id: int
    crm_id: str


@dataclass(frozen=True, slots=True)
class Owner:
    """A sales representative of ours, as the CRM keeps it."""

    id: str
    first_name: str
    last_name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class PriceRule:
    """A row of `product.pricelist.item`, field by field as Odoo names them."""

    id: int
    pricelist_id: int
    applied_on: Literal["3_global", "2_product_category", "1_product", "0_product_variant"]
    compute_price: Literal["fixed", "percentage", "formula"]
    categ_id: int | None = None
    product_tmpl_id: int | None = None
    product_id: int | None = None
    min_quantity: Decimal = Decimal(0)
    date_start: datetime | None = None
    date_end: datetime | None = None
    fixed_price: Decimal = Decimal(0)
    percent_price: Decimal = Decimal(0)
    base: Literal["list_price", "standard_price", "pricelist"] = "list_price"
    base_pricelist_id: int | None = None
    price_discount: Decimal = Decimal(0)
    price_round: Decimal = Decimal(0)
    price_surcharge: Decimal = Decimal(0)
    price_min_margin: Decimal = Decimal(0)
    price_max_margin: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class PriceList:
    id: int
    name: str
    currency: str


@dataclass(frozen=True, slots=True)
class Warehouse:
    id: int
    code: str
    name: str
    country: str
    location_id: int
    "Its stock location (`lot_stock_id`)."


@dataclass(frozen=True, slots=True)
class Quant:
    """What one warehouse holds of one product."""

    id: int
    item: int
    "Item.erp_id"
    warehouse: int
    quantity: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True)
class IncomingMove:
    id: int
    item: int
    warehouse: int
    quantity: Decimal
    expected: datetime


@dataclass(frozen=True, slots=True)
class OrderLine:
    id: int
    item: int | None
    "None: a free line (shipping cost, note)."
    description: str
    quantity: Decimal
    unit: str
    price: Decimal
    discount: Decimal
    delivered: Decimal
    invoiced: Decimal
    is_delivery: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A sale order. `state` is Odoo's: draft, sent, sale, cancel; `locked` is its lock flag."""

    id: int
    number: str
    company: str
    "Company.number"
    state: Literal["draft", "sent", "sale", "cancel"]
    placed: datetime
    updated: datetime
    purchase_order_number: str
    lines: tuple[OrderLine, ...]
    currency: str
    untaxed: Decimal
    tax: Decimal
    total: Decimal
    invoice_address: int
    shipping_address: int
    requested: datetime | None
    locked: bool = False


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    id: int
    item: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Delivery:
    """A `stock.picking` of outgoing goods. `state`: draft, waiting, confirmed, assigned, done, cancel."""

    id: int
    number: str
    order: int
    state: Literal["draft", "waiting", "confirmed", "assigned", "done", "cancel"]
    lines: tuple[DeliveryLine, ...]
    carrier: str | None
    "`dhl` or `ups`; None: own van, no tracking."
    tracking_number: str | None
    scheduled: datetime
    done: datetime | None


@dataclass(frozen=True, slots=True)
class Invoice:
    """An `account.move`. `payment_state`: not_paid, in_payment, paid, partial, reversed."""

    id: int
    number: str
    order: int
    company: str
    move_type: Literal["out_invoice", "out_refund"]
    state: Literal["draft", "posted", "cancel"]
    payment_state: Literal["not_paid", "in_payment", "paid", "partial", "reversed"]
    issued: date
    due: date
    total: Decimal
    residual: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class ParcelEvent:
    at: datetime
    "UTC; a carrier that speaks local time converts with `offset_minutes`."
    offset_minutes: int
    stage: Literal[
        "announced",
        "handed_over",
        "transit",
        "customs",
        "out_for_delivery",
        "pickup_point",
        "delivered",
        "exception",
        "returned",
    ]
    city: str
    country: str
    text: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a carrier knows of one tracking number; `events` oldest first."""

    number: str
    carrier: Literal["dhl", "ups"]
    delivery: int
    events: tuple[ParcelEvent, ...]
    pieces: int
    estimated: datetime | None
    signed_by: str | None
    origin_country: str
    destination_country: str
    destination_zip: str


@dataclass(frozen=True, slots=True)
class Examples:
    """Keys a newcomer can paste: all of one story, so that a page of queries tells something."""

    sku: str
    category: str
    customer: str
    order: str
    tracking_number: str


@dataclass(frozen=True, slots=True)
class World:
    """The whole company. Built once by `sandbox.seed.build(seed)`, then only read."""

    now: datetime
    categories: tuple[Category, ...]
    attributes: tuple[Attribute, ...]
    families: tuple[Family, ...]
    models: tuple[Model, ...]
    items: tuple[Item, ...]
    media: dict[str, MediaFile]
    companies: tuple[Company, ...]
    owners: tuple[Owner, ...]
    price_lists: tuple[PriceList, ...]
    price_rules: tuple[PriceRule, ...]
    currency_rates: dict[str, Decimal]
    "Units of the currency for one EUR."
    warehouses: tuple[Warehouse, ...]
    quants: tuple[Quant, ...]
    incoming: tuple[IncomingMove, ...]
    orders: tuple[Order, ...]
    deliveries: tuple[Delivery, ...]
    invoices: tuple[Invoice, ...]
    parcels: tuple[Parcel, ...]
    examples: Examples
