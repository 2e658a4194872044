"""The control plane, over the whole sandbox in process; what needs a wire, over loopback HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import uvicorn
from starlette.types import ASGIApp

from sandbox.app import app
from sandbox.plane import Fault, Plane
from sandbox.seed import build
from sandbox.world import Examples, World

BASE = "http://127.0.0.1:8100"
HEALTH = "/akeneo/api/rest/v1"
"A path that needs no token."


@pytest.fixture(scope="module")
def world() -> World:
    return build()


@pytest.fixture(scope="module")
def sandbox(world: World) -> ASGIApp:
    return app(world, base_url=BASE)


@pytest.fixture
async def client(sandbox: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=sandbox)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
        await client.delete("/_control/faults")
        await client.delete("/_control/calls")
        yield client


@asynccontextmanager
async def _served(application: Any) -> AsyncIterator[str]:
    """The application on a free port of the loopback."""
    bound = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[bound]))
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            server.should_exit = True
            server.force_exit = True
    bound.close()


async def test_every_system_answers_below_its_own_path(client: httpx2.AsyncClient) -> None:
    token = await client.post("/akeneo/api/oauth/v1/token", json={})
    assert token.status_code == 422
    for path in ("/odoo/web/version", "/hubspot/crm/v3/owners", "/dhl/track/shipments"):
        assert (await client.get(path)).status_code != 404
    assert (await client.get("/ups/api/track/v1/details/1Z")).status_code == 401


async def test_an_unknown_system_is_not_found(client: httpx2.AsyncClient) -> None:
    for path in ("/", "/sap", "/akeneox/api"):
        assert (await client.get(path)).status_code == 404


async def test_calls_are_counted_by_system_and_path_without_query(
    client: httpx2.AsyncClient, world: World
) -> None:
    uuid = world.items[0].uuid
    await client.get(f"{HEALTH}/locales?page=2")
    await client.get(f"{HEALTH}/locales")
    await client.get(f"{HEALTH}/products-uuid/{uuid}")
    calls = (await client.get("/_control/calls")).json()
    assert calls["akeneo"] == {
        "total": 3,
        "by_path": {
            "GET /api/rest/v1/locales": 2,
            "GET /api/rest/v1/products-uuid/{id}": 1,
        },
    }
    assert calls["odoo"] == {"total": 0, "by_path": {}}
    assert (await client.delete("/_control/calls")).status_code == 204
    assert (await client.get("/_control/calls")).json()["akeneo"]["total"] == 0


async def test_calls_of_a_broken_system_count_too(client: httpx2.AsyncClient) -> None:
    await client.put("/_control/faults/akeneo", json={"status": 503})
    await client.get(HEALTH)
    assert (await client.get("/_control/calls")).json()["akeneo"]["total"] == 1


async def test_endless_different_paths_are_counted_together() -> None:
    plane = Plane(("one",), Examples("", "", "", "", ""))

    async def inner(*_: object) -> None: ...

    guarded = plane.guarding("one", inner)
    for number in range(2100):
        await guarded({"method": "GET", "path": f"/x{number}"}, _never, _ignored)
    counted = plane.calls()["one"]
    assert counted["total"] == 2100
    assert counted["by_path"]["other"] == 100  # type: ignore[index]


async def _never() -> dict[str, Any]:
    raise AssertionError


async def _ignored(_: Any) -> None: ...


async def test_a_status_is_answered_until_the_fault_is_lifted(client: httpx2.AsyncClient) -> None:
    fault = {"status": 503, "retry_after": 7}
    told = await client.put("/_control/faults/akeneo", json=fault)
    assert told.json()["status"] == 503
    broken = await client.get(HEALTH)
    assert (broken.status_code, broken.headers["retry-after"]) == (503, "7")
    assert (await client.get("/_control/faults/akeneo")).json() == told.json()
    assert (await client.get("/_control/faults")).json() == {"akeneo": told.json()}
    assert (await client.delete("/_control/faults")).status_code == 204
    assert (await client.get(HEALTH)).status_code == 200
    assert (await client.get("/_control/faults")).json() == {}


async def test_one_system_is_lifted_alone(client: httpx2.AsyncClient) -> None:
    for system in ("akeneo", "dhl"):
        await client.put(f"/_control/faults/{system}", json={"status": 500})
    await client.delete("/_control/faults/dhl")
    assert list((await client.get("/_control/faults")).json()) == ["akeneo"]
    await client.delete("/_control/faults/akeneo")
    await client.delete("/_control/faults/akeneo")
    assert (await client.get("/_control/faults/akeneo")).json() is None


async def test_a_new_fault_replaces_the_old_one(client: httpx2.AsyncClient) -> None:
    await client.put("/_control/faults/akeneo", json={"status": 500})
    await client.put("/_control/faults/akeneo", json={"retry_after": 3})
    assert (await client.get(HEALTH)).status_code == 429


async def test_a_fault_may_be_limited_to_paths(client: httpx2.AsyncClient) -> None:
    for path in ("/api/oauth", "/akeneo/api/oauth"):
        await client.put("/_control/faults/akeneo", json={"status": 500, "path": path})
        assert (await client.get(HEALTH)).status_code == 200
        assert (await client.post("/akeneo/api/oauth/v1/token")).status_code == 500


@pytest.mark.parametrize(("rate", "expected"), [(0.5, 5), (0.1, 1), (1, 10), (0, 0), (0.3, 3)])
async def test_an_error_rate_strikes_its_share(
    client: httpx2.AsyncClient, rate: float, expected: int
) -> None:
    await client.put("/_control/faults/akeneo", json={"error_rate": rate})
    statuses = [(await client.get(HEALTH)).status_code for _ in range(10)]
    assert statuses.count(500) == expected
    assert statuses.count(200) == 10 - expected


async def test_malformed_is_broken_json_or_html_under_200(client: httpx2.AsyncClient) -> None:
    await client.put("/_control/faults/akeneo", json={"malformed": True})
    broken = await client.get(HEALTH)
    assert (broken.status_code, broken.headers["content-type"]) == (200, "application/json")
    with pytest.raises(ValueError, match="Unterminated"):
        broken.json()
    await client.put("/_control/faults/akeneo", json={"malformed": "html"})
    page = await client.get(HEALTH)
    assert page.headers["content-type"].startswith("text/html")


async def test_a_share_of_the_answers_may_be_malformed(client: httpx2.AsyncClient) -> None:
    await client.put("/_control/faults/akeneo", json={"malformed": "html", "error_rate": 0.5})
    kinds = [(await client.get(HEALTH)).headers["content-type"] for _ in range(4)]
    assert sum(kind.startswith("text/html") for kind in kinds) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": 99}, {"status": "500"}, {"delay_ms": -1}, {"error_rate": 1.1}, {"hang": 1},
        {"malformed": "xml"}, {"retry_after": -1}, {"unknown": True}, [], "text",
    ],
)  # fmt: skip
async def test_a_wrong_fault_is_refused_and_changes_nothing(
    client: httpx2.AsyncClient, wrong: object
) -> None:
    refused = await client.put("/_control/faults/akeneo", json=wrong)
    assert refused.status_code == 400
    assert refused.json()["error"]
    assert (await client.get("/_control/faults")).json() == {}


async def test_broken_or_huge_bodies_are_refused(client: httpx2.AsyncClient) -> None:
    for body in (b"{", b'{"path": "' + b"x" * 70_000 + b'"}'):
        refused = await client.put("/_control/faults/akeneo", content=body)
        assert refused.status_code == 400


async def test_a_null_is_as_good_as_an_absent_key(client: httpx2.AsyncClient) -> None:
    body = {"status": 502, "delay_ms": None, "hang": None}
    assert (await client.put("/_control/faults/akeneo", json=body)).status_code == 200
    assert (await client.get(HEALTH)).status_code == 502


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/_control/faults/sap", 404),
        ("GET", "/_control/nothing", 404),
        ("GET", "/_control/calls/akeneo", 404),
        ("PUT", "/_control/faults", 405),
        ("POST", "/_control/faults/akeneo", 405),
        ("PUT", "/_control/calls", 405),
    ],
)
async def test_what_the_plane_does_not_know(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    assert (await client.request(method, path, json={})).status_code == status


async def test_the_examples_are_published(client: httpx2.AsyncClient, world: World) -> None:
    examples = (await client.get("/_control/examples")).json()
    assert examples == {
        "sku": world.examples.sku,
        "category": world.examples.category,
        "customer": world.examples.customer,
        "order": world.examples.order,
        "tracking_number": world.examples.tracking_number,
    }


async def test_a_hanging_system_answers_once_it_is_let_go(client: httpx2.AsyncClient) -> None:
    await client.put("/_control/faults/akeneo", json={"hang": True})
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(client.get(HEALTH))
        while not (await client.get("/_control/calls")).json()["akeneo"]["total"]:
            await asyncio.wait({waiting}, timeout=0)
        assert not waiting.done()
        await client.delete("/_control/faults/akeneo")
    assert waiting.result().status_code == 503


async def test_a_hanging_answer_ends_with_its_client(sandbox: ASGIApp) -> None:
    async with _served(sandbox) as url, httpx2.AsyncClient() as client:
        await client.delete(f"{url}/_control/calls")
        await client.put(f"{url}/_control/faults/akeneo", json={"hang": True})
        with pytest.raises(httpx2.ReadTimeout):
            await client.get(url + HEALTH, timeout=0.05)
        assert (await client.get(f"{url}/_control/calls")).json()["akeneo"]["total"] == 1


async def test_a_truncated_answer_promises_more_than_it_sends(sandbox: ASGIApp) -> None:
    async with _served(sandbox) as url, httpx2.AsyncClient() as client:
        await client.put(f"{url}/_control/faults/akeneo", json={"truncate": True})
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get(url + HEALTH)
        await client.delete(f"{url}/_control/faults")
        assert (await client.get(url + HEALTH)).status_code == 200


async def test_a_delay_holds_the_answer_back_and_keeps_it_whole() -> None:
    plane = Plane(("one",), Examples("", "", "", "", ""))
    plane.install("one", Fault(delay_ms=1))
    sent: list[str] = []

    async def inner(_scope: Any, _receive: Any, send: Any) -> None:
        sent.append("asked")
        await send({"type": "http.response.start"})
        await send({"type": "http.response.body"})

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await plane.guarding("one", inner)({"method": "GET", "path": "/"}, _never, send)
    assert sent == ["asked", "http.response.start", "http.response.body"]


async def test_the_application_starts_and_stops_with_its_server(sandbox: ASGIApp) -> None:
    asked = iter(("lifespan.startup", "lifespan.shutdown"))
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": next(asked)}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await sandbox({"type": "lifespan"}, receive, send)
    await sandbox({"type": "websocket"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]
