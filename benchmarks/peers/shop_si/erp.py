"""Prices, stock, accounts, orders and their deliveries."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from ports.caller import Call
from ports.common import Freshness, Money, Page, PageRequest, SystemName, TaxedMoney
from ports.errors import BadInputError
from ports.orders import Order, OrderLine, OrderQuery, Orders, OrderStatus
from ports.pricing import Price, PriceOrigin, PriceQuestion, Pricing
from ports.shipments import Carrier, Shipment, Shipments
from ports.stock import (
    Availability,
    AvailabilityStatus,
    IncomingStock,
    Stock,
    StockLevel,
    Warehouse,
)
from shop_si.client import ShopClient, ShopConfig, cursors, known, limits, listed, offset
from upstream.connector import Connector, Manifest, Upstream

_CARRIER = Carrier("shop", "SHOP")
_CHECK = "P000000"
_NONE = Decimal(0)
_NO_MONEY = Money(_NONE, "")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS = OrderStatus.__members__


class _PriceRow(msgspec.Struct, frozen=True, gc=False):
    sku: str
    net: Decimal
    list: Decimal
    currency: str
    discount: Decimal


class _StockRow(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    sku: str
    qty: Decimal
    warehouse: str
    next_delivery: date


class _LineRow(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    sku: str
    qty: Decimal
    unit_price: Decimal


class ShopLine(OrderLine, frozen=True, gc=False):
    """A line whose total is reckoned when somebody asks for it, whatever it was made with."""

    @property  # type: ignore[misc]
    def total(self) -> Money:
        return Money(self.unit_price.amount * self.quantity, self.unit_price.currency)


class _Sent(Order, frozen=True, gc=False, kw_only=True):
    """An order as the ERP sends it."""

    number: str = msgspec.field(name="id")
    day: date = msgspec.field(name="date")
    source_status: str = msgspec.field(name="status")
    amount: Decimal = msgspec.field(name="total")
    rows: list[_LineRow] = msgspec.field(name="lines")
    currency: str
    customer: str | None
    status: OrderStatus = msgspec.field(default=OrderStatus.UNKNOWN, name="-status")
    placed_at: datetime = msgspec.field(default=_LONG_AGO, name="-placed_at")
    subtotal: Money = msgspec.field(default=_NO_MONEY, name="-subtotal")
    tax: Money = msgspec.field(default=_NO_MONEY, name="-tax")
    total: Money = msgspec.field(default=_NO_MONEY, name="-total")
    lines: tuple[OrderLine, ...] = msgspec.field(default=(), name="-lines")


class ShopOrder(_Sent, frozen=True, gc=False):
    """Bytes are decoded into this; what takes work is made when somebody asks for it."""

    @property  # type: ignore[misc]
    def status(self) -> OrderStatus:
        return _STATUS.get(self.source_status, OrderStatus.UNKNOWN)

    @property  # type: ignore[misc]
    def placed_at(self) -> datetime:
        """The ERP knows the day only."""
        return _moment(self.day)

    @property  # type: ignore[misc]
    def subtotal(self) -> Money:
        return Money(self.amount, self.currency)

    @property  # type: ignore[misc]
    def tax(self) -> Money:
        return Money(_NONE, self.currency)

    @property  # type: ignore[misc]
    def total(self) -> Money:
        return Money(self.amount, self.currency)

    @property  # type: ignore[misc]
    def lines(self) -> tuple[OrderLine, ...]:
        currency = self.currency
        made = []
        for position, row in enumerate(self.rows, 1):
            price = Money(row.unit_price, currency)
            made.append(ShopLine(position, row.sku, row.qty, price, price, row.qty, row.sku))
        return tuple(made)


@lru_cache(maxsize=4096)
def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


_PRICES = msgspec.json.Decoder(list[_PriceRow])
_STOCK = msgspec.json.Decoder(list[_StockRow])
_ORDERS = msgspec.json.Decoder(list[ShopOrder])


class Erp:
    manifest = Manifest(
        name="shop-erp",
        title="The mock's ERP",
        system=SystemName.ERP,
        ports=("pricing", "stock", "orders", "shipments"),
        connector="shop_si:Erp",
        config="shop_si:ShopConfig",
        operations=limits("pricing.prices", "stock.availability"),
    )

    def __init__(self, upstream: Upstream, config: ShopConfig) -> None:
        self._upstream = upstream
        self._client = ShopClient(upstream, config)
        self._orders = _Orders(self._client)

    def ports(self) -> Mapping[str, object]:
        return {
            "pricing": self,
            "stock": self,
            "orders": self._orders,
            "shipments": _Deliveries(),
        }

    async def check(self, *, call: Call) -> None:
        await self.availability([_CHECK], call=call)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def prices(
        self, questions: Sequence[PriceQuestion], /, *, call: Call
    ) -> dict[PriceQuestion, Price]:
        """The ERP has one price for all customers and quantities."""
        keys = listed(list(dict.fromkeys(question.sku for question in questions)))
        if not keys:
            return {}
        path = f"/erp/prices?skus={keys}"
        rows = await self._client.read("pricing.prices", path, _PRICES, call=call)
        found = {row.sku: row for row in rows}
        now = self._upstream.read_now()
        return {
            question: _price(found[question.sku], question.quantity, now)
            for question in questions
            if question.sku in found
        }

    async def availability(self, skus: Sequence[str], /, *, call: Call) -> dict[str, Availability]:
        if not (keys := listed(skus)):
            return {}
        path = f"/erp/stock?skus={keys}"
        rows = await self._client.read("stock.availability", path, _STOCK, call=call)
        now = self._upstream.read_now()
        return {row.sku: _availability(row, now) for row in rows}


class _Orders:
    def __init__(self, client: ShopClient) -> None:
        self._client = client

    async def orders(self, _numbers: Sequence[str], /, *, call: Call) -> dict[str, Order]:
        """The ERP finds orders by customer only."""
        _ = call
        return {}

    async def search(self, query: OrderQuery, page: PageRequest, /, *, call: Call) -> Page[Order]:
        if query.customers is None or len(query.customers) != 1 or _narrower(query):
            raise BadInputError("This ERP lists orders by one customer only.")
        start = offset(page)
        (customer,) = query.customers
        if not known(customer):
            return Page((), (), has_next=False)
        path = f"/erp/orders?customer={customer}&limit={start + page.first}"
        rows = await self._client.read("orders.search", path, _ORDERS, call=call)
        items = tuple(rows[start:])
        return Page(items, cursors(start, len(items)), has_next=len(items) == page.first)


class _Deliveries:
    """An order is one parcel, and the ERP numbers the parcel as the order: O00000700, T00000700."""

    async def shipments(self, keys: Sequence[str], /, *, call: Call) -> dict[str, Shipment]:
        """Whose parcel it is the ERP does not tell, so that nobody but staff is shown it."""
        _ = call
        return {key: _shipment("O" + key[1:]) for key in keys if key[:1] == "T"}

    async def tracked(
        self, tracking_numbers: Sequence[str], /, *, call: Call
    ) -> dict[str, Shipment]:
        return await self.shipments(tracking_numbers, call=call)

    async def of_orders(
        self, orders: Sequence[str], /, *, call: Call
    ) -> dict[str, tuple[Shipment, ...]]:
        _ = call
        return {order: (_shipment(order),) for order in orders}


def _narrower(query: OrderQuery) -> bool:
    return bool(
        query.status
        or query.placed_after
        or query.placed_before
        or query.purchase_order_number
        or query.sku
        or query.search
    )


def _price(row: _PriceRow, quantity: Decimal, now: Freshness) -> Price:
    unit = TaxedMoney(Money(row.net, row.currency))
    whole = unit if quantity == 1 else TaxedMoney(Money(row.net * quantity, row.currency))
    listed = Money(row.list, row.currency)
    return Price(unit, whole, quantity, PriceOrigin.LIST, now, listed, row.discount)


def _availability(row: _StockRow, now: Freshness) -> Availability:
    incoming = (IncomingStock(_NONE, row.next_delivery),)
    level = StockLevel(Warehouse(row.warehouse, row.warehouse), row.qty, _NONE, row.qty, incoming)
    status = AvailabilityStatus.IN_STOCK if row.qty else AvailabilityStatus.OUT_OF_STOCK
    return Availability(status, row.qty, now, locations=(level,))


def _shipment(order: str) -> Shipment:
    number = "T" + order[1:]
    return Shipment(number, None, order, number, number, _CARRIER)


if TYPE_CHECKING:

    def _serves(erp: Erp) -> tuple[Pricing, Stock, Connector]:
        return erp, erp, erp

    def _serve(orders: _Orders, deliveries: _Deliveries) -> tuple[Orders, Shipments]:
        return orders, deliveries
