"""A second upstream of a role is another one that serves it, or the start fails with the reason."""

from typing import Any

import pytest

from gateway.app import Wiring
from gateway.settings import Problem, SettingsError, read
from upstream.fallback import Fallback
from upstream.guard import Guarded

UPSTREAMS = {
    "erp": {"kind": "odoo", "base_url": "http://127.0.0.1:1", "api_key": "k"},
    "dhl": {"kind": "dhl", "base_url": "http://127.0.0.1:1", "api_key": "k"},
    "other": {"kind": "dhl", "base_url": "http://127.0.0.1:2", "api_key": "k"},
    "nightly": {"kind": "nightly", "directory": "/srv/nightly", "stock_file": "stock.csv"},
}
TITLE = "Nightly export (CSV or JSON lines)"
ROLES = {"stock": "erp", "orders": "erp", "tracking": {"dhl": "dhl"}}


def tables(**fallbacks: Any) -> dict[str, Any]:
    return {"upstreams": UPSTREAMS, "roles": ROLES, "fallbacks": fallbacks}


def test_a_role_may_have_a_second_upstream() -> None:
    settings = read(tables(stock="nightly", tracking={"DHL": "other"}))

    assert (settings.fallbacks.stock, settings.fallbacks.tracking) == ("nightly", {"dhl": "other"})
    assert settings.fallbacks.first_share == 0.5


def test_it_may_be_named_by_a_variable() -> None:
    settings = read(tables(), {"PASSERELLE_FALLBACKS__STOCK": "nightly"})

    assert settings.fallbacks.stock == "nightly"


@pytest.mark.parametrize(
    ("fallbacks", "path", "text"),
    [
        (
            {"stock": "nightli"},
            "fallbacks.stock",
            "no upstream 'nightli'; there are erp, dhl, other, nightly; did you mean nightly?",
        ),
        (
            {"orders": "nightly"},
            "fallbacks.orders",
            f"'nightly' is {TITLE}, which serves stock, pricing, not orders",
        ),
        ({"stock": "erp"}, "fallbacks.stock", "'erp' is roles.stock already; name another one"),
        (
            {"pricing": "nightly"},
            "fallbacks.pricing",
            "no upstream comes first; name it in roles.pricing",
        ),
        (
            {"tracking": {"DHL": "dhl"}},
            "fallbacks.tracking.DHL",
            "'dhl' is roles.tracking.DHL already; name another one",
        ),
        (
            {"tracking": {"ups": "dhl"}},
            "fallbacks.tracking.ups",
            "no upstream comes first; name it in roles.tracking.ups",
        ),
        ({"stok": "nightly"}, "fallbacks.stok", "unknown key; did you mean stock?"),
        ({"first_share": 1}, "fallbacks.first_share", "must be less than 1"),
    ],
    ids=["unknown", "not served", "the same", "no first", "carrier", "no carrier", "typo", "share"],
)
def test_a_mistake_is_told(fallbacks: dict[str, Any], path: str, text: str) -> None:
    with pytest.raises(SettingsError) as told:
        read(tables(**fallbacks))

    assert told.value.problems == (Problem(path, text),)


async def test_only_roles_with_a_second_upstream_are_asked_through_it() -> None:
    wiring = Wiring(read(tables(stock="nightly", tracking={"dhl": "other"})))

    assert isinstance(wiring.ports.stock, Fallback)
    assert isinstance(wiring.ports.tracking["dhl"], Fallback)
    assert isinstance(wiring.ports.orders, Guarded)
    assert {one.upstream.name: one.roles for one in wiring.watched()} == {
        "erp": ("stock", "orders"),
        "dhl": ("tracking",),
        "other": ("tracking",),
        "nightly": ("stock",),
    }
    await wiring.aclose()
