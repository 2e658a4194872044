"""The gateway at work notices that a system's answers are no longer what was recorded."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
from starlette.types import ASGIApp
from structlog.testing import capture_logs

from gateway.app import build
from gateway.settings import read
from tests.end_to_end.conftest import living
from tests.gateway.doctor.conftest import Peer, Surgery

QUERY = "{ products(first: 20) { nodes { sku name } } }"


# Entities are asked whole; of what is asked in part, what is not there tells nothing.
WHOLE = "query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }"


async def asked(app: ASGIApp) -> dict[str, Any]:
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
        answer = await client.post("/graphql", json={"query": QUERY}, timeout=60)
        told: dict[str, Any] = answer.json()
        nodes = told["data"]["products"]["nodes"]
        of = [{"__typename": "Product", "sku": node["sku"]} for node in nodes]
        await client.post("/graphql", json={"query": WHOLE, "variables": {"of": of}}, timeout=60)
    return told


def without_family(path: str, told: Any) -> Any:
    if path.endswith("/products-uuid/search"):
        for item in told["_embedded"]["items"]:
            del item["family"]
    return told


async def test_drift_is_logged_with_the_fields_at_risk(
    surgery: Surgery, peer: Peer, tmp_path: Path
) -> None:
    code, _ = await asyncio.to_thread(surgery.run, "pim", sample=50, record=tmp_path)
    assert code == 0
    peer.twist = without_family
    drift = {"enabled": True, "directory": str(tmp_path), "sample_every": 1}
    settings = read({**surgery.tables, "access": {"anonymous": True}, "drift": drift})

    with capture_logs() as logs:
        app = build(settings)
        async with living(app), asyncio.timeout(30):
            answer = await asked(app)
            while not any(one["event"] == "contract drift" for one in logs):
                await asyncio.sleep(0.01)

    assert len(answer["data"]["products"]["nodes"]) == 20
    event = next(one for one in logs if one["event"] == "contract drift")
    assert (event["upstream"], event["change"]) == ("pim", "missing")
    assert event["place"] == "$._embedded.items[].family"
    assert event["fields"][0] == "Product.family"
