"""Four systems that speak as the benchmark's mock does, over a few invented records."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

PRODUCTS = 300
CUSTOMERS = 3
ORDERS = 30
DAYS = 28


def product(number: int) -> dict[str, Any]:
    return {
        "sku": f"P{number:06d}",
        "name": f"Drill {number}",
        "brand": ("Nord", "Sued")[number % 2],
        "ean": f"40{number:011d}",
        "category": f"c{number % 10}",
        "unit": ("PCE", "BOX")[number % 2],
        "weight": number / 10 + 0.1,
        "description": f"The tool with the number {number}.",
        "image": f"https://cdn.example.com/{number}.webp",
        "status": "active",
        "packSize": 6,
        "updatedAt": "2026-11-01T08:00:00Z",
    }


def price(number: int) -> dict[str, Any]:
    return {
        "sku": f"P{number:06d}",
        "net": number / 4 + 1,
        "list": number / 2 + 2,
        "currency": "EUR",
        "discount": number % 40,
    }


def stock(number: int) -> dict[str, Any]:
    return {
        "sku": f"P{number:06d}",
        "qty": number % 5,
        "warehouse": f"W{number % 3}",
        "nextDelivery": f"2026-12-{number % 27 + 1:02d}",
    }


def customer(number: int) -> dict[str, Any]:
    return {
        "id": f"C{number}",
        "name": f"Customer {number}",
        "email": f"buyer{number}@example.com",
        "segment": "S1",
        "vat": "FR1",
        "active": True,
    }


def order(of: int, at: int) -> dict[str, Any]:
    number = of * 100 + at
    skus = [f"P{(number * 13 + line * 101) % PRODUCTS:06d}" for line in range(5)]
    return {
        "id": f"O{number:08d}",
        "customer": f"C{of}",
        "date": f"2026-10-{at % DAYS + 1:02d}",
        "status": "SHIPPED",
        "total": 120.5 + at,
        "currency": "EUR",
        "tracking": f"T{number:08d}",
        "lines": [
            {"sku": sku, "qty": at + 1, "unitPrice": 10.5 + at} for at, sku in enumerate(skus)
        ],
    }


def parcel(number: int) -> dict[str, Any]:
    return {
        "tracking": f"T{number:08d}",
        "carrier": "CARRIER1",
        "status": "IN_TRANSIT",
        "events": [
            {"at": f"2026-10-0{at + 1}T10:00:00Z", "code": f"E{at}", "place": f"Hub {at}"}
            for at in range(4)
        ],
    }


BATCHES: dict[str, tuple[Callable[[int], dict[str, Any]], str, str, int]] = {
    "/pim/products": (product, "skus", "P", PRODUCTS),
    "/erp/prices": (price, "skus", "P", PRODUCTS),
    "/erp/stock": (stock, "skus", "P", PRODUCTS),
    "/crm/customers": (customer, "ids", "C", CUSTOMERS),
    "/carrier/shipments": (parcel, "trackings", "T", 10**8),
}


class Shop:
    """An ASGI application. `asked` holds the address of every call that reached it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        _ = await receive()
        path, text = scope["path"], scope["query_string"].decode()
        self.asked.append(f"{path}?{text}")
        query = {name: values[0] for name, values in parse_qs(text).items()}
        body = json.dumps(self._answer(path, query)).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        if "category" in query:
            return self._page(query)
        if path == "/erp/orders":
            (of,) = _numbers(query["customer"], "C", CUSTOMERS)
            return [order(of, at) for at in range(min(int(query["limit"]), ORDERS))]
        record, name, letter, end = BATCHES[path]
        return [record(one) for one in _numbers(query[name], letter, end)]

    def _page(self, query: dict[str, str]) -> list[dict[str, Any]]:
        size = int(query["limit"])
        start = int(query["page"]) * size
        return [product(one) for one in range(start, min(start + size, PRODUCTS))]


def _numbers(text: str, letter: str, end: int) -> list[int]:
    """The numbers of the keys that there are."""
    keys = [key for key in text.split(",") if key[:1] == letter and key[1:].isdigit()]
    return [int(key[1:]) for key in keys if int(key[1:]) < end]
