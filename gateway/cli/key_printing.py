"""API keys on the terminal: as tables for people, as JSON for programs."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from gateway.access.key_format import Peppers
from gateway.access.key_ring import Issued
from gateway.access.key_store import ApiKey

_WIDE = 400  # in a file or pipe every key is one line


def print_issued(issued: Issued, *, json: bool) -> None:
    """The only time that a key is printed."""
    told = _told(issued.key, None)
    if json:
        _print_json({"key": issued.secret, **told})
        return
    sys.stdout.write(f"key        {issued.secret}\n")
    for name, value in _rows(told):
        sys.stdout.write(f"{name:<10} {value}\n")
    sys.stderr.write("Keep the key now: it is not stored, and never shown again.\n")


def print_keys(keys: Sequence[ApiKey], peppers: Peppers | None, *, json: bool) -> None:
    told = [_told(key, peppers) for key in keys]
    if json:
        _print_json(told)
        return
    from rich.console import Console
    from rich.table import Table

    names = ("id", "name", "kind", "state", "scopes", "customers", "rate class", "origins")
    table = Table(*names, "expires", "last used", box=None, pad_edge=False)
    for one in told:
        rows = dict(_rows(one))
        table.add_row(*(rows.get(name, "") for name in (*names, "expires", "last used")))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)


def _told(key: ApiKey, peppers: Peppers | None) -> dict[str, Any]:
    """Neither digest nor anything else that helps to guess."""
    state = key.state(datetime.now(UTC))
    if state == "live" and peppers is not None and key.pepper_id not in peppers.ids:
        state = "unusable: other pepper"
    return {
        "id": key.id,
        "client": key.client,
        "name": key.name,
        "kind": key.kind.value,
        "state": state,
        "scopes": sorted(key.scopes),
        "customers": "*" if key.customers is None else sorted(key.customers),
        "customer": key.customer,
        "rate_class": key.rate_class,
        "origins": sorted(key.origins),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


def _rows(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("id", told["id"]),
        ("name", told["name"]),
        ("kind", told["kind"]),
        ("state", told["state"]),
        ("scopes", " ".join(told["scopes"])),
        ("customers", " ".join(told["customers"]) or "none"),
        ("rate class", told["rate_class"]),
        ("origins", " ".join(told["origins"]) or "any"),
        ("expires", _minute(told["expires_at"])),
        ("last used", _minute(told["last_used_at"])),
    ]


def _minute(at: datetime | None) -> str:
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def _print_json(value: object) -> None:
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(text.decode() + "\n")
