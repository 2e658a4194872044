"""What every implementation of `ports.catalog.Catalog` promises."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from ports.caller import Call
from ports.catalog import AttributeFilter, Catalog, Category, Product, ProductQuery, ProductSort
from ports.common import PageRequest
from ports.errors import BadInputError, UpstreamError
from tests.contracts.failures import FAILURES
from tests.contracts.parts import assert_parts_are_as_in_the_whole
from upstream.reference import own_call

STRANGE = ["nobody-has-this", "", " ", "%", "*", '"', "\0", "\ud800", "x" * 5000, "a/../b"]


@dataclass(frozen=True, slots=True)
class CatalogFacts:
    """`skus` are all products, enabled or not, more than 100.

    `below` are the enabled products of `category` and of those below it, `within` those of `leaf`,
    which has no category below; `variants` those of `model`. `filter` finds some of all products;
    `number` is an attribute that can be compared with numbers, in the unit that `known` has it in.
    """

    known: str
    name: str
    brand: str
    skus: frozenset[str]
    category: str
    below: frozenset[str]
    leaf: str
    within: frozenset[str]
    model: str
    variants: frozenset[str]
    filter: AttributeFilter
    filtered: frozenset[str]
    number: str
    number_of_known: Decimal
    media: str
    body: bytes


Broken = Callable[[str], Catalog]
"A port whose peer fails in one of the ways of `FAILURES`."


async def walk(port: Catalog, query: ProductQuery, first: int) -> list[Product]:
    """All products of a query, page by page."""
    found: list[Product] = []
    after = None
    while True:
        page = await port.search(query, PageRequest(first, after), call=own_call())
        assert len(page.items) == len(page.cursors) <= first
        found += page.items
        if not page.has_next:
            return found
        after = page.cursors[-1]


async def skus_of(port: Catalog, query: ProductQuery, first: int = 100) -> set[str]:
    found = [product.sku for product in await walk(port, query, first)]
    assert len(found) == len(set(found))
    return set(found)


async def known_of(port: Catalog, facts: CatalogFacts) -> Product:
    found = (await port.products([facts.known], call=own_call()))[facts.known]
    assert isinstance(found, Product)
    return found


class CatalogContract:
    async def test_a_known_sku_gives_its_product(self, port: Catalog, facts: CatalogFacts) -> None:
        product = await known_of(port, facts)

        assert product.sku == facts.known
        assert product.name == facts.name
        assert product.brand == facts.brand
        assert product.enabled
        assert product.reference
        assert product.references
        assert product.updated_at is not None
        assert product.updated_at.tzinfo is not None
        assert product.categories
        assert product.model == facts.model
        assert facts.number in {attribute.code for attribute in product.attributes}
        assert facts.media in {media.code for media in (*product.images, *product.documents)}

    async def test_parts_of_a_product_are_as_in_the_whole(
        self, port: Catalog, facts: CatalogFacts
    ) -> None:
        async def read(call: Call) -> Product | UpstreamError:
            return (await port.products([facts.known], call=call))[facts.known]

        await assert_parts_are_as_in_the_whole(read, own_call())

    async def test_parts_of_a_listed_product_are_as_in_the_whole(
        self, port: Catalog, facts: CatalogFacts
    ) -> None:
        query = ProductQuery(skus=(facts.known,), sort=ProductSort.UPDATED_AT_DESC)

        async def read(call: Call) -> Product:
            return (await port.search(query, PageRequest(1), call=call)).items[0]

        await assert_parts_are_as_in_the_whole(read, own_call())

    async def test_one_attribute_is_as_among_all(self, port: Catalog, facts: CatalogFacts) -> None:
        whole = await known_of(port, facts)
        wanted = {"sku", "reference", "name", "enabled", f"attributes.{facts.number}"}
        for code in ("", ".nothing-has-this"):
            terms = msgspec.structs.replace(
                own_call(), wanted=frozenset({*wanted, f"attributes{code}"} if code else wanted)
            )

            part = (await port.products([facts.known], call=terms))[facts.known]

            assert isinstance(part, Product)
            assert part.name == whole.name
            assert part.attribute(facts.number) == whole.attribute(facts.number) is not None
            assert part.attribute("nothing-has-this") is None

    async def test_unknown_skus_are_absent(self, port: Catalog, facts: CatalogFacts) -> None:
        assert set(await port.products([facts.known, *STRANGE], call=own_call())) == {facts.known}

    async def test_a_sku_asked_twice_is_answered_once(
        self, port: Catalog, facts: CatalogFacts
    ) -> None:
        assert set(await port.products([facts.known] * 3, call=own_call())) == {facts.known}

    async def test_nothing_asked_is_nothing_answered(self, port: Catalog) -> None:
        call = own_call()
        assert await port.products([], call=call) == {}
        assert await port.referenced([], call=call) == {}
        assert await port.categories([], call=call) == {}
        assert await port.children([], call=call) == {}
        assert await port.models([], call=call) == {}
        assert await port.variants([], call=call) == {}

    async def test_more_than_a_hundred_skus(self, port: Catalog, facts: CatalogFacts) -> None:
        wanted = sorted(facts.skus)[:150]
        assert len(wanted) > 100

        assert set(await port.products(wanted, call=own_call())) == set(wanted)

    async def test_a_product_is_found_by_its_reference(
        self, port: Catalog, facts: CatalogFacts
    ) -> None:
        product = await known_of(port, facts)

        found = await port.referenced([product.reference, *STRANGE], call=own_call())

        assert found == {product.reference: product}

    async def test_relations_lead_to_products(self, port: Catalog, facts: CatalogFacts) -> None:
        product = await known_of(port, facts)
        wanted = {reference for relation in product.relations for reference in relation.references}
        assert wanted

        assert set(await port.referenced(sorted(wanted), call=own_call())) == wanted

    @pytest.mark.parametrize("first", [1, 7, 100])
    async def test_pages_hold_each_product_once(
        self, port: Catalog, facts: CatalogFacts, first: int
    ) -> None:
        query = ProductQuery(category=facts.leaf)

        assert await skus_of(port, query, first) == facts.within

    async def test_everything_can_be_walked(self, port: Catalog, facts: CatalogFacts) -> None:
        assert await skus_of(port, ProductQuery(enabled=None), 99) == facts.skus

    @pytest.mark.parametrize("sort", [None, *ProductSort])
    async def test_every_cursor_continues_behind_its_item(
        self, port: Catalog, facts: CatalogFacts, sort: ProductSort | None
    ) -> None:
        query = ProductQuery(category=facts.leaf, sort=sort)
        page = await port.search(query, PageRequest(8), call=own_call())

        for index, cursor in enumerate(page.cursors[:-1]):
            rest = await port.search(query, PageRequest(3, cursor), call=own_call())
            shown = page.items[index + 1 : index + 4]
            assert rest.items[: len(shown)] == shown

    @pytest.mark.parametrize("after", ["", "nonsense", "e30", "WzFd", "\ud800", "é", "A" * 9999])
    @pytest.mark.parametrize("sort", [None, ProductSort.NAME])
    async def test_a_cursor_of_somebody_else_is_bad_input(
        self, port: Catalog, facts: CatalogFacts, after: str, sort: ProductSort | None
    ) -> None:
        query = ProductQuery(category=facts.leaf, sort=sort)

        with pytest.raises(BadInputError):
            await port.search(query, PageRequest(5, after), call=own_call())

    async def test_the_count_is_that_of_the_pages(self, port: Catalog, facts: CatalogFacts) -> None:
        count = await port.count(ProductQuery(category=facts.leaf), call=own_call())

        assert count in {None, len(facts.within)}

    async def test_a_category_is_taken_with_or_without_those_below(
        self, port: Catalog, facts: CatalogFacts
    ) -> None:
        alone = ProductQuery(category=facts.category, include_subcategories=False)

        assert await skus_of(port, ProductQuery(category=facts.category)) == facts.below
        assert await skus_of(port, alone) < facts.below

    @pytest.mark.parametrize("category", STRANGE)
    async def test_a_strange_category_is_empty(self, port: Catalog, category: str) -> None:
        query = ProductQuery(category=category)
        page = await port.search(query, PageRequest(5), call=own_call())

        assert (page.items, page.has_next) == ((), False)
        assert await port.count(query, call=own_call()) in {None, 0}

    async def test_skus_narrow_a_listing(self, port: Catalog, facts: CatalogFacts) -> None:
        some = tuple(sorted(facts.below)[:3])

        assert await skus_of(port, ProductQuery(skus=some)) == set(some)
        assert await skus_of(port, ProductQuery(skus=())) == set()
        assert await skus_of(port, ProductQuery(skus=("nobody-has-this",))) == set()

    async def test_a_brand_narrows_a_listing(self, port: Catalog, facts: CatalogFacts) -> None:
        found = await walk(port, ProductQuery(category=facts.leaf, brands=(facts.brand,)), 100)

        assert facts.known in {product.sku for product in found}
        assert {product.brand for product in found} == {facts.brand}
        assert await skus_of(port, ProductQuery(brands=("Nobody", "\ud800"))) == set()
        assert await skus_of(port, ProductQuery(brands=())) == set()

    async def test_disabled_products_are_asked_for(self, port: Catalog) -> None:
        found = await walk(port, ProductQuery(enabled=False), 100)

        assert found
        assert not any(product.enabled for product in found)

    async def test_changes_since_a_moment(self, port: Catalog, facts: CatalogFacts) -> None:
        product = await known_of(port, facts)
        at = product.updated_at
        assert at is not None

        async def seen(since: datetime) -> bool:
            query = ProductQuery(skus=(facts.known,), updated_since=since)
            return facts.known in await skus_of(port, query)

        assert await seen(at)
        assert await seen(at - timedelta(days=1))
        assert not await seen(at + timedelta(seconds=1))
        with pytest.raises(BadInputError):
            await seen(datetime.min.replace(tzinfo=UTC))

    async def test_an_attribute_narrows_a_listing(self, port: Catalog, facts: CatalogFacts) -> None:
        query = ProductQuery(enabled=None, attributes=(facts.filter,))

        assert await skus_of(port, query) == facts.filtered
        assert 0 < len(facts.filtered) < len(facts.skus)

    async def test_numbers_bound_a_listing(self, port: Catalog, facts: CatalogFacts) -> None:
        held = facts.number_of_known

        async def seen(minimum: Decimal | None, maximum: Decimal | None) -> bool:
            bounds = AttributeFilter(facts.number, minimum=minimum, maximum=maximum)
            query = ProductQuery(skus=(facts.known,), attributes=(bounds,))
            return facts.known in await skus_of(port, query)

        assert await seen(held, held)
        assert await seen(held - 1, None)
        assert await seen(None, held + 1)
        assert not await seen(held + 1, None)
        assert not await seen(None, held - 1)

    @pytest.mark.parametrize("code", STRANGE)
    async def test_an_unknown_attribute_is_bad_input(self, port: Catalog, code: str) -> None:
        query = ProductQuery(attributes=(AttributeFilter(code, equals="1"),))

        with pytest.raises(BadInputError):
            await port.search(query, PageRequest(5), call=own_call())
        with pytest.raises(BadInputError):
            await port.count(query, call=own_call())

    async def test_a_filter_that_says_nothing_is_bad_input(
        self, port: Catalog, facts: CatalogFacts
    ) -> None:
        query = ProductQuery(attributes=(AttributeFilter(facts.number),))

        with pytest.raises(BadInputError):
            await port.search(query, PageRequest(5), call=own_call())

    async def test_a_text_finds_names_and_skus(self, port: Catalog, facts: CatalogFacts) -> None:
        assert facts.known in await skus_of(port, ProductQuery(search=facts.name))
        assert facts.known in await skus_of(port, ProductQuery(search=facts.known))
        assert facts.known in await skus_of(port, ProductQuery(search=facts.known[1:-1]))
        everything = await skus_of(port, ProductQuery(search="  ", category=facts.leaf))
        assert everything == facts.within

    @pytest.mark.parametrize("text", ["nobody-has-this", "%%", "\ud800", '"', "\\", "\0", "_'*"])
    async def test_a_text_means_itself(self, port: Catalog, text: str) -> None:
        found = await walk(port, ProductQuery(search=text), 100)

        assert all(text in product.name or text in product.sku for product in found)

    async def test_orders(self, port: Catalog, facts: CatalogFacts) -> None:
        async def listed(sort: ProductSort) -> list[Product]:
            return await walk(port, ProductQuery(category=facts.leaf, sort=sort), 9)

        by_name = [product.name.casefold() for product in await listed(ProductSort.NAME)]
        by_sku = [product.sku.casefold() for product in await listed(ProductSort.SKU)]
        changes = await listed(ProductSort.UPDATED_AT_DESC)
        by_change = [product.updated_at for product in changes if product.updated_at]

        assert by_name == sorted(by_name)
        assert by_sku == sorted(by_sku)
        assert by_change == sorted(by_change, reverse=True)
        assert len(by_name) == len(by_sku) == len(by_change) == len(facts.within)

    async def test_categories_form_the_tree_of_the_shop(
        self, port: Catalog, facts: CatalogFacts
    ) -> None:
        roots = (await port.children([None], call=own_call()))[None]
        assert isinstance(roots, tuple)
        assert {root.parent for root in roots} == {None}
        found: dict[str, Category] = {}
        waiting = list(roots)
        while waiting:
            found.update((category.code, category) for category in waiting)
            codes = [category.code for category in waiting]
            answers = await port.children(codes, call=own_call())
            assert set(answers) == set(codes)
            waiting = []
            for parent, below in answers.items():
                assert isinstance(below, tuple)
                assert all(category.parent == parent for category in below)
                waiting += below

        assert {facts.category, facts.leaf} <= set(found)
        assert await port.categories(list(found), call=own_call()) == found

    async def test_unknown_categories_are_absent(self, port: Catalog, facts: CatalogFacts) -> None:
        asked = [facts.leaf, *STRANGE]

        assert set(await port.categories(asked, call=own_call())) == {facts.leaf}
        assert await port.children(asked, call=own_call()) == {facts.leaf: ()}

    async def test_a_model_and_its_variants(self, port: Catalog, facts: CatalogFacts) -> None:
        asked = [facts.model, *STRANGE]
        models = await port.models(asked, call=own_call())
        variants = await port.variants(asked, call=own_call())
        alone = await port.variants([facts.model], call=own_call())

        assert set(models) == set(variants) == {facts.model}
        assert variants == alone
        model, products = models[facts.model], variants[facts.model]
        assert not isinstance(model, Exception)
        assert model.name
        assert model.axes
        assert isinstance(products, tuple)
        assert {product.sku for product in products} == facts.variants
        assert {product.model for product in products} == {facts.model}

    async def test_a_file_is_read_whole(self, port: Catalog, facts: CatalogFacts) -> None:
        content = await port.open_media(facts.media, call=own_call())

        assert content is not None
        assert b"".join([chunk async for chunk in content.chunks]) == facts.body
        assert content.size in {None, len(facts.body)}
        assert "/" in content.mime_type

    @pytest.mark.parametrize("code", [*STRANGE, "../../../token", "/", "a//b", "a/./b", "%2e%2e/b"])
    async def test_no_file_is_none(self, port: Catalog, code: str) -> None:
        assert await port.open_media(code, call=own_call()) is None

    @pytest.mark.parametrize("name", sorted(FAILURES))
    async def test_a_failure_is_raised_as_what_it_is(
        self, broken: Broken, facts: CatalogFacts, name: str
    ) -> None:
        port, call = broken(name), own_call()
        asked = [
            lambda: port.products([facts.known], call=call),
            lambda: port.search(ProductQuery(), PageRequest(5), call=call),
            lambda: port.search(ProductQuery(sort=ProductSort.SKU), PageRequest(5), call=call),
            lambda: port.count(ProductQuery(), call=call),
            lambda: port.variants([facts.model], call=call),
        ]

        for ask in asked:
            with pytest.raises(FAILURES[name]):
                await ask()
