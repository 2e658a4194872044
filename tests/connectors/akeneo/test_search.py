"""Questions in the PIM's grammar, the calls they cost, and orders made here."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from connectors.akeneo import listing
from connectors.akeneo.filters import Place, attribute_criteria
from connectors.akeneo.structure import Attribute, Structure
from ports.catalog import AttributeFilter, Catalog, ProductQuery, ProductSort
from ports.common import PageRequest
from ports.errors import BadInputError, MalformedError, ThrottledError
from tests.connectors.akeneo.peer import Peer, akeneo, config, world
from upstream.reference import own_call

SEARCH = ("POST", "/api/rest/v1/products-uuid/search")


async def warmed(peer: Peer, **keys: Any) -> Catalog:
    """A connector whose set-up has been read, so that only the question's own calls count."""
    catalog = akeneo(peer, **keys)
    await catalog.products(["warm"], call=own_call())
    await catalog.children([None], call=own_call())
    peer.calls.clear()
    peer.asked.clear()
    return catalog


async def asked(query: ProductQuery, language: str = "fr", **keys: Any) -> dict[str, Any]:
    """The criteria of the first search that a query makes, `enabled` aside."""
    peer = Peer()
    catalog = await warmed(peer, **keys)
    await catalog.search(query, PageRequest(3), call=own_call(language))
    found: dict[str, Any] = peer.searches()[0]
    assert found.pop("enabled") == [{"operator": "=", "value": True}]
    return found


def filtered(code: str, **told: Any) -> ProductQuery:
    return ProductQuery(attributes=(AttributeFilter(code, **told),))


@pytest.mark.parametrize(
    ("query", "criteria"),
    [
        (filtered("norm", equals="DIN 933"), {"norm": [("=", "DIN 933")]}),
        (filtered("origin", equals="france"), {"origin": [("IN", ["FR"])]}),
        (filtered("origin", one_of=("FR", "x")), {"origin": [("IN", ["FR"])]}),
        (filtered("hazardous", equals="Oui"), {"hazardous": [("=", True)]}),
        (filtered("hazardous", equals="0"), {"hazardous": [("=", False)]}),
        (filtered("package_quantity", equals="100"), {"package_quantity": [("=", 100)]}),
        (filtered("sku", equals="A"), {"sku": [("IN", ["A"])]}),
        (
            filtered("available_since", equals="2025-05-09"),
            {"available_since": [("=", "2025-05-09")]},
        ),
        (
            filtered("length", minimum=Decimal("1.5"), maximum=Decimal(2)),
            {
                "length": [
                    (">=", {"amount": 1.5, "unit": "MILLIMETER"}),
                    ("<=", {"amount": 2, "unit": "MILLIMETER"}),
                ]
            },
        ),
        (
            filtered("length", equals="4 cm"),
            {"length": [("=", {"amount": 4, "unit": "CENTIMETER"})]},
        ),
        (
            filtered("price", minimum=Decimal(3)),
            {"price": [(">=", {"amount": 3, "currency": "EUR"})]},
        ),
        (
            filtered("price", equals="3.5 chf"),
            {"price": [("=", {"amount": 3.5, "currency": "CHF"})]},
        ),
        (
            ProductQuery(updated_since=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
            {"updated": [(">", "2026-01-02 03:04:04")]},
        ),
        (
            ProductQuery(updated_since=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)),
            {"updated": [(">", "2026-01-02 03:04:05")]},
        ),
        (
            ProductQuery(category="screws", include_subcategories=False),
            {"categories": [("IN", ["screws"])]},
        ),
        (ProductQuery(skus=("A", "A", "")), {"sku": [("IN", ["A"])]}),
        (ProductQuery(search="VIS-HEX"), {"sku": [("CONTAINS", "VIS-HEX")]}),
    ],
)
async def test_a_question_in_the_grammar_of_the_pim(
    query: ProductQuery, criteria: dict[str, list[tuple[str, object]]]
) -> None:
    found = await asked(query)

    assert {
        code: [(each["operator"], each["value"]) for each in told] for code, told in found.items()
    } == criteria


def test_one_of_several_texts_is_a_list() -> None:
    attribute = Attribute("norm", "pim_catalog_text", {})
    place = Place(Structure({"norm": attribute}, {}, {}, {}), config(), None, {})

    found = attribute_criteria(AttributeFilter("norm", one_of=("A", "B")), attribute, place)

    assert found == [("IN", ["A", "B"])]


async def test_words_are_looked_for_in_the_name_of_the_language() -> None:
    words = [{"operator": "CONTAINS", "value": word} for word in ("vis", "inox")]

    found = await asked(ProductQuery(search=" vis  inox "), "de")

    assert found == {"name": [{**word, "locale": "de_DE"} for word in words]}


async def test_a_scopable_attribute_is_compared_in_the_channel() -> None:
    found = await asked(filtered("description", equals="x"))

    assert found["description"][0]["scope"] == "ecommerce"
    assert found["description"][0]["locale"] == "fr_FR"


async def test_moments_are_told_in_the_time_zone_of_the_pim() -> None:
    since = datetime(2026, 7, 1, 10, tzinfo=UTC)

    found = await asked(ProductQuery(updated_since=since), time_zone="Europe/Paris")

    assert found["updated"] == [{"operator": ">", "value": "2026-07-01 11:59:59"}]


async def test_one_word_is_looked_for_here_then_there() -> None:
    peer = Peer()
    catalog = await warmed(peer)
    gtin = world().items[5].gtin

    for text in (gtin, "Schraube", "hexagonale"):
        await catalog.search(ProductQuery(search=text), PageRequest(3), call=own_call("fr"))

    tried = [set(search) - {"enabled"} for search in peer.searches()]
    assert tried == [{"sku"}, {"gtin"}, {"name"}, {"sku"}, {"name"}]


async def test_a_second_page_stays_where_the_first_was_found() -> None:
    peer = Peer()
    catalog = await warmed(peer)
    query, call = ProductQuery(search="8.8"), own_call("fr")
    first = await catalog.search(query, PageRequest(2), call=call)
    peer.asked.clear()

    second = await catalog.search(query, PageRequest(2, first.cursors[-1]), call=call)

    assert second.items
    assert [set(search) for search in peer.searches()] == [{"enabled", "name"}]


@pytest.mark.parametrize(
    "query",
    [
        filtered("length", equals="long"),
        filtered("length", equals="4 parsec"),
        filtered("length", one_of=("1", "2")),
        filtered("norm", minimum=Decimal(1)),
        filtered("hazardous", equals="perhaps"),
        filtered("available_since", equals="soon"),
        filtered("image", equals="1"),
        filtered("technical_table", equals="1"),
        filtered("norm", one_of=tuple("abcdefghij" * 11)),
        ProductQuery(skus=tuple(f"S{index}" for index in range(101))),
        ProductQuery(attributes=tuple(AttributeFilter("norm", equals=str(n)) for n in range(20))),
    ],
)
async def test_what_the_pim_could_not_be_asked_is_bad_input(query: ProductQuery) -> None:
    peer = Peer()
    catalog = await warmed(peer)

    with pytest.raises(BadInputError):
        await catalog.search(query, PageRequest(3), call=own_call())
    assert peer.asked == []


async def test_brands_need_an_attribute() -> None:
    catalog = akeneo(Peer(), brand_attribute="maker")

    with pytest.raises(BadInputError):
        await catalog.search(ProductQuery(brands=("x",)), PageRequest(3), call=own_call())


@pytest.mark.parametrize(
    "query",
    [
        ProductQuery(category="elsewhere"),
        ProductQuery(brands=("Nobody",)),
        ProductQuery(skus=("",)),
        filtered("origin", one_of=("Nowhere",)),
        filtered("norm", one_of=()),
        filtered("norm", equals="a", one_of=("b",)),
    ],
)
async def test_what_cannot_match_is_not_asked(query: ProductQuery) -> None:
    peer = Peer()
    catalog = await warmed(peer)

    page = await catalog.search(query, PageRequest(3), call=own_call())

    assert (page.items, page.cursors, page.has_next) == ((), (), False)
    assert await catalog.count(query, call=own_call()) == 0
    assert SEARCH not in peer.calls


async def test_a_listing_costs_one_call() -> None:
    peer = Peer()
    catalog = await warmed(peer)

    page = await catalog.search(ProductQuery(), PageRequest(24), call=own_call())
    await catalog.search(ProductQuery(), PageRequest(24, page.cursors[-1]), call=own_call())

    assert peer.calls == [SEARCH, SEARCH]


async def test_an_order_over_one_page_costs_one_call() -> None:
    peer = Peer()
    catalog = await warmed(peer)
    skus = tuple(item.sku for item in world().items[:90])
    query = ProductQuery(skus=skus, sort=ProductSort.NAME, enabled=None)

    page = await catalog.search(query, PageRequest(24), call=own_call())

    assert peer.calls == [SEARCH]
    assert (page.total, page.has_next) == (90, True)


async def test_an_order_over_many_pages_reads_keys_and_then_the_products_shown() -> None:
    peer = Peer()
    catalog = await warmed(peer)
    query = ProductQuery(category="screws", sort=ProductSort.SKU)

    page = await catalog.search(query, PageRequest(24), call=own_call())

    assert page.total is not None
    assert len(peer.calls) == page.total // 100 + 2
    assert [body.get("attributes") for body in peer.asked[1:-1]] == ["sku,name"] * (
        page.total // 100
    )
    assert all(len(product.attributes) > 5 for product in page.items)


async def test_an_order_over_too_many_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MOST_SORTED", 300)
    catalog = akeneo(Peer())

    with pytest.raises(BadInputError, match="300"):
        await catalog.search(ProductQuery(sort=ProductSort.SKU), PageRequest(3), call=own_call())


async def test_a_cursor_of_another_question_is_bad_input() -> None:
    catalog = akeneo(Peer())
    page = await catalog.search(ProductQuery(), PageRequest(3), call=own_call())
    request = PageRequest(3, page.cursors[0])

    for other in (ProductQuery(enabled=None), ProductQuery(sort=ProductSort.NAME)):
        with pytest.raises(BadInputError):
            await catalog.search(other, request, call=own_call())


async def test_a_position_that_the_pim_does_not_know_is_bad_input() -> None:
    peer = Peer()
    catalog = akeneo(peer)
    query = ProductQuery()
    start = listing.started(query, PageRequest(3), 1)
    forged = msgspec.structs.replace(start, by="search_after", position="not-one-of-yours")
    peer.statuses["/api/rest/v1/products-uuid/search"] = 422

    with pytest.raises(BadInputError):
        await catalog.search(query, PageRequest(3, forged.text()), call=own_call())


def without(path: str, edit: Callable[[list[Any]], None]) -> Callable[[str, bytes], bytes]:
    """Changes the items of the answers at `path`."""

    def editing(at: str, body: bytes) -> bytes:
        if not at.endswith(path):
            return body
        whole = json.loads(body)
        edit(whole["_embedded"]["items"])
        return json.dumps(whole).encode()

    return editing


def _half_nameless(items: list[Any]) -> None:
    for item in items:
        if item["uuid"] < "8":
            item["values"].pop("sku")


async def test_products_without_identifier_are_skipped_and_the_page_still_filled() -> None:
    peer = Peer(edit=without("/search", _half_nameless))
    catalog = akeneo(peer)

    page = await catalog.search(ProductQuery(), PageRequest(10), call=own_call())

    assert len(page.items) == len({product.sku for product in page.items}) == 10
    assert page.has_next


def _first_broken(items: list[Any]) -> None:
    for item in items:
        if item["values"]["sku"][0]["data"] == world().items[0].sku:
            item["enabled"] = {"is": "this?"}


async def test_a_product_that_cannot_be_read_costs_its_own_key() -> None:
    catalog = akeneo(Peer(edit=without("/search", _first_broken)))
    broken, sound = (item.sku for item in world().items[:2])

    found = await catalog.products([broken, sound], call=own_call())
    by_uuid = await catalog.referenced([world().items[0].uuid], call=own_call())

    assert isinstance(found[broken], MalformedError)
    assert not isinstance(found[sound], Exception)
    assert isinstance(by_uuid[world().items[0].uuid], MalformedError)


def _all_strange(items: list[Any]) -> None:
    items[:] = [7, None, {"uuid": 1, "values": {"sku": [{}]}}, [], {"values": 3}]


async def test_items_that_are_no_products_are_nobody() -> None:
    catalog = akeneo(Peer(edit=without("/search", _all_strange)))

    assert await catalog.products(["x"], call=own_call()) == {}
    with pytest.raises(MalformedError):
        await catalog.search(ProductQuery(), PageRequest(5), call=own_call())


async def test_only_the_wanted_values_are_asked_for() -> None:
    peer = Peer()
    catalog = await warmed(peer)
    call = own_call("fr")

    for wanted in ({"sku"}, {"sku", "brand", "images"}, {"attributes"}, {"documents", "gtin"}):
        terms = msgspec.structs.replace(call, wanted=frozenset(wanted))
        await catalog.search(ProductQuery(), PageRequest(1), call=terms)

    assert [body.get("attributes") for body in peer.asked] == [
        "sku,name",
        "sku,name,brand,image,drawing",
        None,
        "sku,name,gtin,datasheet",
    ]
    assert {body["locales"] for body in peer.asked} == {"fr_FR,de_DE"}
    assert all("scope" not in body for body in peer.asked)


async def test_a_shop_may_show_its_channel_alone() -> None:
    peer = Peer()
    catalog = await warmed(peer, channel_tree_only=True)

    await catalog.search(ProductQuery(), PageRequest(1), call=own_call())

    assert peer.asked[0]["scope"] == "ecommerce"


async def test_options_that_come_too_often_are_throttled() -> None:
    peer = Peer(statuses={"/api/rest/v1/attributes/origin/options": 429})
    catalog = akeneo(peer, tries=1)

    query = filtered("origin", equals="FR")
    with pytest.raises(ThrottledError):
        await catalog.search(query, PageRequest(1), call=own_call())
