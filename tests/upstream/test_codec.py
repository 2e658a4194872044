"""Answers as bytes and back, of every operation that a port declares."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from ports.catalog import Attribute, Catalog, Product
from ports.common import Freshness, Money, Page, SystemName, TaxedMoney
from ports.operation import Operation, operations
from ports.pricing import Price, PriceOrigin, PriceQuestion, PriceTier, Pricing
from upstream.codec import Codec, Seal, digest, key_bytes, shape_of, structs_in
from upstream.roles import ROLES
from upstream.tags import tags

DECLARED = [
    (f"{role}.{name}", protocol, name, operation)
    for role, protocol in ROLES.items()
    for name, operation in operations(protocol).items()
]


def codec_of(protocol: type, name: str) -> Codec:
    return Codec(shape_of(protocol, name, operations(protocol)[name]))


def back(codec: Codec, value: object) -> Any:
    return codec.decode(codec.encode(value))


@pytest.mark.parametrize(("told", "protocol", "name", "operation"), DECLARED)
def test_every_operation_has_bytes(
    told: str, protocol: type, name: str, operation: Operation
) -> None:
    assert Codec(shape_of(protocol, name, operation)).fingerprint


def test_products_come_back_whole() -> None:
    raw = {"amount": "1.50", "list": [1, None, {"deep": True}]}
    product = Product(
        "A-1",
        "uuid",
        "Vis à tête",
        enabled=True,
        updated_at=datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2))),
        attributes=(Attribute("price", "Prix", "1,50 €", raw=raw),),
    )
    page = Page((product,), ("c",), has_next=True)

    assert back(codec_of(Catalog, "products"), product) == product
    assert back(codec_of(Catalog, "search"), page) == page
    assert back(codec_of(Catalog, "variants"), (product, product)) == (product, product)
    assert back(codec_of(Catalog, "count"), None) is None


def test_prices_come_back_exactly() -> None:
    money = Money(Decimal("12.30"), "EUR")
    freshness = Freshness(SystemName.ERP, "erp", datetime(2026, 1, 1, tzinfo=UTC))
    price = Price(
        TaxedMoney(money),
        TaxedMoney(money, tax_rate=Decimal("5.50")),
        Decimal(3),
        PriceOrigin.LIST,
        freshness,
        tiers=(PriceTier(Decimal(10), money),),
    )
    returned = back(codec_of(Pricing, "prices"), price)

    assert returned == price
    assert str(returned.unit.net.amount) == "12.30"


def test_shapes_differ_in_their_fingerprint() -> None:
    prints = {codec_of(Catalog, name).fingerprint for name in ("products", "search", "models")}

    assert len(prints) == 3
    assert codec_of(Catalog, "products").fingerprint == codec_of(Catalog, "referenced").fingerprint


def test_different_questions_differ() -> None:
    one = PriceQuestion("a", Decimal(1), "c")
    others = [PriceQuestion("a", Decimal(2), "c"), PriceQuestion("a", Decimal(1), None), "a", None]

    assert len({digest(key_bytes(key)) for key in [one, *others]}) == 5
    assert key_bytes(one) == key_bytes(PriceQuestion("a", Decimal(1), "c"))


def test_sealed_bytes_open_only_where_they_belong() -> None:
    seal = Seal(b"secret")
    kept = seal.close(b"plain", "here")

    assert b"plain" not in kept
    assert seal.open(kept, "here") == b"plain"
    assert seal.open(kept, "there") is None
    assert Seal(b"other").open(kept, "here") is None
    assert seal.open(kept[:-1] + b"x", "here") is None
    assert seal.open(b"", "here") is None
    assert seal.close(b"plain", "here") != kept


def test_records_are_found_in_shapes() -> None:
    shape = shape_of(Pricing, "prices", operations(Pricing)["prices"])

    assert structs_in(shape)[0] is Price
    assert Freshness in structs_in(shape)


def test_answers_are_tagged_by_whom_they_are_about() -> None:
    product = Product("A-1", "uuid", "x", enabled=True)
    question = PriceQuestion("A-1", Decimal(1), "C-1")

    assert tags("catalog.referenced", "uuid", product) == (
        "reference:uuid",
        "product:A-1",
    )
    assert tags("catalog.search", b"x", Page((product,), ("1",), has_next=False)) == (
        "product:A-1",
        "reference:uuid",
    )
    assert tags("pricing.prices", question, None) == ("product:A-1", "customer:C-1")
    assert tags("orders.orders", "S1", None) == ("order:S1",)
    assert tags("catalog.children", None, ()) == ()
