"""Real keys to ask with: read from the searches of whichever upstream serves each role."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from ports.caller import Call
from ports.catalog import Product, ProductQuery
from ports.common import Page, PageRequest
from ports.customers import Customer
from ports.errors import PortError
from ports.invoices import Invoice, InvoiceQuery
from ports.orders import Order, OrderQuery
from ports.pricing import PriceQuestion
from ports.shipments import Shipment
from ports.tracking import Parcel

T = TypeVar("T")

_PAGE = 100
_ONE = Decimal(1)
Calls = Callable[[], Call]
Search = Callable[[PageRequest, Call], Awaitable[Page[T]]]


class Samples:
    """About `size` records of each kind, read once. `ports` are the guarded ports by role.

    What cannot be read gives no keys; why it cannot is told where it is examined itself.
    """

    def __init__(self, ports: Mapping[str, Any], size: int, call: Calls) -> None:
        self._ports = ports
        self._size = size
        self._call = call
        self._kept: dict[str, Sequence[Any]] = {}
        self.problems: dict[str, PortError | TimeoutError] = {}

    async def products(self) -> Sequence[Product]:
        catalog: Any = self._ports.get("catalog")
        return await self._searched(
            "catalog", lambda page, call: catalog.search(ProductQuery(), page, call=call)
        )

    async def orders(self) -> Sequence[Order]:
        return (await self._recent_orders())[: self._size]

    async def invoices(self) -> Sequence[Invoice]:
        invoices: Any = self._ports.get("invoices")
        query = InvoiceQuery(customers=None)
        return await self._searched(
            "invoices", lambda page, call: invoices.search(query, page, call=call)
        )

    async def customers(self) -> Sequence[Customer]:
        customers: Any = self._ports.get("customers")
        return await self._searched(
            "customers", lambda page, call: customers.search(None, None, page, call=call)
        )

    async def shipments(self) -> Sequence[Shipment]:
        return await self._once("shipments", self._shipments)

    async def keys(self, operation: str) -> Sequence[Any]:
        """Keys for a batch operation, once each; none where nothing tells any."""
        source = _SOURCES.get(operation)
        return () if source is None else tuple(dict.fromkeys(await source(self)))[: self._size]

    async def skus(self) -> Sequence[str]:
        if products := await self.products():
            return [one.sku for one in products]
        return [line.sku for one in await self.orders() for line in one.lines if line.sku]

    async def numbers(self) -> Sequence[str]:
        """Numbers of customers."""
        if customers := await self.customers():
            return [one.number for one in customers]
        return [one.customer for one in await self.orders() if one.customer]

    async def parcels(self) -> Sequence[Parcel]:
        return [
            Parcel(one.carrier.code, one.tracking_number, one.postal_code)
            for one in await self.shipments()
            if one.carrier and one.tracking_number
        ]

    async def questions(self) -> Sequence[PriceQuestion]:
        """List prices, and prices of the first customer where there is one."""
        skus, numbers = await self.skus(), await self.numbers()
        customer = numbers[0] if numbers else None
        return [PriceQuestion(sku, _ONE, customer) for sku in skus]

    async def _recent_orders(self) -> Sequence[Order]:
        """A page of them at the least: few of the latest orders have left already."""
        orders: Any = self._ports.get("orders")
        query, most = OrderQuery(customers=None), max(_PAGE, self._size)
        return await self._searched(
            "orders", lambda page, call: orders.search(query, page, call=call), most
        )

    async def _shipments(self) -> Sequence[Shipment]:
        port, orders = self._ports.get("shipments"), await self._recent_orders()
        if port is None or not orders:
            return ()
        found = await port.of_orders([one.number for one in orders], call=self._call())
        tuples = [one for one in found.values() if isinstance(one, tuple)]
        return [shipment for some in tuples for shipment in some]

    async def _searched(self, role: str, search: Search[T], most: int | None = None) -> Sequence[T]:
        wanted = most or self._size

        async def pages() -> Sequence[T]:
            found: list[T] = []
            after: str | None = None
            while len(found) < wanted:
                asked = PageRequest(min(_PAGE, wanted - len(found)), after)
                page = await search(asked, self._call())
                found += page.items
                if not page.has_next or not page.cursors:
                    break
                after = page.cursors[-1]
            return found

        return await self._once(role, pages) if role in self._ports else ()

    async def _once(self, name: str, read: Callable[[], Awaitable[Sequence[T]]]) -> Sequence[T]:
        if name not in self._kept:
            try:
                self._kept[name] = await read()
            except (PortError, TimeoutError) as problem:
                self._kept[name] = ()
                self.problems[name] = problem
        return self._kept[name]


def invented(operation: str, number: int) -> Any:
    """A key that no system knows, to fill a batch up with."""
    text = f"passerelle-doctor-{number}"
    if operation == "catalog.referenced":
        return str(uuid5(NAMESPACE_URL, text))
    return PriceQuestion(text, _ONE, None) if operation == "pricing.prices" else text


def _of(
    records: Callable[[Samples], Awaitable[Sequence[Any]]],
    keys: Callable[[Any], Iterable[Any]],
) -> Callable[[Samples], Awaitable[list[Any]]]:
    async def read(samples: Samples) -> list[Any]:
        return [key for one in await records(samples) for key in keys(one) if key is not None]

    return read


async def _roots(samples: Samples) -> Sequence[Any]:
    return [None, *await _CATEGORIES(samples)]


_CATEGORIES = _of(Samples.products, lambda one: one.categories)
_MODELS = _of(Samples.products, lambda one: (one.model,))
_ORDERS = _of(Samples.orders, lambda one: (one.number,))
_SOURCES: Mapping[str, Callable[[Samples], Awaitable[Sequence[Any]]]] = {
    "catalog.products": Samples.skus,
    "catalog.referenced": _of(Samples.products, lambda one: (one.reference,)),
    "catalog.categories": _CATEGORIES,
    "catalog.children": _roots,
    "catalog.models": _MODELS,
    "catalog.variants": _MODELS,
    "pricing.prices": Samples.questions,
    "stock.availability": Samples.skus,
    "accounts.accounts": Samples.numbers,
    "accounts.addresses": Samples.numbers,
    "orders.orders": _ORDERS,
    "invoices.invoices": _of(Samples.invoices, lambda one: (one.number,)),
    "invoices.of_orders": _ORDERS,
    "shipments.shipments": _of(Samples.shipments, lambda one: (one.key,)),
    "shipments.tracked": _of(Samples.shipments, lambda one: (one.tracking_number,)),
    "shipments.of_orders": _ORDERS,
    "customers.customers": Samples.numbers,
    "customers.contacts": Samples.numbers,
    "customers.representatives": _of(Samples.customers, lambda one: (one.representative,)),
    "tracking.track": Samples.parcels,
}
