"""`python -m sandbox` as a process of its own."""

import asyncio
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import httpx2

from sandbox.seed import build

ROOT = Path(__file__).parents[2]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


async def _answering(client: httpx2.AsyncClient, url: str) -> httpx2.Response:
    async with asyncio.timeout(30):
        while True:
            with suppress(httpx2.ConnectError):
                return await client.get(url)


async def test_it_serves_its_links_and_ends_though_an_answer_hangs() -> None:
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", str(port), cwd=ROOT, stderr=asyncio.subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{port}"
    async with httpx2.AsyncClient() as client:
        examples = await _answering(client, f"{base}/_control/examples")
        assert examples.json()["sku"] == build().examples.sku
        root = await client.get(f"{base}/akeneo/api/rest/v1")
        assert root.json()["host"] == f"{base}/akeneo"
        await client.put(f"{base}/_control/faults/akeneo", json={"hang": True})
        hanging = asyncio.create_task(client.get(f"{base}/akeneo/api/rest/v1", timeout=None))
        while (await client.get(f"{base}/_control/calls")).json()["akeneo"]["total"] < 2:
            pass
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            await process.wait()
        with suppress(httpx2.HTTPError):
            await hanging
