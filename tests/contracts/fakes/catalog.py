"""A catalogue kept in memory: what the port promises, with no system behind it."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from ports.caller import Call
from ports.catalog import (
    Attribute,
    AttributeFilter,
    Catalog,
    Category,
    MediaContent,
    Product,
    ProductModel,
    ProductQuery,
    ProductSort,
)
from ports.common import Answers, Page, PageRequest
from ports.errors import BadInputError, UpstreamError

_CURSOR = "product:"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class FakeCatalog:
    """`calls` counts what was asked; `fail_with` makes every question fail until it gets None.

    Products are listed in the given order, texts are the same in every language, and attributes
    are those that some product has.
    """

    def __init__(
        self,
        products: Iterable[Product] = (),
        categories: Iterable[Category] = (),
        models: Iterable[ProductModel] = (),
        media: Mapping[str, bytes] | None = None,
    ) -> None:
        self._products = {product.sku: product for product in products}
        self._categories = {category.code: category for category in categories}
        self._models = {model.code: model for model in models}
        self._media = dict(media or {})
        self._failure: UpstreamError | None = None
        self.calls: list[str] = []

    def fail_with(self, error: UpstreamError | None) -> None:
        self._failure = error

    async def products(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, Product]:
        self._asked("products")
        return {sku: self._products[sku] for sku in skus if sku in self._products}

    async def referenced(
        self, references: Sequence[str], /, *, call: Call
    ) -> Answers[str, Product]:
        self._asked("referenced")
        return {p.reference: p for p in self._products.values() if p.reference in references}

    async def search(
        self, query: ProductQuery, page: PageRequest, /, *, call: Call
    ) -> Page[Product]:
        self._asked("search")
        found = self._matching(query)
        start = 0 if page.after is None else _behind(page.after, found)
        shown = found[start : start + page.first]
        return Page(
            items=tuple(shown),
            cursors=tuple(_CURSOR + product.sku for product in shown),
            has_next=len(found) > start + page.first,
        )

    async def count(self, query: ProductQuery, /, *, call: Call) -> int | None:
        self._asked("count")
        return len(self._matching(query))

    async def categories(self, codes: Sequence[str], /, *, call: Call) -> Answers[str, Category]:
        self._asked("categories")
        return {code: self._categories[code] for code in codes if code in self._categories}

    async def children(
        self, parents: Sequence[str | None], /, *, call: Call
    ) -> Answers[str | None, tuple[Category, ...]]:
        self._asked("children")
        known = [parent for parent in parents if parent is None or parent in self._categories]
        return {parent: self._below(parent) for parent in known}

    async def models(self, codes: Sequence[str], /, *, call: Call) -> Answers[str, ProductModel]:
        self._asked("models")
        return {code: self._models[code] for code in codes if code in self._models}

    async def variants(
        self, models: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Product, ...]]:
        self._asked("variants")
        every = self._products.values()
        return {
            code: tuple(product for product in every if product.model == code)
            for code in models
            if code in self._models
        }

    async def open_media(self, code: str, /, *, call: Call) -> MediaContent | None:
        self._asked("open_media")
        body = self._media.get(code)
        if body is None:
            return None
        return MediaContent("application/octet-stream", code, len(body), _chunks(body))

    def _asked(self, operation: str) -> None:
        self.calls.append(operation)
        if self._failure is not None:
            raise self._failure

    def _below(self, parent: str | None) -> tuple[Category, ...]:
        return tuple(found for found in self._categories.values() if found.parent == parent)

    def _branch(self, code: str, *, whole: bool) -> set[str]:
        if not whole or code not in self._categories:
            return {code}
        below = (self._branch(found.code, whole=True) for found in self._below(code))
        return {code}.union(*below)

    def _matching(self, query: ProductQuery) -> list[Product]:
        self._check(query)
        found = [product for product in self._products.values() if _means(query, product)]
        if query.category is not None:
            branch = self._branch(query.category, whole=query.include_subcategories)
            found = [product for product in found if branch & set(product.categories)]
        return _sorted(found, query.sort)

    def _check(self, query: ProductQuery) -> None:
        every = self._products.values()
        known = {attribute.code for product in every for attribute in product.attributes}
        for condition in query.attributes:
            told = (condition.equals, condition.one_of, condition.minimum, condition.maximum)
            if condition.code not in known or told == (None,) * 4:
                raise BadInputError(f"{condition.code!r} cannot be filtered that way.")
        if query.updated_since is not None and query.updated_since < _LONG_AGO:
            raise BadInputError("`updatedSince` is too long ago.")


async def _chunks(body: bytes) -> AsyncIterator[bytes]:
    yield body[: len(body) // 2]
    yield body[len(body) // 2 :]


def _behind(after: str, found: Sequence[Product]) -> int:
    cursors = [_CURSOR + product.sku for product in found]
    if after not in cursors:
        raise BadInputError("`after` is not a cursor that this list gave.")
    return cursors.index(after) + 1


def _sorted(found: list[Product], sort: ProductSort | None) -> list[Product]:
    if sort is ProductSort.NAME:
        return sorted(found, key=lambda product: (product.name.casefold(), product.sku))
    if sort is ProductSort.SKU:
        return sorted(found, key=lambda product: product.sku.casefold())
    if sort is ProductSort.UPDATED_AT_DESC:
        return sorted(found, key=lambda product: product.updated_at or _LONG_AGO, reverse=True)
    return found


def _means(query: ProductQuery, product: Product) -> bool:
    sought = (query.search or "").split()
    texts = f"{product.name}\n{product.sku}".casefold()
    return (
        query.enabled in {None, product.enabled}
        and (query.skus is None or product.sku in query.skus)
        and (query.brands is None or product.brand in query.brands)
        and (
            query.updated_since is None or (product.updated_at or _LONG_AGO) >= query.updated_since
        )
        and all(word.casefold() in texts for word in sought)
        and all(_holds(condition, product) for condition in query.attributes)
    )


def _holds(condition: AttributeFilter, product: Product) -> bool:
    return any(
        _equals(condition, attribute) and _within(condition, attribute)
        for attribute in product.attributes
        if attribute.code == condition.code
    )


def _equals(condition: AttributeFilter, attribute: Attribute) -> bool:
    values = {attribute.value.casefold(), str(attribute.raw).casefold()}
    wanted = condition.one_of if condition.equals is None else (condition.equals,)
    return wanted is None or any(text.casefold() in values for text in wanted)


def _within(condition: AttributeFilter, attribute: Attribute) -> bool:
    if condition.minimum is None and condition.maximum is None:
        return True
    try:
        number = Decimal(str(attribute.raw))
    except InvalidOperation:
        return False
    low = condition.minimum is None or number >= condition.minimum
    return low and (condition.maximum is None or number <= condition.maximum)


if TYPE_CHECKING:
    _: type[Catalog] = FakeCatalog
