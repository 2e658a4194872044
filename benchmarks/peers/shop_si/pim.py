"""The catalogue: products by SKU, and pages of a category."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from ports.caller import Call
from ports.catalog import (
    Attribute,
    Catalog,
    Category,
    MediaContent,
    Product,
    ProductModel,
    ProductQuery,
)
from ports.common import Page, PageRequest, SystemName
from ports.errors import BadInputError
from shop_si.client import ShopClient, ShopConfig, cursors, known, limits, listed, offset
from upstream.connector import Connector, Manifest, Upstream

ALL = "all"
_CHECK = "P000000"


class _Sent(Product, frozen=True, gc=False, kw_only=True):
    """A product as the PIM sends it, less what no field shows."""

    sku: str
    name: str
    status: str
    reference: str = ""
    enabled: bool = True
    gtin: str | None = msgspec.field(default=None, name="ean")
    family: str | None = msgspec.field(default=None, name="category")
    updated_at: datetime | None = msgspec.field(default=None, name="updatedAt")
    unit: str | None = None
    weight: Decimal | None = None
    image: str | None = None


class ShopProduct(_Sent, frozen=True, gc=False):
    """Bytes are decoded into this; what takes work is made when somebody asks for it.

    A type checker takes records for dataclasses, whose fields cannot be properties; msgspec's can.
    """

    @property  # type: ignore[misc]
    def reference(self) -> str:
        """The SKU is the PIM's own key."""
        return self.sku

    @property  # type: ignore[misc]
    def enabled(self) -> bool:
        return self.status == "active"

    @property  # type: ignore[misc]
    def attributes(self) -> tuple[Attribute, ...]:
        return tuple(found for code in _LABELS if (found := self.attribute(code)) is not None)

    def attribute(self, code: str) -> Attribute | None:
        if code == "image":
            value = self.image
        elif code == "unit":
            value = self.unit
        else:
            value = str(self.weight) if code == "weight" and self.weight is not None else None
        return None if value is None else Attribute(code, _LABELS[code], value)


_LABELS = {"unit": "Unit", "weight": "Weight", "image": "Image"}
# What products cannot be without, or reckon from it.
_ALWAYS = frozenset({"reference", "enabled", "attributes"})


@lru_cache(maxsize=128)
def _products(wanted: frozenset[str] | None) -> msgspec.json.Decoder[list[ShopProduct]]:
    """Reads what is wanted of products (None: all) and passes over the rest.

    A field that is to be left out is one of a name that the PIM never sends.
    """
    if wanted is None or "attributes" in wanted:
        return msgspec.json.Decoder(list[ShopProduct])
    read = {name.removeprefix("attributes.") for name in wanted}
    left_out = [
        (one.name, one.type, msgspec.field(default=one.default, name=f"-{one.name}"))
        for one in msgspec.structs.fields(ShopProduct)
        if not one.required and one.name not in read | _ALWAYS
    ]
    part = msgspec.defstruct(
        "ShopProductPart", left_out, bases=(ShopProduct,), frozen=True, gc=False, kw_only=True
    )
    return msgspec.json.Decoder(list[part])  # type: ignore[valid-type]


class Pim:
    manifest = Manifest(
        name="shop-pim",
        title="The mock's PIM",
        system=SystemName.PIM,
        ports=("catalog",),
        connector="shop_si:Pim",
        config="shop_si:ShopConfig",
        operations=limits("catalog.products", "catalog.referenced"),
    )

    def __init__(self, upstream: Upstream, config: ShopConfig) -> None:
        self._client = ShopClient(upstream, config)

    def ports(self) -> Mapping[str, object]:
        return {"catalog": self}

    async def check(self, *, call: Call) -> None:
        await self.products([_CHECK], call=call)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def products(self, skus: Sequence[str], /, *, call: Call) -> dict[str, Product]:
        if not (keys := listed(skus)):
            return {}
        path = f"/pim/products?skus={keys}"
        decoder = _products(call.wanted)
        found = await self._client.read("catalog.products", path, decoder, call=call)
        return {product.sku: product for product in found}

    async def referenced(self, references: Sequence[str], /, *, call: Call) -> dict[str, Product]:
        """The SKU is the PIM's own key."""
        return await self.products(references, call=call)

    async def search(
        self, query: ProductQuery, page: PageRequest, /, *, call: Call
    ) -> Page[Product]:
        """The PIM knows categories only; `all` holds every product."""
        if query.search or query.skus or query.brands or query.attributes or query.updated_since:
            raise BadInputError("This catalogue lists by category only.")
        start, size = offset(page), page.first
        skipped = start % size
        found = await self._page(query, start // size, size, call)
        if skipped:
            found += await self._page(query, start // size + 1, size, call)
            found = found[skipped : skipped + size]
        return Page(tuple(found), cursors(start, len(found)), has_next=len(found) == size)

    async def _page(
        self, query: ProductQuery, number: int, size: int, call: Call
    ) -> list[ShopProduct]:
        category = query.category or ALL
        if not known(category):
            return []
        path = f"/pim/products?category={category}&page={number}&limit={size}"
        return await self._client.read("catalog.search", path, _products(call.wanted), call=call)

    async def count(self, _query: ProductQuery, /, *, call: Call) -> int | None:
        """The PIM does not tell."""
        _ = call
        return None

    async def categories(self, _codes: Sequence[str], /, *, call: Call) -> dict[str, Category]:
        _ = call
        return {}

    async def children(
        self, _parents: Sequence[str | None], /, *, call: Call
    ) -> dict[str | None, tuple[Category, ...]]:
        _ = call
        return {}

    async def models(self, _codes: Sequence[str], /, *, call: Call) -> dict[str, ProductModel]:
        _ = call
        return {}

    async def variants(
        self, _models: Sequence[str], /, *, call: Call
    ) -> dict[str, tuple[Product, ...]]:
        _ = call
        return {}

    async def open_media(self, _code: str, /, *, call: Call) -> MediaContent | None:
        """Pictures are public: their address is an attribute."""
        _ = call
        return None


if TYPE_CHECKING:

    def _serves(pim: Pim) -> tuple[Catalog, Connector]:
        return pim, pim
