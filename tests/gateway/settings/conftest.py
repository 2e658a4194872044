"""Tables of a small installation, and how their mistakes are asked for."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from gateway.settings import SettingsError, read

Problems = Callable[..., dict[str, str]]


@pytest.fixture
def tables() -> dict[str, Any]:
    """Two upstreams without any mistake."""
    return {
        "upstreams": {
            "erp-fr": {"kind": "odoo", "base_url": "https://erp.example.com", "api_key": "hush"},
            "dhl": {"kind": "dhl", "base_url": "https://dhl.example.com", "api_key": "hush"},
        },
        "roles": {"pricing": "erp-fr", "tracking": {"dhl": "dhl"}},
    }


@pytest.fixture
def problems() -> Problems:
    """The texts of the problems of tables and environment by path."""

    def ask(tables: Mapping[str, Any], **environ: str) -> dict[str, str]:
        with pytest.raises(SettingsError) as raised:
            read(tables, environ)
        return dict(raised.value.problems)

    return ask
