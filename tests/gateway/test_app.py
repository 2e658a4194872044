import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import msgspec
import pytest

from gateway.app import Wiring, build
from gateway.settings import read
from ports.caller import Call
from ports.common import SystemName
from ports.errors import UnavailableError
from upstream.config import UpstreamConfig
from upstream.connector import Manifest, Upstream
from upstream.reference import own_call

MANIFEST = Manifest(
    name="broken",
    title="A connector that cannot be built",
    system=SystemName.PIM,
    ports=("catalog",),
    connector="broken_connector:Broken",
    config="broken_connector:Config",
)


class Config(UpstreamConfig):
    """Nothing of its own."""


class Broken:
    manifest = MANIFEST

    def __init__(self, upstream: Upstream, config: UpstreamConfig) -> None:
        raise RuntimeError("licence file /secret/path is missing")


@pytest.fixture
def tables() -> Iterator[dict[str, Any]]:
    module = ModuleType("broken_connector")
    module.Broken, module.Config = Broken, Config  # type: ignore[attr-defined]
    sys.modules["broken_connector"] = module
    yield {
        "upstreams": {"pim": {"kind": "broken_connector:Broken", "base_url": "http://127.0.0.1:1"}},
        "roles": {"catalog": "pim"},
        "access": {"anonymous": True},
    }
    del sys.modules["broken_connector"]


async def test_a_connector_that_cannot_be_built_does_not_stop_the_others(
    tables: dict[str, Any],
) -> None:
    transport = httpx2.ASGITransport(app=build(read(tables)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.post(
            "/graphql", json={"query": '{ viewer { kind } product(sku: "x") { name } }'}
        )

    told = answer.json()
    assert told["data"] == {"viewer": {"kind": "ANONYMOUS"}, "product": None}
    assert [one["extensions"]["code"] for one in told["errors"]] == ["UPSTREAM_UNAVAILABLE"]
    assert "secret" not in answer.text


async def test_its_check_fails(tables: dict[str, Any]) -> None:
    wiring = Wiring(read(tables))

    with pytest.raises(UnavailableError):
        await wiring.connections["pim"].connector.check(call=own_call())
    await wiring.aclose()


async def test_an_upstream_that_is_down_does_not_stop_the_start(tmp_path: Path) -> None:
    tables = {
        "upstreams": {
            "erp": {"kind": "odoo", "base_url": "http://127.0.0.1:1", "api_key": "0123456789abcdef"}
        },
        "roles": {"stock": "erp", "pricing": "erp"},
        "access": {"anonymous": True},
    }
    transport = httpx2.ASGITransport(app=build(read(tables)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        ready = await client.get("/readyz")
        answer = await client.post("/graphql", json={"query": "{ viewer { subject } }"})

    assert ready.status_code == 200
    assert "errors" not in answer.json()


class Knows:
    manifest = msgspec.structs.replace(MANIFEST, name="knows", ports=("directory",))

    def __init__(self, upstream: Upstream, config: UpstreamConfig) -> None:
        self.asked: list[str] = []

    def ports(self) -> dict[str, object]:
        return {"directory": self}

    async def customers_of(
        self, subject: str, email: str | None, /, *, call: Call
    ) -> tuple[str, ...]:
        self.asked.append(subject)
        return ("C1",)

    async def aclose(self) -> None:
        """Holds nothing."""


async def test_a_directory_is_asked_behind_the_guard(
    tables: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = msgspec.structs.replace(Knows.manifest, connector="broken_connector:Knows")
    monkeypatch.setattr(Knows, "manifest", manifest)
    sys.modules["broken_connector"].Knows = Knows  # type: ignore[attr-defined]
    table = {"kind": "broken_connector:Knows", "base_url": "http://127.0.0.1:1"}
    wiring = Wiring(read({"upstreams": {"people": table}, "roles": {"directory": "people"}}))

    assert wiring.directory is not None
    assert await wiring.directory.customers_of("jo", None, call=own_call()) == ("C1",)
    await wiring.aclose()


async def test_every_answer_tells_what_is_left_of_the_quota(tables: dict[str, Any]) -> None:
    transport = httpx2.ASGITransport(app=build(read({"access": {"anonymous": True}})))
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.post("/graphql", json={"query": "{ viewer { kind } }"})

    assert answer.status_code == 200
    assert '"anonymous-cost"' in answer.headers["ratelimit"]
    assert '"anonymous-cost"' in answer.headers["ratelimit-policy"]
