"""The conformance audits of npm's graphql-http against the endpoint, over real HTTP."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

AUDITS = Path(__file__).parents[1] / "http_audits"

pytestmark = pytest.mark.node


async def run(*command: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=AUDITS, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    if process.returncode:
        pytest.fail(f"{command[0]} failed: {err.decode()}")
    return out


@pytest.fixture
async def installed() -> None:
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("node and npm are not installed")
    lock = AUDITS / "package-lock.json"
    kept = AUDITS / "node_modules" / ".package-lock.json"
    if not kept.exists() or kept.stat().st_mtime < lock.stat().st_mtime:
        await run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")


@pytest.mark.usefixtures("installed")
async def test_every_audit_passes(app: ASGIApp, serve: Callable[[ASGIApp], Any]) -> None:
    async with serve(app) as address:
        findings = json.loads(await run("node", "audit.mjs", f"{address}/graphql"))
    failed = [
        f"{one['id']} {one['name']}: {one['reason']}" for one in findings if one["status"] != "ok"
    ]
    assert failed == []
    assert len(findings) == 61


def test_the_lock_names_no_host() -> None:
    assert "://" not in (AUDITS / "package-lock.json").read_text()
