"""The search grammar: each operator finds what the seed holds, and nothing else is understood."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sandbox.world import Item, World
from tests.sandbox.akeneo.conftest import Search

Refused = Callable[[str, object], Awaitable[str]]
SKU = "VIS-HEX-M8X40-A2"


def _one(operator: str, value: Any = None, **place: str) -> list[dict[str, Any]]:
    return [{"operator": operator, "value": value, **place}]


def _data(item: Item, code: str) -> Any:
    return item.values[code][0].data if code in item.values else None


def _expected(world: World, holds: Callable[[Item], bool]) -> list[str]:
    return [item.sku for item in world.items if holds(item)][:100]


async def test_identifiers(search: Search, world: World) -> None:
    assert await search({"sku": _one("IN", [SKU, "NOPE", "CLE-CHROME-13"])}) == [
        SKU,
        "CLE-CHROME-13",
    ]
    assert await search({"sku": _one("=", SKU)}) == [SKU]
    assert await search({"sku": _one("IN", [])}) == []
    expected = _expected(world, lambda item: "m8x40" in item.sku.casefold())
    assert await search({"sku": _one("CONTAINS", "m8x40")}) == expected
    expected = _expected(world, lambda item: item.sku.startswith("POMPE-VACUUM"))
    assert await search({"sku": _one("STARTS WITH", "POMPE-VACUUM")}) == expected
    narrow = {"sku": [*_one("STARTS WITH", "CLE-"), *_one("DOES NOT CONTAIN", "CHROME")]}
    expected = _expected(world, lambda item: item.sku.startswith("CLE-INSULATED"))
    assert await search(narrow) == expected


async def test_uuids(search: Search, world: World) -> None:
    wanted = [world.items[5], world.items[1999]]
    uuids = [item.uuid for item in wanted]
    assert await search({"uuid": _one("IN", uuids)}) == [item.sku for item in wanted]
    assert SKU not in await search({"uuid": _one("NOT IN", uuids), "sku": _one("=", wanted[0].sku)})


async def test_status(search: Search, world: World) -> None:
    disabled = _expected(world, lambda item: not item.enabled)
    assert await search({"enabled": _one("=", False)}) == disabled
    assert await search({"enabled": _one("!=", True)}) == disabled


@pytest.mark.parametrize(
    ("operator", "codes", "holds"),
    [
        ("IN", ["washers"], lambda own: "washers" in own),
        ("IN CHILDREN", ["nuts"], lambda own: bool({"hex_nuts", "lock_nuts", "washers"} & own)),
        ("IN CHILDREN", ["master", "pumps"], lambda _: True),
        ("IN", ["nuts"], lambda _: False),
        ("NOT IN CHILDREN", ["master"], lambda _: False),
        ("NOT IN", ["hex_screws"], lambda own: "hex_screws" not in own),
        ("IN OR UNCLASSIFIED", ["pumps"], lambda own: "pumps" in own),
        ("UNCLASSIFIED", None, lambda _: False),
        ("IN", ["clearance"], lambda own: "clearance" in own),
    ],
)
async def test_categories(
    search: Search,
    world: World,
    operator: str,
    codes: list[str] | None,
    holds: Callable[[set[str]], bool],
) -> None:
    expected = _expected(world, lambda item: holds(set(item.categories)))
    assert await search({"categories": _one(operator, codes)}) == expected


async def test_families_and_groups(search: Search, world: World) -> None:
    expected = _expected(world, lambda item: item.family in {"pumps", "valves"})
    assert await search({"family": _one("IN", ["pumps", "valves"])}) == expected
    assert await search({"family": _one("EMPTY")}) == []
    others = [family.code for family in world.families if family.code != "pumps"]
    expected = _expected(world, lambda item: item.family == "pumps")
    assert await search({"family": _one("NOT IN", others), "groups": _one("EMPTY")}) == expected
    assert await search({"groups": _one("NOT EMPTY")}) == []


async def test_parents(search: Search, world: World) -> None:
    direct = _expected(world, lambda item: item.model == "VESTE-RAIN-RED")
    assert await search({"parent": _one("IN", ["VESTE-RAIN-RED"])}) == direct
    below = _expected(world, lambda item: (item.model or "").startswith("VESTE-RAIN"))
    assert len(below) == 20
    assert await search({"parent": _one("=", "VESTE-RAIN")}) == below
    assert await search({"parent": _one("IN", ["VESTE-RAIN"])}) == []
    simple = {"parent": _one("EMPTY"), "family": _one("IN", ["screws", "pumps"])}
    assert await search(simple) == _expected(world, lambda item: item.family == "pumps")
    variant = {"parent": _one("NOT EMPTY"), "family": _one("IN", ["pumps", "belts"])}
    assert await search(variant) == _expected(world, lambda item: item.family == "belts")


async def test_moments(search: Search, world: World) -> None:
    oils = {"family": _one("IN", ["oils"])}
    items = sorted(
        (item for item in world.items if item.family == "oils"), key=lambda item: item.updated
    )
    middle = items[10].updated
    text = middle.strftime("%Y-%m-%d %H:%M:%S")
    last = items[-1].updated.strftime("%Y-%m-%d %H:%M:%S")

    async def found(operator: str, value: object) -> set[str]:
        return set(await search(oils | {"updated": _one(operator, value)}))

    after = {item.sku for item in items if item.updated > middle}
    assert await found(">", text) == after
    assert await found("<", text) == {item.sku for item in items if item.updated < middle}
    assert await found("=", text) == {items[10].sku}
    assert await found("!=", text) == {item.sku for item in items} - {items[10].sku}
    assert await found("BETWEEN", [text, last]) == after | {items[10].sku}
    assert await found("NOT BETWEEN", [text, last]) == await found("<", text)
    since = world.now - timedelta(days=60)
    assert await found("SINCE LAST N DAYS", 60) == {
        item.sku for item in items if item.updated >= since
    }
    assert await search({"created": _one("SINCE LAST N DAYS", 10)}) == []


async def test_texts(search: Search, world: World) -> None:
    words = {"name": _one("CONTAINS", "POMPE à vide", locale="fr_FR")}
    expected = _expected(world, lambda item: item.name["fr_FR"].startswith("Pompe à vide"))
    assert await search(words) == expected
    place = {"locale": "de_DE", "scope": "ecommerce"}
    gaps = {"description": _one("EMPTY", **place), "family": _one("IN", ["screws", "nuts_washers"])}

    def untranslated(item: Item) -> bool:
        told = {(value.locale, value.scope) for value in item.values["description"]}
        return item.family in {"screws", "nuts_washers"} and ("de_DE", "ecommerce") not in told

    assert await search(gaps) == _expected(world, untranslated)
    name = next(item.name["fr_FR"] for item in world.items if item.sku == SKU)
    exact = {"name": _one("=", name.upper(), locale="fr_FR")}
    assert await search(exact) == [SKU]
    assert await search({"norm": _one("!=", "x"), "sku": _one("=", SKU)}) == [SKU]


async def test_options(search: Search, world: World) -> None:
    expected = _expected(
        world, lambda item: _data(item, "voltage") and _data(item, "port") == "G1_4"
    )
    assert await search({"port": _one("IN", ["G1_4"]), "voltage": _one("NOT EMPTY")}) == expected
    seals = {"family": _one("IN", ["oils"]), "certifications": _one("IN", ["atex", "ul"])}

    def certified(item: Item) -> bool:
        return item.family == "oils" and bool({"atex", "ul"} & set(_data(item, "certifications")))

    assert await search(seals) == _expected(world, certified)
    absent = {"grade": _one("NOT IN", ["FOOD"]), "family": _one("IN", ["pumps"])}
    assert await search(absent) == _expected(world, lambda item: item.family == "pumps")


@pytest.mark.parametrize(
    ("operator", "value", "holds"),
    [
        (">=", {"amount": "5", "unit": "CENTIMETER"}, lambda mm: mm >= 50),
        (">", 50, lambda mm: mm > 50),
        ("<", {"amount": 20, "unit": "MILLIMETER"}, lambda mm: mm < 20),
        ("<=", "20", lambda mm: mm <= 20),
        ("=", 40.0, lambda mm: mm == 40),
        ("!=", 40, lambda mm: mm != 40),
    ],
)
async def test_metrics(
    search: Search, world: World, operator: str, value: object, holds: Callable[[float], bool]
) -> None:
    filters = {"length": _one(operator, value), "parent": _one("=", "VIS-CHC-A4")}

    def matches(item: Item) -> bool:
        return item.model == "VIS-CHC-A4" and holds(float(_data(item, "length")["amount"]))

    assert await search(filters) == _expected(world, matches)


async def test_numbers_prices_booleans_and_dates(search: Search, world: World) -> None:
    wide = _expected(world, lambda item: (_data(item, "dn") or 0) > 50)
    assert await search({"dn": _one(">", 50)}) == wide
    dear = _expected(world, lambda item: item.list_price > 900)
    assert await search({"price": _one(">", {"amount": 900, "currency": "EUR"})}) == dear
    assert await search({"price": _one(">", 900)}) == dear
    assert await search({"price": _one(">", {"amount": 0, "currency": "USD"})}) == []
    risky = _expected(world, lambda item: _data(item, "hazardous"))
    assert await search({"hazardous": _one("=", True)}) == risky
    day = sorted(_data(item, "available_since") for item in world.items)[20]
    early = set(_expected(world, lambda item: _data(item, "available_since") < day))
    assert set(await search({"available_since": _one("<", day)})) == early
    between = _one("BETWEEN", ["2000-01-01", day])
    assert set(await search({"available_since": between})) >= early


async def test_completeness_and_quality(search: Search) -> None:
    gaps = {"completeness": _one("<", 100, scope="ecommerce"), "family": _one("IN", ["pumps"])}
    poor = set(await search(gaps))
    assert poor
    everywhere = _one("GREATER OR EQUALS THAN ON ALL LOCALES", 100, scope="ecommerce")
    full = set(await search({"completeness": everywhere, "family": _one("IN", ["pumps"])}))
    assert poor.isdisjoint(full)
    assert len(poor | full) == 40
    best = _one("IN", ["A"], scope="print", locale="fr_FR")
    assert SKU in await search({"quality_score": best, "sku": _one("=", SKU)})


async def test_places_told_once(search: Search) -> None:
    words = {"description": _one("CONTAINS", "Qualité"), "sku": _one("=", SKU)}
    found = await search(words, search_locale="fr_FR", search_scope="ecommerce")
    assert found == [SKU]


@pytest.mark.parametrize("text", ["{", "nope"])
async def test_broken_json_is_a_bad_request(client: httpx2.AsyncClient, text: str) -> None:
    answer = await client.get("/api/rest/v1/products-uuid", params={"search": text})
    assert answer.status_code == answer.json()["code"] == 400


@pytest.mark.parametrize("search_", [{"sku": []}, 5, ["x"], None])
async def test_a_search_is_a_stringified_object(
    client: httpx2.AsyncClient, search_: object
) -> None:
    answer = await client.post("/api/rest/v1/products-uuid/search", json={"search": search_})
    assert answer.status_code == (200 if search_ is None else 422)
    for text in ('"x"', "[1]"):
        refused = await client.get("/api/rest/v1/products-uuid", params={"search": text})
        assert refused.status_code == 422
    empty = await client.get("/api/rest/v1/products-uuid", params={"search": "[]"})
    assert empty.status_code == 200


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("sku", {"operator": "=", "value": "x"}),
        ("sku", ["x"]),
        ("sku", [{"value": "x"}]),
        ("colour", _one("=", "x")),
        ("sku", _one("LIKE", "x")),
        ("sku", _one("IN", "x")),
        ("sku", _one("IN", [1])),
        ("sku", _one("=", 1)),
        ("sku", _one("IN", [str(n) for n in range(101)])),
        ("uuid", _one("=", "x")),
        ("enabled", _one("=", "true")),
        ("enabled", _one(">", True)),
        ("family", _one("IN", ["nope"])),
        ("family", _one("=", "screws")),
        ("groups", _one("IN", ["nope"])),
        ("groups", _one("=", "nope")),
        ("categories", _one("IN", ["nope"])),
        ("categories", _one("=", ["screws"])),
        ("parent", _one("=", "nope")),
        ("parent", _one("LIKE", "nope")),
        ("updated", _one(">", "2026-01-01")),
        ("updated", _one(">", 5)),
        ("updated", _one("BETWEEN", ["2026-01-01 00:00:00"])),
        ("updated", _one("SINCE LAST N DAYS", "5")),
        ("updated", _one("LIKE", "2026-01-01 00:00:00")),
        ("completeness", _one("=", 100)),
        ("completeness", _one("LIKE", 100, scope="print")),
        ("completeness", _one("=", "full", scope="print")),
        ("quality_score", _one("IN", ["A"])),
        ("name", _one("CONTAINS", "x")),
        ("name", _one("CONTAINS", "x", locale="it_IT")),
        ("name", _one("CONTAINS", "x", locale="fr_FR", scope="ecommerce")),
        ("brand", _one("IN", ["norval"], locale="fr_FR")),
        ("brand", _one("IN", ["nope"])),
        ("brand", _one("=", "norval")),
        ("description", _one("CONTAINS", "x", locale="fr_FR")),
        ("description", _one("CONTAINS", "x", locale="fr_FR", scope="fax")),
        ("length", _one(">", "long")),
        ("length", _one(">", True)),
        ("length", _one(">", {"amount": 1, "unit": "PARSEC"})),
        ("length", _one("CONTAINS", 5)),
        ("hazardous", _one("CONTAINS", True)),
        ("available_since", _one("BETWEEN", ["2026-01-01"])),
        ("available_since", _one("LIKE", "2026-01-01")),
        ("technical_table", _one("=", "x")),
    ],
)
async def test_what_the_grammar_refuses(refused: Refused, name: str, condition: object) -> None:
    message = await refused(name, condition)
    assert name in message
