"""What every upstream is configured with."""

import pytest
from pydantic import ValidationError

from upstream.config import UpstreamConfig


def made(**settings: object) -> UpstreamConfig:
    told = {"kind": "odoo", "base_url": "https://erp.example", **settings}
    return UpstreamConfig.model_validate(told)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("https://erp.example", "https://erp.example"),
        ("https://erp.example/", "https://erp.example"),
        ("http://127.0.0.1:8069/odoo//", "http://127.0.0.1:8069/odoo"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_addresses(told: str, kept: str) -> None:
    assert made(base_url=told).base_url == kept


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("erp.example", "http://"),
        ("ftp://erp.example", "http://"),
        ("https://", "host"),
        ("https://user:secret-1@erp.example", "credentials"),
        ("https://erp.example?database=x", "query"),
        ("https://erp.example/#x", "fragment"),
        ("https://[::1", ""),
    ],
)
def test_addresses_that_cannot_be_meant(told: str, word: str) -> None:
    with pytest.raises(ValidationError) as caught:
        made(base_url=told)

    assert word in str(caught.value)
    assert "secret-1" not in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tries": 0}, {"tries": 6}, {"timeout_seconds": 0}, {"timeout_seconds": 601},
        {"concurrency": 0}, {"rate_per_second": 0}, {"answer_limit_bytes": 1}, {"unknown": 1},
    ],
)  # fmt: skip
def test_values_that_cannot_be_meant(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        made(**wrong)


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(ValidationError):
        made().tries = 3
