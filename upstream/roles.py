"""Every role an upstream can serve, with its port."""

from collections.abc import Mapping

from ports.accounts import Accounts
from ports.catalog import Catalog
from ports.customers import Customers
from ports.directory import Directory
from ports.invoices import Invoices
from ports.orders import Orders
from ports.pricing import Pricing
from ports.shipments import Shipments
from ports.stock import Stock
from ports.tracking import CarrierTracking

ROLES: Mapping[str, type] = {
    "catalog": Catalog,
    "pricing": Pricing,
    "stock": Stock,
    "accounts": Accounts,
    "orders": Orders,
    "invoices": Invoices,
    "shipments": Shipments,
    "customers": Customers,
    "tracking": CarrierTracking,
    "directory": Directory,
}
