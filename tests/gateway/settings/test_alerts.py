"""`[[alerts]]` and `[alerting]`: by list or by name, secrets kept, mistakes told."""

from datetime import date
from typing import Any

import pytest

from gateway.settings import read
from gateway.settings.problems import SettingsError
from gateway.telemetry.alerts import EVENTS

URL = "https://hooks.example.com/T0/secret-path"


def test_by_list_and_by_name() -> None:
    listed = read({"alerts": [{"name": "ops", "url": URL}]}).alerts
    named = read({"alerts": {"ops": {"url": URL}}}).alerts

    assert listed == named
    target = named[0].target()
    assert (target.name, target.address, target.kind) == ("ops", URL, "generic")
    assert target.events == frozenset(EVENTS)


def test_an_address_is_a_secret() -> None:
    settings = read({"alerts": [{"url": URL, "secret": "0123456789abcdef"}]})

    assert "secret-path" not in repr(settings)
    assert "0123456789abcdef" not in repr(settings)


def test_days_of_credentials() -> None:
    told = read({"alerting": {"expiries": {"erp_key": date(2027, 1, 31), "crm": "2027-02-01"}}})

    assert dict(told.alerting.expiries) == {"erp_key": date(2027, 1, 31), "crm": date(2027, 2, 1)}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"url": "ftp://x/secret-path"}, "http"),
        ({"url": URL, "kind": "pigeon"}, "generic"),
        ({"url": URL, "events": []}, "at least 1"),
        ({"url": URL, "events": ["weather"]}, "system"),
        ({"url": URL, "secret": "short"}, "16 characters"),
        ({"url": URL, "secret": "whsec_not base64 at all"}, "base64"),
        ({}, "missing"),
    ],
    ids=["scheme", "kind", "none", "event", "short", "encoding", "missing"],
)
def test_what_cannot_be_meant(table: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as problem:
        read({"alerts": [table]})

    assert words in str(problem.value)
    assert "secret-path" not in str(problem.value)
