"""What Odoo tells of itself, and what is made of it."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from connectors import registry
from connectors.odoo.config import OdooConfig
from connectors.odoo.connector import Odoo
from upstream.connector import Upstream
from upstream.diagnosis import Expiring, Finding
from upstream.exchanges import Exchanges
from upstream.reference import own_call

DENIED = object()


class Peer:
    """Answers by path; DENIED is Odoo's 403. `keys` tells which paths were asked with a key."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {
            "/web/version": {"version": "19.0", "version_info": [19, 0, 0, "final", 0, ""]},
            "/json/2/res.users/context_get": {"lang": "en_US", "tz": "UTC", "uid": 7},
            "/json/2/res.users.apikeys/search_read": [],
            **{path.replace("__", "/"): one for path, one in answers.items()},
        }
        self.keyed: set[str] = set()
        self.bodies: dict[str, Any] = {}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if "authorization" in request.headers:
            self.keyed.add(path)
        if request.content:
            self.bodies[path] = json.loads(request.content)
        default: Any = [] if path.endswith("search_read") else 3
        answer = self.answers.get(path, default)
        if answer is DENIED:
            return httpx2.Response(403, json={"name": "odoo.exceptions.AccessError"})
        return httpx2.Response(200, json=answer)


async def found_by(peer: Peer) -> Mapping[str, Finding]:
    config = OdooConfig.model_validate(OdooConfig.example())
    manifest = registry.find("odoo").manifest
    odoo = Odoo(Upstream("erp", manifest, Exchanges(), httpx2.MockTransport(peer)), config)
    try:
        steps: Sequence[Finding] = await odoo.diagnose(call=own_call())
    finally:
        await odoo.aclose()
    return {one.step: one for one in steps}


async def test_all_is_well() -> None:
    peer = Peer()
    steps = await found_by(peer)

    assert {one.outcome for one in steps.values()} == {"passed"}
    assert "/web/version" not in peer.keyed
    assert peer.bodies["/json/2/res.users.apikeys/search_read"]["domain"] == [["user_id", "=", 7]]


@pytest.mark.parametrize(
    ("version", "outcome"),
    [
        ([19, 0], "passed"),
        (["saas~19.1", 0], "passed"),
        ([18, 0], "failed"),
        (["saas~18.4"], "failed"),
    ],
    ids=str,
)
async def test_a_version_without_the_api(version: list[Any], outcome: str) -> None:
    told = {"version": "x", "version_info": version}

    assert (await found_by(Peer(__web__version=told)))["version"].outcome == outcome


def ends(*days: int) -> list[dict[str, Any]]:
    moments = [datetime.now(UTC) + timedelta(days=one, hours=1) for one in days]
    return [{"id": 1, "expiration_date": f"{one:%Y-%m-%d %H:%M:%S}"} for one in moments]


@pytest.mark.parametrize(
    ("keys", "outcome", "word"),
    [
        (ends(60), "passed", "the key ends on"),
        (ends(60, 3), "warning", "in 3 days"),
        ([{"id": 1, "expiration_date": False}], "passed", "none of which ends"),
        (DENIED, "skipped", "three months"),
    ],
    ids=["long", "soon", "never", "untold"],
)
async def test_the_days_that_a_key_has_left(keys: Any, outcome: str, word: str) -> None:
    answers = {"__json__2__res.users.apikeys__search_read": keys}
    found = (await found_by(Peer(**answers)))["key life"]

    assert found.outcome == outcome
    assert word in found.detail
    assert (outcome == "warning") is ("next_api_key" in found.remedy)


async def end_told_by(peer: Peer) -> datetime | None:
    config = OdooConfig.model_validate(OdooConfig.example())
    manifest = registry.find("odoo").manifest
    odoo = Odoo(Upstream("erp", manifest, Exchanges(), httpx2.MockTransport(peer)), config)
    assert isinstance(odoo, Expiring)
    try:
        return await odoo.credentials_end(call=own_call())
    finally:
        await odoo.aclose()


async def test_when_the_first_key_ends() -> None:
    keys = [*ends(60, 3), {"id": 3, "expiration_date": False}]
    end = await end_told_by(Peer(**{"__json__2__res.users.apikeys__search_read": keys}))
    assert end is not None
    assert (end - datetime.now(UTC)).days == 3


@pytest.mark.parametrize(("answer", "detail"), [(0, "0 rows"), (DENIED, "UPSTREAM_REFUSED")])
async def test_a_key_that_may_not_see_orders(answer: Any, detail: str) -> None:
    answers = {"__json__2__sale.order__search_count": answer}
    found = (await found_by(Peer(**answers)))["rights sale.order"]

    assert found.outcome == "failed"
    assert detail in found.detail
    assert "All Documents" in found.remedy
