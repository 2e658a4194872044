"""Our answers have the shape of the vendor's published examples: the same keys, the same types.

The vendor's schemas contradict its examples, so only the examples are compared. What our world
does not have at all (workflows, readiness) is left out by name.
"""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

ROOT = "/api/rest/v1"
Published = Callable[[str], Any]

# Keyed by codes of a catalogue, not by names of a format.
_KEYED_BY_CODE = frozenset({
    "values", "labels", "associations", "quantified_associations", "linked_data",
    "attribute_requirements", "conversion_units", "group_labels",
})  # fmt: skip
# Features that the sandbox's PIM has not switched on.
_ABSENT = frozenset({"workflow_execution_statuses", "metadata"})


def _kind(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return "null or boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _differences(ours: Any, theirs: Any, path: str = "$") -> list[str]:
    """Where `ours` lacks a key of `theirs`, or has another type there; null is any type."""
    if ours is None or theirs is None:
        return []
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if path.rpartition(".")[2] in _KEYED_BY_CODE:
            return _of_members(list(ours.values()), list(theirs.values()), path)
        lacking = [f"{path}.{key}" for key in theirs.keys() - ours.keys() - _ABSENT]
        shared = (
            _differences(ours[key], theirs[key], f"{path}.{key}") for key in theirs if key in ours
        )
        return [*lacking, *(each for some in shared for each in some)]
    if isinstance(theirs, list) and isinstance(ours, list):
        return _of_members(ours, theirs, path)
    return [] if _kind(ours) == _kind(theirs) else [f"{path}: {_kind(ours)}"]


def _of_members(ours: list[Any], theirs: list[Any], path: str) -> list[str]:
    """Each of ours is like at least one of theirs."""
    if not theirs:
        return []
    found: list[str] = []
    for mine in ours:
        attempts = [_differences(mine, other, f"{path}[]") for other in theirs]
        found += min(attempts, key=len)
    return found


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("families", "get_families"),
        ("attributes", "get_attributes"),
        ("attributes/color/options", "get_attributes_attribute_code_options"),
        ("categories", "get_categories"),
        ("channels", "get_channels"),
        ("locales", "get_locales"),
        ("currencies", "get_currencies"),
        ("association-types", "get_association-types"),
        ("media-files", "get_media-files"),
    ],
)
async def test_lists(
    client: httpx2.AsyncClient, published: Published, path: str, name: str
) -> None:
    theirs = published(name)
    query = {"limit": "2", "page": "2", "with_position": "true"}
    if path in {"channels", "locales", "currencies"}:
        query["limit"] = "1"
    ours = (await client.get(f"{ROOT}/{path}", params=query)).json()
    assert ours["_embedded"]["items"]
    for links in (ours["_links"], theirs["_links"]):
        links.pop("next", None)  # the last page has none
    assert _differences(ours, theirs) == []


async def test_a_family_variant(client: httpx2.AsyncClient, published: Published) -> None:
    path = f"{ROOT}/families/clothing/variants/clothing_by_color_size"
    ours = (await client.get(path)).json()
    assert _differences(ours, published("get_families_family_code_variants")) == []


_VIEW = {
    # Of the types that the examples show: the form of `data` is the type's.
    "attributes": "sku,name,description,price,brand,finish,certifications",
    "with_attribute_options": "true",
    "with_completenesses": "true",
    "with_quality_scores": "true",
}


async def test_products(client: httpx2.AsyncClient, published: Published) -> None:
    query = {**_VIEW, "page": "3", "limit": "3"}
    ours = (await client.get(f"{ROOT}/products-uuid", params=query)).json()
    assert _differences(ours, published("get_products-uuid")) == []


async def test_searched_products(client: httpx2.AsyncClient, published: Published) -> None:
    path = f"{ROOT}/products-uuid/search?page=3&limit=3"
    ours = (await client.post(path, json=_VIEW)).json()
    assert _differences(ours, published("post_products-uuid_search")) == []


async def test_models(client: httpx2.AsyncClient, published: Published) -> None:
    query = {"pagination_type": "search_after", "limit": "3", "with_quality_scores": "true"}
    query["attributes"] = "description"
    ours = (await client.get(f"{ROOT}/product-models", params=query)).json()
    assert _differences(ours, published("get_product-models")) == []


async def test_a_token(
    stranger: httpx2.AsyncClient, basic: str, login: dict[str, str], published: Published
) -> None:
    headers = {"authorization": basic}
    ours = (await stranger.post("/api/oauth/v1/token", json=login, headers=headers)).json()
    theirs = published("post_api_oauth_v1_token")
    assert ours.keys() == theirs.keys()
    assert _differences(ours, theirs) == []


def test_the_comparison_sees_missing_keys_and_other_types() -> None:
    theirs = {"code": "a", "labels": {"fr_FR": "x"}, "items": [{"n": 1}, {"n": 2, "m": ""}]}
    assert _differences({"code": "b", "labels": {}, "items": [{"n": 3}]}, theirs) == []
    assert set(_differences({"labels": {"de_DE": 1}}, theirs)) == {
        "$.code", "$.items", "$.labels[]: number",
    }  # fmt: skip
    assert _differences({**theirs, "items": [{"m": ""}]}, theirs) == ["$.items[].n"]
