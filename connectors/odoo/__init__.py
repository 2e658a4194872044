"""Odoo 19 and later over JSON-2: prices, stock, accounts, orders, invoices and shipments."""
