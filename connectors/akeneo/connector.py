"""The catalogue port, served by an Akeneo PIM."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from connectors.akeneo import diagnosis, mapping, query
from connectors.akeneo.client import AkeneoClient, Question, Search, sendable
from connectors.akeneo.config import AkeneoConfig
from connectors.akeneo.filters import Criteria, Place
from connectors.akeneo.listing import Listing, is_sorted, started
from connectors.akeneo.locales import label, readable
from connectors.akeneo.mapping import Reading
from connectors.akeneo.media import open_media
from connectors.akeneo.payloads import CategoryPayload, ChannelPayload, ProductPayload
from connectors.akeneo.reference import References, question, sort_attributes
from connectors.akeneo.structure import Tree
from connectors.akeneo.variants import Models
from ports.caller import Call
from ports.catalog import Category, MediaContent, Product, ProductModel, ProductQuery
from ports.common import Answers, Page, PageRequest
from ports.errors import MalformedError, RefusedError, UpstreamError
from upstream.config import UpstreamConfig
from upstream.connector import Upstream
from upstream.diagnosis import Finding

if TYPE_CHECKING:
    from ports.catalog import Catalog
    from upstream.connector import Connector
    from upstream.diagnosis import Diagnosed

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Akeneo:
    """One PIM, read through one connection."""

    def __init__(self, upstream: Upstream, config: UpstreamConfig, /) -> None:
        if not isinstance(config, AkeneoConfig):
            raise TypeError("Akeneo wants an AkeneoConfig")
        self._config = config
        self._client = AkeneoClient(upstream, config)
        self._references = References(self._client, config, upstream.name)
        self._models = Models(self._client, self._references)

    def ports(self) -> dict[str, object]:
        return {"catalog": self}

    async def check(self, *, call: Call) -> None:
        """Reads the channel and one product: address, credentials, rights, attribute names."""
        path = f"/channels/{quote(self._config.channel, safe='')}"
        if await self._client.one(path, ChannelPayload, "catalog.check", call=call) is None:
            raise self._client.error(RefusedError, "catalog.check", "the channel does not exist")
        asked = Question(attributes=(self._config.identifier_attribute,))
        await self._client.products(asked, "catalog.check", call=call, limit=1)

    async def diagnose(self, *, call: Call) -> Sequence[Finding]:
        return await diagnosis.diagnose(self._client, call=call)

    async def aclose(self) -> None:
        await self._references.aclose()
        await self._client.aclose()

    async def products(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, Product]:
        """Letter case aside where the PIM finds it so, the exact SKU first."""
        asked = sendable(skus)
        if not asked:
            return {}
        reading = await self._references.reading(call)
        criterion = {"operator": "IN", "value": asked}
        search = {self._config.identifier_attribute: [criterion]}
        found = await self._read(search, "catalog.products", reading, call)
        folded = {key.casefold(): answer for key, answer in found.items()}
        answers = {sku: found.get(sku) or folded.get(sku.casefold()) for sku in asked}
        return {sku: answer for sku, answer in answers.items() if answer is not None}

    async def referenced(
        self, references: Sequence[str], /, *, call: Call
    ) -> Answers[str, Product]:
        asked = [uuid for uuid in dict.fromkeys(references) if _UUID.fullmatch(uuid)]
        if not asked:
            return {}
        reading = await self._references.reading(call)
        search = {"uuid": [{"operator": "IN", "value": asked}]}
        found = await self._read(search, "catalog.referenced", reading, call)
        return {uuid: found[uuid] for uuid in asked if uuid in found}

    async def search(
        self, asked: ProductQuery, page: PageRequest, /, *, call: Call
    ) -> Page[Product]:
        """Orders that the PIM lacks are made here of up to 1,000 matches, else BadInputError."""
        reading = await self._references.reading(call)
        attempts = await self._attempts(asked, reading, call)
        start = started(asked, page, max(1, len(attempts)))
        found: Page[Product] = Page((), (), has_next=False)
        for number, search in enumerate(attempts[start.attempt :], start=start.attempt):
            listing = self._listing(search, reading, call)
            cursor = msgspec.structs.replace(start, attempt=number)
            if asked.sort is not None and is_sorted(asked):
                found = await listing.sorted_page(page, cursor, asked.sort)
            else:
                found = await listing.page(page, cursor)
            if found.items or page.after is not None:
                break
        return found

    async def count(self, asked: ProductQuery, /, *, call: Call) -> int | None:
        reading = await self._references.reading(call)
        count: int | None = 0
        for search in await self._attempts(asked, reading, call):
            count = await self._client.count(question(search, reading, call), call=call)
            if count != 0:
                break
        return count

    async def categories(self, codes: Sequence[str], /, *, call: Call) -> Answers[str, Category]:
        tree, locales = await self._tree(call)
        known = (tree.categories[code] for code in dict.fromkeys(codes) if code in tree.categories)
        return {found.code: _category(found, tree, locales) for found in known}

    async def children(
        self, parents: Sequence[str | None], /, *, call: Call
    ) -> Answers[str | None, tuple[Category, ...]]:
        tree, locales = await self._tree(call)
        known = (p for p in dict.fromkeys(parents) if p is None or p in tree.categories)
        return {
            parent: tuple(_category(found, tree, locales) for found in tree.below(parent))
            for parent in known
        }

    async def models(self, codes: Sequence[str], /, *, call: Call) -> Answers[str, ProductModel]:
        asked = sendable(codes)
        if not asked:
            return {}
        return await self._models.models(asked, call)

    async def variants(
        self, models: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Product, ...]]:
        asked = sendable(models)
        if not asked:
            return {}
        return await self._models.variants(asked, call)

    async def open_media(self, code: str, /, *, call: Call) -> MediaContent | None:
        return await open_media(self._client, code, call)

    async def _read(
        self, search: Search, operation: str, reading: Reading, call: Call
    ) -> dict[str, Product | UpstreamError]:
        """Products by SKU and by reference; one that cannot be read costs its own keys alone."""
        asked = question(search, reading, call)
        window = await self._client.products(asked, operation, call=call)
        found: dict[str, Product | UpstreamError] = {}
        for raw in window.items:
            try:
                product = self._product(raw, operation, reading, call)
            except MalformedError as error:
                broken = self._client.decode(raw, Any, operation)
                found.update(dict.fromkeys(_keys(broken, self._config), error))
            else:
                if product is not None:
                    found |= {product.sku: product, product.reference: product}
        return found

    def _product(
        self, raw: msgspec.Raw, operation: str, reading: Reading, call: Call
    ) -> Product | None:
        payload = self._client.decode(raw, ProductPayload, operation)
        return mapping.product(payload, reading, call.wanted)

    def _listing(self, search: Criteria, reading: Reading, call: Call) -> Listing:
        return Listing(
            client=self._client,
            question=question(search, reading, call),
            read=lambda raw: self._product(raw, "catalog.search", reading, call),
            sort_attributes=sort_attributes(reading),
            call=call,
        )

    async def _attempts(
        self, asked: ProductQuery, reading: Reading, call: Call
    ) -> tuple[Criteria, ...]:
        """The searches to try, one after the other. Raises BadInputError."""
        structure = reading.structure
        selects = query.filtered_selects(asked, structure, self._config.brand_attribute)
        options = await self._references.options(selects, call)
        tree = await self._references.tree(call) if asked.category is not None else None
        locale = reading.locales[0] if reading.locales else None
        return query.searches(asked, Place(structure, self._config, locale, options), tree)

    async def _tree(self, call: Call) -> tuple[Tree, tuple[str, ...]]:
        reading = await self._references.reading(call)
        return await self._references.tree(call), reading.locales


def _category(found: CategoryPayload, tree: Tree, locales: Sequence[str]) -> Category:
    """The shop's top categories have no parent: the tree's root is the PIM's own affair."""
    parent = None if found.parent == tree.root else found.parent
    return Category(found.code, label(readable(found.labels), found.code, locales), parent)


def _keys(broken: Any, config: AkeneoConfig) -> Iterator[str]:
    """What can be told of the keys of an item that is not as it should be."""
    try:
        keys = [broken.get("uuid"), broken["values"][config.identifier_attribute][0]["data"]]
    except (LookupError, TypeError, AttributeError):
        keys = [broken.get("uuid")] if isinstance(broken, dict) else []
    yield from (key for key in keys if isinstance(key, str))


if TYPE_CHECKING:
    _CATALOG: type[Catalog] = Akeneo
    _CONNECTOR: type[Connector] = Akeneo
    _DIAGNOSED: type[Diagnosed] = Akeneo
