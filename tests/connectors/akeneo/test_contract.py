"""Akeneo keeps the contract of the catalogue."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from ports.catalog import AttributeFilter, Catalog
from sandbox.world import Item
from tests.connectors.akeneo.peer import Peer, guarded, world
from tests.contracts.catalog import Broken, CatalogContract, CatalogFacts

LEAF = "hex_screws"


def _data(item: Item, attribute: str) -> object:
    return next((value.data for value in item.values.get(attribute, ())), None)


def _branch(code: str) -> Iterator[str]:
    yield code
    for category in world().categories:
        if category.parent == code:
            yield from _branch(category.code)


class TestAkeneo(CatalogContract):
    @pytest.fixture
    def port(self) -> Catalog:
        return guarded(Peer())

    @pytest.fixture
    def broken(self) -> Broken:
        return lambda name: guarded(Peer(fault=name), timeout_seconds=0.05, tries=1)

    @pytest.fixture
    def facts(self) -> CatalogFacts:
        items = {item.sku: item for item in world().items}
        known = items[world().examples.sku]
        assert LEAF in known.categories
        assert known.model is not None
        length = _data(known, "length")
        assert isinstance(length, dict)
        shown = [item for item in items.values() if item.enabled]
        branch = set(_branch("screws"))
        sheet = _data(known, "datasheet")
        assert isinstance(sheet, str)
        return CatalogFacts(
            known=known.sku,
            name=known.name["en_US"],
            brand=next(
                attribute.options[known.brand]["en_US"]
                for attribute in world().attributes
                if attribute.code == "brand"
            ),
            skus=frozenset(items),
            category="screws",
            below=frozenset(item.sku for item in shown if branch & set(item.categories)),
            leaf=LEAF,
            within=frozenset(item.sku for item in shown if LEAF in item.categories),
            model=known.model,
            variants=frozenset(i.sku for i in items.values() if i.model == known.model),
            filter=AttributeFilter("origin", one_of=("FR", "Deutschland")),
            filtered=frozenset(i.sku for i in items.values() if _data(i, "origin") in {"FR", "DE"}),
            number="length",
            number_of_known=Decimal(str(length["amount"])),
            media=sheet,
            body=world().media[sheet].body,
        )
