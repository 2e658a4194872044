"""Which scope each role's data needs, whatever way it is asked for."""

from collections.abc import Mapping

SCOPE_OF_ROLE: Mapping[str, str] = {
    "catalog": "catalog:read",
    "pricing": "prices:read",
    "stock": "stock:read",
    "customers": "customers:read",
    "accounts": "customers:read",
    "orders": "orders:read",
    "shipments": "orders:read",
    "tracking": "orders:read",
    "returns": "orders:read",
    "payments": "orders:read",
    "invoices": "invoices:read",
    "documents": "invoices:read",
    "systems": "systems:read",
}

ROLE_OF_KIND: Mapping[str, str] = {
    "Product": "catalog",
    "ProductModel": "catalog",
    "Category": "catalog",
    "Customer": "customers",
    "Order": "orders",
    "Invoice": "invoices",
    "Shipment": "shipments",
    "Return": "returns",
}
"""The role that the objects of a type with an id come from."""

PUBLIC_SCOPES = frozenset({"catalog:read", "prices:read", "stock:read"})
"""Scopes that an anonymous caller may be given; all others need somebody."""

ACT_FOR = "customers:act-for"
INTROSPECT = "schema:read"
PURGE = "cache:purge"

ALL_SCOPES = frozenset({*SCOPE_OF_ROLE.values(), ACT_FOR, INTROSPECT, PURGE})
"""Every scope that anything here asks for."""
