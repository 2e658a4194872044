"""The catalogue, asked from the PIM: products, models, categories, media."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Answers, ExternalReference, Page, PageRequest
from ports.operation import batch, single


class ProductRelationKind(Enum):
    CROSS_SELL = "CROSS_SELL"
    UPSELL = "UPSELL"
    SUBSTITUTE = "SUBSTITUTE"
    ACCESSORY = "ACCESSORY"
    SPARE_PART = "SPARE_PART"
    PACK = "PACK"


class ProductSort(Enum):
    RELEVANCE = "RELEVANCE"
    NAME = "NAME"
    SKU = "SKU"
    UPDATED_AT_DESC = "UPDATED_AT_DESC"


class Attribute(msgspec.Struct, frozen=True, gc=False):
    """`value` is formatted for people in the call's language, `raw` JSON-ready as stored."""

    code: str
    label: str
    value: str
    group: str | None = None
    raw: object = None
    unit: str | None = None


class Media(msgspec.Struct, frozen=True, gc=False):
    """A file of the catalogue. `code` is the PIM's key, to be given back to `open_media`."""

    code: str
    title: str | None = None
    role: str | None = None
    mime_type: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None


class Relation(msgspec.Struct, frozen=True, gc=False):
    """Products that belong to this one, by the PIM's own product references."""

    kind: ProductRelationKind
    references: tuple[str, ...]


class Product(msgspec.Struct, frozen=True, gc=False):
    """Texts are in the call's language, else in the fallback language of the connector.

    `categories` are category codes, `model` a model code; `documents` hold files whose role is
    one of DATASHEET, MANUAL, CERTIFICATE, OTHER. `reference` is the PIM's own key.
    """

    sku: str
    reference: str
    name: str
    enabled: bool
    gtin: str | None = None
    description: str | None = None
    brand: str | None = None
    family: str | None = None
    updated_at: datetime | None = None
    references: tuple[ExternalReference, ...] = ()
    categories: tuple[str, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    images: tuple[Media, ...] = ()
    documents: tuple[Media, ...] = ()
    model: str | None = None
    relations: tuple[Relation, ...] = ()

    def attribute(self, code: str) -> Attribute | None:
        """One of `attributes`; a connector may know it without making them all."""
        for attribute in self.attributes:
            if attribute.code == code:
                return attribute
        return None


class ProductModel(msgspec.Struct, frozen=True, gc=False):
    """`axes` are the labels of the attributes that its variants differ in."""

    code: str
    name: str
    axes: tuple[str, ...] = ()


class Category(msgspec.Struct, frozen=True, gc=False):
    code: str
    name: str
    parent: str | None = None


class AttributeFilter(msgspec.Struct, frozen=True, gc=False):
    """One of `equals`, `one_of`, or a range by `minimum` and/or `maximum`."""

    code: str
    equals: str | None = None
    one_of: tuple[str, ...] | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None


class ProductQuery(msgspec.Struct, frozen=True, gc=False):
    """What a listing shows. None means: not restricted by this."""

    search: str | None = None
    skus: tuple[str, ...] | None = None
    category: str | None = None
    include_subcategories: bool = True
    brands: tuple[str, ...] | None = None
    attributes: tuple[AttributeFilter, ...] = ()
    updated_since: datetime | None = None
    enabled: bool | None = True
    sort: ProductSort | None = None


class MediaContent(msgspec.Struct, frozen=True):
    """An open file. `chunks` must be read to its end or closed (`aclose`)."""

    mime_type: str
    filename: str | None
    size: int | None
    chunks: AsyncIterator[bytes]


class Catalog(Protocol):
    """Unknown keys are absent from answers. Raises `ports.errors.UpstreamError` branches."""

    @batch(varies_on=("language",), max_age=300, stale_if_error=86_400)
    async def products(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, Product]: ...

    @batch(varies_on=("language",), max_age=300, stale_if_error=86_400)
    async def referenced(
        self, references: Sequence[str], /, *, call: Call
    ) -> Answers[str, Product]:
        """Products by `Product.reference`."""
        ...

    @single(varies_on=("language",), max_age=60, stale_if_error=86_400)
    async def search(
        self, query: ProductQuery, page: PageRequest, /, *, call: Call
    ) -> Page[Product]:
        """Raises BadInputError for a cursor or an attribute filter that the PIM does not know."""
        ...

    @single(varies_on=("language",), max_age=60, stale_if_error=86_400)
    async def count(self, query: ProductQuery, /, *, call: Call) -> int | None:
        """How many products match; None where the PIM cannot tell."""
        ...

    @batch(varies_on=("language",), max_age=300, stale_if_error=86_400)
    async def categories(
        self, codes: Sequence[str], /, *, call: Call
    ) -> Answers[str, Category]: ...

    @batch(varies_on=("language",), max_age=300, stale_if_error=86_400)
    async def children(
        self, parents: Sequence[str | None], /, *, call: Call
    ) -> Answers[str | None, tuple[Category, ...]]:
        """Direct children in the PIM's order; None asks for the roots of the shop's tree."""
        ...

    @batch(varies_on=("language",), max_age=300, stale_if_error=86_400)
    async def models(
        self, codes: Sequence[str], /, *, call: Call
    ) -> Answers[str, ProductModel]: ...

    @batch(varies_on=("language",), max_age=300, stale_if_error=86_400)
    async def variants(
        self, models: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Product, ...]]:
        """All variants below each model code, at any depth."""
        ...

    async def open_media(self, code: str, /, *, call: Call) -> MediaContent | None:
        """The bytes of a `Media.code`; None when the PIM has no such file. Never cached here."""
        ...
