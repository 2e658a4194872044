"""The structure of the catalogue, files, and the limit on concurrent calls."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from sandbox.akeneo.gate import limited
from sandbox.world import World

ROOT = "/api/rest/v1"
LISTS = (
    "families", "attributes", "attribute-groups", "association-types", "categories", "channels",
    "locales", "currencies", "families/screws/variants", "attributes/finish/options",
)  # fmt: skip


async def _read(client: httpx2.AsyncClient, path: str, **query: str) -> Any:
    answer = await client.get(f"{ROOT}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _codes(client: httpx2.AsyncClient, path: str, **filters: object) -> list[str]:
    page = await _read(client, path, limit="100", search=json.dumps(filters))
    return [row["code"] for row in page["_embedded"]["items"]]


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_and_its_entries(client: httpx2.AsyncClient, path: str) -> None:
    page = await _read(client, path, limit="1", with_count="true")
    (row,) = page["_embedded"]["items"]
    assert page["items_count"] >= 1
    self = row.pop("_links")["self"]["href"]
    assert (await client.get(self)).json() == row
    missing = await client.get(f"{ROOT}/{path}/nope")
    assert (missing.status_code, missing.json()["code"]) == (404, 404)


async def test_categories_by_parent_root_and_code(client: httpx2.AsyncClient, world: World) -> None:
    assert await _codes(client, "categories", is_root=[{"operator": "=", "value": True}]) == [
        "master"
    ]
    below = await _codes(client, "categories", parent=[{"operator": "=", "value": "fastening"}])
    assert below == ["screws", "nuts"]
    wanted = [{"operator": "IN", "value": ["screws", "pumps"]}]
    assert await _codes(client, "categories", code=wanted) == ["screws", "pumps"]
    assert len(await _codes(client, "categories")) == len(world.categories)


async def test_a_position_on_request(client: httpx2.AsyncClient) -> None:
    assert "position" not in await _read(client, "categories/nuts")
    assert (await _read(client, "categories/nuts", with_position="true"))["position"] == 2


async def test_attributes_by_code_type_and_date(client: httpx2.AsyncClient) -> None:
    found = await _codes(
        client, "attributes", type=[{"operator": "IN", "value": ["pim_catalog_table"]}]
    )
    assert found == ["technical_table"]
    since = [{"operator": ">", "value": "2020-01-01T00:00:00Z"}]
    assert "sku" in await _codes(client, "attributes", updated=since)
    between = [{"operator": "BETWEEN", "value": ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"]}]
    assert await _codes(client, "attributes", updated=between) == []


async def test_enabled_locales(client: httpx2.AsyncClient) -> None:
    found = await _codes(client, "locales", enabled=[{"operator": "=", "value": True}])
    assert found == ["de_DE", "en_US", "fr_FR"]


@pytest.mark.parametrize(
    ("path", "filters"),
    [
        ("categories", {"label": [{"operator": "=", "value": "x"}]}),
        ("categories", {"code": [{"operator": "=", "value": "x"}]}),
        ("categories", {"is_root": [{"operator": "=", "value": "yes"}]}),
        ("families", {"code": [{"operator": "IN", "value": "x"}]}),
    ],
)
async def test_searches_not_offered(
    client: httpx2.AsyncClient, path: str, filters: dict[str, object]
) -> None:
    answer = await client.get(f"{ROOT}/{path}", params={"search": json.dumps(filters)})
    assert answer.status_code == 422


async def test_the_identifier_is_told(client: httpx2.AsyncClient) -> None:
    assert (await _read(client, "attributes/sku"))["is_main_identifier"] is True
    assert (await _read(client, "attributes/gtin"))["is_main_identifier"] is False


async def test_a_table_tells_its_columns_and_on_request_their_options(
    client: httpx2.AsyncClient,
) -> None:
    plain = await _read(client, "attributes/technical_table")
    columns = plain["table_configuration"]
    assert [column["code"] for column in columns] == ["characteristic", "value", "tolerance"]
    assert "options" not in columns[0]
    asked = {"with_table_select_options": "true"}
    full = await _read(client, "attributes/technical_table", **asked)
    assert full["table_configuration"][0]["options"][0]["code"] == "mass"
    assert "options" not in full["table_configuration"][1]
    assert (await _read(client, "attributes/sku", **asked))["code"] == "sku"


async def test_variants_of_a_family(client: httpx2.AsyncClient) -> None:
    one = await _read(client, "families/screws/variants/screws_by_thread_length")
    (level,) = one["variant_attribute_sets"]
    assert level["axes"] == ["thread", "length"]
    assert "name" in level["attributes"]
    assert {"brand", "finish"} <= set(one["common_attributes"])
    two = await _read(client, "families/clothing/variants/clothing_by_color_size")
    assert [level["axes"] for level in two["variant_attribute_sets"]] == [["color"], ["size"]]
    assert (await _read(client, "families/pumps/variants"))["_embedded"]["items"] == []


@pytest.mark.parametrize(
    "path",
    ["families/nope/variants", "attributes/nope/options", "attributes/sku/options", "nope"],
)
async def test_what_is_not_there(client: httpx2.AsyncClient, path: str) -> None:
    answer = await client.get(f"{ROOT}/{path}")
    assert answer.status_code == answer.json()["code"] == 404


async def test_a_wrong_method(client: httpx2.AsyncClient) -> None:
    answer = await client.delete(f"{ROOT}/products-uuid")
    assert answer.status_code == answer.json()["code"] == 405


async def test_units_have_symbols_in_every_family_used(
    client: httpx2.AsyncClient, world: World
) -> None:
    families = {row["code"]: row for row in await _read(client, "measurement-families")}
    for attribute in world.attributes:
        if attribute.metric_family:
            assert families[attribute.metric_family]["units"][attribute.unit]["symbol"]


async def test_the_edition_and_the_root_are_told(client: httpx2.AsyncClient) -> None:
    assert (await _read(client, "system-information"))["edition"] == "Serenity"
    root = (await client.get(ROOT, headers={"authorization": ""})).json()
    assert root["authentication"]["fos_oauth_server_token"]["route"] == "/api/oauth/v1/token"


async def test_files(client: httpx2.AsyncClient, world: World) -> None:
    file = next(file for file in world.media.values() if file.filename == "vis-hex.png")
    described = await _read(client, f"media-files/{file.code}")
    assert described["code"] == file.code
    assert (described["mime_type"], described["size"]) == ("image/png", len(file.body))
    href = described["_links"]["download"]["href"]
    download = await client.get(href, headers={"accept": "image/*"})
    assert (download.content, download.headers["content-type"]) == (file.body, "image/png")
    page = await _read(client, "media-files", limit="3")
    assert len(page["_embedded"]["items"]) == 3
    for path in ("media-files/a/b.png", "media-files/a/b.png/download"):
        assert (await client.get(f"{ROOT}/{path}")).status_code == 404


async def test_a_fifth_concurrent_call_is_throttled() -> None:
    held, started = asyncio.Event(), asyncio.Semaphore(0)
    statuses: list[int] = []
    headers: list[dict[bytes, bytes]] = []

    async def slow(_scope: Any, _receive: Any, send: Any) -> None:
        started.release()
        await held.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            headers.append(dict(message["headers"]))

    async def call(path: str) -> None:
        await application({"type": "http", "path": path}, _nothing, send)

    application = limited(slow)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(call(f"{ROOT}/locales"))
            await started.acquire()
        await call(f"{ROOT}/locales")
        assert (statuses, headers[0][b"retry-after"]) == ([429], b"1")
        group.create_task(call("/api/oauth/v1/token"))
        await started.acquire()
        held.set()
    assert statuses == [429, 200, 200, 200, 200, 200]
    await call(f"{ROOT}/locales")
    assert statuses[-1] == 200


async def _nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}
