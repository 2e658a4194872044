"""What Odoo tells of itself: its version, when the key ends, and how many rows the key sees."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from connectors.odoo.client import OdooClient
from ports.caller import Call
from upstream.diagnosis import Finding, counted, examined, life
from upstream.http import HttpClient, Request

_OLDEST = 19
_INTERNAL = "the user's group of internal users, and no record rule on it"
_SALES = "the group Sales / User: All Documents (own documents alone are none of the gateway's)"
_STOCK = "the group Inventory / User"
_INVOICING = "the group Invoicing / Read-only"
_RENEW = (
    "Make a new key (Preferences > Security > API Keys), put it into next_api_key, and make it "
    "api_key when the old one has ended."
)


class _Counted(NamedTuple):
    """Rows that a key should see; without those `needed` the gateway is of no use."""

    model: str
    domain: Sequence[Sequence[object]]
    right: str
    needed: bool = True


_COUNTED = (
    _Counted("product.product", [["sale_ok", "=", True]], _INTERNAL),
    _Counted("res.partner", [["ref", "!=", False]], _INTERNAL),
    _Counted("product.pricelist", [], _SALES, needed=False),
    _Counted("stock.quant", [], _STOCK, needed=False),
    _Counted("sale.order", [], _SALES),
    _Counted("stock.picking", [["picking_type_code", "=", "outgoing"]], _STOCK),
    _Counted("account.move", [["move_type", "in", ["out_invoice", "out_refund"]]], _INVOICING),
)


class _Version(msgspec.Struct):
    version: str
    version_info: list[object] = []


class _Context(msgspec.Struct):
    uid: int


class _Key(msgspec.Struct):
    expiration_date: str | Literal[False] = False


async def diagnose(client: OdooClient, *, call: Call) -> Sequence[Finding]:
    found = [
        await examined("version", lambda: _version(client, call), "Odoo does not tell"),
        await examined(
            "key life",
            lambda: _key_life(client, call),
            "Odoo does not tell it to this key; keys live three months at the most",
        ),
    ]
    return [*found, *[await _rows(client, one, call) for one in _COUNTED]]


async def _version(client: OdooClient, call: Call) -> Finding:
    """Told to everybody, so that no key is sent."""
    upstream = client.upstream
    own = {"exchanges": upstream.exchanges, "transport": upstream.transport}
    http = HttpClient(upstream.identity, client.config, **own)  # type: ignore[arg-type]
    try:
        told = await http.read(Request("diagnosis", "/web/version"), _Version, call=call)
    finally:
        await http.aclose()
    major = told.version_info[0] if told.version_info else None
    # Hosted databases say `saas~19.1`.
    number = str(major).rpartition("~")[2].partition(".")[0]
    if number.isdigit() and int(number) < _OLDEST:
        return Finding(
            "version",
            "failed",
            f"Odoo {told.version}",
            f"Upgrade to Odoo {_OLDEST}: older ones have no JSON-2 API.",
        )
    return Finding("version", "passed", f"Odoo {told.version}")


async def key_ends(client: OdooClient, call: Call) -> tuple[int, datetime | None]:
    """How many keys the user has, and when the first of them ends.

    Odoo does not tell which of them was used.
    """
    me = await client.ask("diagnosis", "res.users", "context_get", {}, _Context, call=call)
    keys = await client.ask(
        "diagnosis",
        "res.users.apikeys",
        "search_read",
        {"domain": [["user_id", "=", me.uid]], "fields": ["expiration_date"]},
        list[_Key],
        call=call,
    )
    ends = (
        datetime.fromisoformat(one.expiration_date).replace(tzinfo=UTC)
        for one in keys
        if one.expiration_date
    )
    return len(keys), min(ends, default=None)


async def _key_life(client: OdooClient, call: Call) -> Finding:
    count, end = await key_ends(client, call)
    if end is None:
        return Finding("key life", "passed", f"{count} keys of this user, none of which ends")
    return life(end, "the key" if count == 1 else f"the first of {count} keys", _RENEW)


async def _rows(client: OdooClient, one: _Counted, call: Call) -> Finding:
    async def count() -> int:
        asked = {"domain": one.domain}
        return await client.ask("diagnosis", one.model, "search_count", asked, int, call=call)

    return await counted(one.model, count, one.right, needed=one.needed)
