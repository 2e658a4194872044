"""How long a system wants to be left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upstream.pauses import LONGEST_SECONDS, wished

NOON = "Wed, 21 Oct 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "sent", "seconds"),
    [
        ("", "", None),
        ("0", "", 0.0),
        ("120", "", 120.0),
        ("9" * 5_000, "", LONGEST_SECONDS),
        ("1.5", "", None),
        ("-5", "", None),
        ("\u00b2", "", None),
        ("\u0661", "", None),
        ("Wed, 21 Oct 2026 12:01:30 GMT", NOON, 90.0),
        ("Wednesday, 21-Oct-26 12:01:30 GMT", NOON, 90.0),
        ("Wed Oct 21 12:01:30 2026", NOON, 90.0),
        ("Wed, 21 Oct 2026 11:00:00 GMT", NOON, 0.0),
        ("Wed, 21 Oct 2126 11:00:00 GMT", NOON, LONGEST_SECONDS),
        ("Wed, 99 Oct 2026 11:00:00 GMT", NOON, None),
    ],
)
def test_seconds(text: str, sent: str, seconds: float | None) -> None:
    assert wished(text, sent) == seconds


def test_without_a_date_of_its_own_a_moment_counts_from_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_792_584_000.0)  # noon of that day

    assert wished("Wed, 21 Oct 2026 12:00:07 GMT") == 7.0
    assert wished("Wed, 21 Oct 2026 12:00:07 GMT", "no date") == 7.0


@given(st.text(), st.text())
def test_any_text_is_a_wish_within_bounds_or_none(text: str, sent: str) -> None:
    told = wished(text, sent)

    assert told is None or 0.0 <= told <= LONGEST_SECONDS
