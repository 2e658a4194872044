"""The catalogue in memory keeps the contract, so that resolver tests may rely on it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ports.catalog import (
    Attribute,
    AttributeFilter,
    Category,
    Media,
    Product,
    ProductModel,
    ProductRelationKind,
    Relation,
)
from ports.common import ExternalReference, SystemName
from tests.contracts.catalog import Broken, CatalogContract, CatalogFacts
from tests.contracts.failures import failure
from tests.contracts.fakes.catalog import FakeCatalog

_START = datetime(2026, 3, 1, 8, tzinfo=UTC)
_BODY = b"%PDF-1.7 of a bolt"


def _product(index: int) -> Product:
    finish = ("zinc", "steel", "brass")[index % 3]
    return Product(
        sku=f"BOLT-{index:03d}",
        reference=f"ref-{index}",
        name=f"Bolt no. {index}",
        enabled=index % 10 != 0,
        brand=("Boltex", "Norval")[index % 2],
        updated_at=_START + timedelta(hours=index),
        references=(ExternalReference(SystemName.PIM, "pim", f"ref-{index}"),),
        categories=("bolts",) if index % 4 else ("fastening", "washers")[index % 8 == 0 :][:1],
        attributes=(
            Attribute("finish", "Finish", finish.title(), raw=finish),
            Attribute("length", "Length", f"{index} mm", raw=str(index), unit="mm"),
        ),
        documents=(Media("d/sheet.pdf", title="Datasheet", role="DATASHEET"),),
        model=f"MODEL-{index % 5}",
        relations=(Relation(ProductRelationKind.CROSS_SELL, (f"ref-{(index + 1) % 180}",)),),
    )


PRODUCTS = [_product(index) for index in range(180)]
CATEGORIES = [
    Category("fastening", "Fastening"),
    Category("bolts", "Bolts", "fastening"),
    Category("washers", "Washers", "fastening"),
]
MODELS = [ProductModel(f"MODEL-{number}", f"Model {number}", ("Length",)) for number in range(5)]


def _fake() -> FakeCatalog:
    return FakeCatalog(PRODUCTS, CATEGORIES, MODELS, {"d/sheet.pdf": _BODY})


class TestFakeCatalog(CatalogContract):
    @pytest.fixture
    def port(self) -> FakeCatalog:
        return _fake()

    @pytest.fixture
    def broken(self) -> Broken:
        def breaking(name: str) -> FakeCatalog:
            fake = _fake()
            fake.fail_with(failure(name))
            return fake

        return breaking

    @pytest.fixture
    def facts(self) -> CatalogFacts:
        known = PRODUCTS[7]
        shown = [product for product in PRODUCTS if product.enabled]
        return CatalogFacts(
            known=known.sku,
            name=known.name,
            brand="Norval",
            skus=frozenset(product.sku for product in PRODUCTS),
            category="fastening",
            below=frozenset(product.sku for product in shown),
            leaf="bolts",
            within=frozenset(p.sku for p in shown if "bolts" in p.categories),
            model="MODEL-2",
            variants=frozenset(p.sku for p in PRODUCTS if p.model == "MODEL-2"),
            filter=AttributeFilter("finish", one_of=("zinc", "Brass")),
            filtered=frozenset(p.sku for p in PRODUCTS if p.attributes[0].raw != "steel"),
            number="length",
            number_of_known=Decimal(7),
            media="d/sheet.pdf",
            body=_BODY,
        )
