"""What the PIM tells of itself: version and edition, and how many rows the connection sees."""

from collections.abc import Sequence
from typing import Any

import msgspec

from connectors.akeneo.client import AkeneoClient, Question
from connectors.akeneo.payloads import ListPage
from ports.caller import Call
from upstream.diagnosis import Finding, counted, examined

# Path of the list, the permission that opens it, and whether nothing works without.
_COUNTED = (
    ("channels", "List channels", True),
    ("categories", "List categories", True),
    ("attributes", "List attributes", True),
    ("families", "List families", False),
)


class _System(msgspec.Struct):
    version: str
    edition: str | None = None


async def diagnose(client: AkeneoClient, *, call: Call) -> Sequence[Finding]:
    untold = "the PIM does not tell it to this connection"
    found = [
        await examined("version", lambda: _version(client, call), untold),
        Finding("key life", "skipped", "an Akeneo connection does not end; its tokens are renewed"),
    ]
    for path, permission, needed in _COUNTED:
        found.append(await _rows(client, path, permission, needed=needed, call=call))
    right = "the connection's user group the right to view the categories of the products"
    everything = Question()
    found.append(await counted("products", lambda: client.count(everything, call=call), right))
    return found


async def _version(client: AkeneoClient, call: Call) -> Finding:
    told = await client.one("/system-information", _System, "diagnosis", call=call)
    if told is None:
        return Finding("version", "skipped", "the PIM has no such endpoint")
    return Finding("version", "passed", f"Akeneo {told.version} {told.edition or ''}".rstrip())


async def _rows(
    client: AkeneoClient, path: str, permission: str, *, needed: bool, call: Call
) -> Finding:
    async def count() -> int | None:
        asked = {"limit": "1", "with_count": "true"}
        page = await client.one(f"/{path}", ListPage[Any], "diagnosis", call=call, **asked)
        return page.items_count if page is not None else 0

    right = f"the role of the connection the permission Web API > {permission}"
    return await counted(path, count, right, needed=needed)
