"""UPS's codes, whatever it combines."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.ups.client import Activity, Package, Status
from connectors.ups.mapping import tracking
from connectors.ups.words import status_of, word_of
from ports.common import Freshness, SystemName
from ports.tracking import ShipmentStatus as S

_NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "code", "status_code", "status"),
    [
        ("D", "2Q", "040", S.AVAILABLE_FOR_PICKUP),
        ("D", "2Q", None, S.AVAILABLE_FOR_PICKUP),
        ("D", "FS", "011", S.DELIVERED),
        ("D", "9E", None, S.DELIVERED),
        (None, "011", None, S.DELIVERED),
        ("I", "OT", "021", S.OUT_FOR_DELIVERY),
        ("I", "OT", None, S.OUT_FOR_DELIVERY),
        ("O", None, None, S.OUT_FOR_DELIVERY),
        ("I", "IP", "012", S.CUSTOMS),
        ("I", "AR", "005", S.IN_TRANSIT),
        ("I", "AR", "999", S.IN_TRANSIT),
        ("M", "MP", "003", S.PREPARING),
        ("MV", None, None, S.PREPARING),
        ("P", "PU", "038", S.HANDED_OVER),
        ("X", "48", "013", S.EXCEPTION),
        ("X", None, None, S.EXCEPTION),
        ("RS", "KR", "034", S.RETURNED),
        (" rs ", None, None, S.RETURNED),
        ("NA", "??", "999", S.UNKNOWN),
        (None, None, None, S.UNKNOWN),
    ],
)
def test_codes(type_: str | None, code: str | None, status_code: str | None, status: S) -> None:
    assert status_of(Status(type_, code, status_code)) is status


def test_no_status_at_all() -> None:
    assert status_of(None) is S.UNKNOWN
    assert word_of(None) == word_of(Status(description=" ")) == "unknown"


@given(st.text(max_size=12), st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_any_words_make_a_tracking(one: str, two: str, three: str, four: str) -> None:
    activity = Activity(Status(one, two, three, four), None, one, two, three, four, one)
    now = Freshness(SystemName.CARRIER, "ups", _NOW)
    told = tracking("1Z", [Package("1Z", activity.status, [activity])], now)

    assert told is not None
    assert told.source_status
    assert all(event.at.tzinfo is not None for event in told.events)
