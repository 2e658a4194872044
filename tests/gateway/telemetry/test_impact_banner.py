"""The line for shoppers: in their language, and nothing that is not theirs to know."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.settings.status import BannerSettings
from gateway.telemetry.impact_banner import TEXTS, TOPICS, Banner, BannerTexts
from ports.common import SystemName
from ports.systems import Impact, LastError, Latency, StandIn, System, SystemStatus

SINCE = datetime(2026, 3, 1, 8, 30, 15, 999, tzinfo=UTC)
OLD = Impact(5, (), stand_ins=(StandIn("pricing.prices", "stale", 3, 60.0),))
MISSING = Impact(5, (), failed=2, stand_ins=OLD.stand_ins)


def erp(status: SystemStatus, impact: Impact | None = None, **more: Any) -> System:
    return System(
        **{
            "name": SystemName.ERP,
            "upstream": "secret-erp",
            "connector": "odoo",
            "status": status,
            "since": SINCE,
            "latency": Latency(),
            "error_rate": 1.0,
            "roles": ("stock", "pricing", "shipments", "tracking"),
            "last_error": LastError(SINCE, "UPSTREAM_UNAVAILABLE", "ERP is not available."),
            "impact": impact,
            **more,
        }
    )


def test_nothing_is_said_while_nothing_is_wrong() -> None:
    assert BannerTexts().banner([erp(SystemStatus.UP)], "en") == Banner(None, "none", None)


def test_failures_that_no_shopper_notices_are_not_told() -> None:
    assert BannerTexts().banner([erp(SystemStatus.DEGRADED, Impact(5, ()))], "en").text is None


@pytest.mark.parametrize(
    ("impact", "severity"), [(OLD, "warning"), (MISSING, "critical"), (None, "critical")]
)
def test_how_bad_it_is(impact: Impact | None, severity: str) -> None:
    told = BannerTexts().banner([erp(SystemStatus.DOWN, impact)], "en")

    assert told.severity == severity
    assert told.since == SINCE.replace(microsecond=0)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("en", ["prices, availability, parcel tracking"]),
        ("fr-BE", ["prix, disponibilité", "pas être à jour"]),
        ("DE", ["Preise, Verfügbarkeit", "zurzeit"]),
        ("nl", ["prices"]),
    ],
)
def test_in_the_shoppers_language(wanted: str, words: list[str]) -> None:
    text = BannerTexts().banner([erp(SystemStatus.DOWN, OLD)], wanted).text

    assert text is not None
    assert all(word in text for word in words)


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_neither_system_nor_error_is_named(language: str) -> None:
    text = BannerTexts().banner([erp(SystemStatus.DOWN, MISSING)], language).text or ""

    assert not [word for word in ("erp", "odoo", "UPSTREAM", "{") if word.lower() in text.lower()]
    assert TOPICS[language].keys() == TOPICS["en"].keys()


def test_words_of_ones_own() -> None:
    told = BannerSettings(
        outdated={"nl": "Verouderd: {topics}."},
        missing={"en": "Missing: {topics}."},
        topics={"nl": {"prices": "prijzen"}},
    ).texts("nl-BE")

    dutch = told.banner([erp(SystemStatus.DOWN, OLD)], "it").text
    assert dutch == "Verouderd: prijzen, availability, parcel tracking."
    english = told.banner([erp(SystemStatus.DOWN)], "en").text
    assert english == "Missing: prices, availability, parcel tracking."


@pytest.mark.parametrize(
    "table",
    [
        {"outdated": {"en": "no place"}},
        {"topics": {"en": {"weather": "w"}}},
        {"missing": {"E N": "{topics}"}},
    ],
    ids=["place", "topic", "language"],
)
def test_words_that_cannot_be_meant(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"topics|weather|pattern"):
        BannerSettings(**table)
