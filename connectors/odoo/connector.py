"""The Odoo connector: one client, the objects of its roles, and its check."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from connectors.odoo import diagnosis
from connectors.odoo.accounts import OdooAccounts
from connectors.odoo.changes import OdooChanges
from connectors.odoo.client import OdooClient
from connectors.odoo.config import OdooConfig
from connectors.odoo.invoices import OdooInvoices
from connectors.odoo.orders import OdooOrders
from connectors.odoo.prices import OdooPricing
from connectors.odoo.products import Products
from connectors.odoo.shipments import OdooShipments
from connectors.odoo.stock import OdooStock
from ports.caller import Call
from ports.errors import RefusedError
from upstream.connector import Connector, TellsChanges, Upstream
from upstream.diagnosis import Diagnosed, Finding
from upstream.poller import ChangeFeed


class Odoo:
    """One Odoo database as pricing, stock, accounts, orders, invoices and shipments."""

    def __init__(self, upstream: Upstream, config: OdooConfig) -> None:
        self._client = OdooClient(upstream, config)
        self._products = Products(self._client)
        self._pricing = OdooPricing(self._client, self._products)
        self._stock = OdooStock(self._client, self._products)
        self._accounts = OdooAccounts(self._client)
        self._orders = OdooOrders(self._client)
        self._invoices = OdooInvoices(self._client)
        self._shipments = OdooShipments(self._client)

    def ports(self) -> Mapping[str, object]:
        return {
            "pricing": self._pricing,
            "stock": self._stock,
            "accounts": self._accounts,
            "orders": self._orders,
            "invoices": self._invoices,
            "shipments": self._shipments,
        }

    def changes(self) -> ChangeFeed:
        return OdooChanges(self._client)

    async def check(self, *, call: Call) -> None:
        """Counts products: a key without rights sees none, and Odoo calls that a success."""
        seen = await self._client.ask(
            "check",
            "product.product",
            "search_count",
            {"domain": [["sale_ok", "=", True]], "limit": 1},
            int,
            call=call,
        )
        if not seen:
            raise self._client.error(RefusedError, "check", "the key sees no product for sale")

    async def diagnose(self, *, call: Call) -> Sequence[Finding]:
        return await diagnosis.diagnose(self._client, call=call)

    async def credentials_end(self, *, call: Call) -> datetime | None:
        return (await diagnosis.key_ends(self._client, call))[1]

    async def aclose(self) -> None:
        for part in (self._pricing, self._stock, self._accounts, self._products, self._client):
            await part.aclose()


if TYPE_CHECKING:

    def _proof(upstream: Upstream, config: OdooConfig) -> Connector:
        return Odoo(upstream, config)

    def _proof_of_diagnosis(odoo: Odoo) -> Diagnosed:
        return odoo

    def _proof_of_changes(odoo: Odoo) -> TellsChanges:
        return odoo
