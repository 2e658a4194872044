"""What the PIM tells of itself, and what is made of it."""

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from connectors import registry
from connectors.akeneo.config import AkeneoConfig
from connectors.akeneo.connector import Akeneo
from upstream.connector import Upstream
from upstream.diagnosis import Finding
from upstream.exchanges import Exchanges
from upstream.reference import own_call


async def found_by(**answers: tuple[int, Any]) -> Mapping[str, Finding]:
    """`answers` by the last part of the path, with `_` for `-`."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.rpartition("/")[2].replace("-", "_")
        if name == "token":
            return httpx2.Response(200, json={"access_token": "t", "expires_in": 3600})
        page = {"_embedded": {"items": []}, "_links": {}, "items_count": 12}
        status, told = answers.get(name, (200, page))
        return httpx2.Response(status, json=told)

    config = AkeneoConfig.model_validate(AkeneoConfig.example())
    manifest = registry.find("akeneo").manifest
    pim = Akeneo(Upstream("pim", manifest, Exchanges(), httpx2.MockTransport(answer)), config)
    try:
        return {one.step: one for one in await pim.diagnose(call=own_call())}
    finally:
        await pim.aclose()


async def test_all_is_well() -> None:
    steps = await found_by(system_information=(200, {"version": "7.0.1", "edition": "EE"}))

    assert steps["version"].detail == "Akeneo 7.0.1 EE"
    assert steps["rights products"].detail == "12 rows"
    assert {one.outcome for one in steps.values()} == {"passed", "skipped"}


@pytest.mark.parametrize("status", [403, 404])
async def test_a_version_that_is_not_told(status: int) -> None:
    steps = await found_by(system_information=(status, {"code": status}))

    assert steps["version"].outcome == "skipped"


@pytest.mark.parametrize(("path", "outcome"), [("categories", "failed"), ("families", "warning")])
async def test_lists_that_are_refused(path: str, outcome: str) -> None:
    steps = await found_by(**{path: (403, {"code": 403})})

    assert steps[f"rights {path}"].outcome == outcome
    assert f"List {path}" in steps[f"rights {path}"].remedy
