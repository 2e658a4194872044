"""Cursors and texts: what comes from a client never becomes anything else in a domain."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.odoo.paging import (
    Key,
    behind_day,
    behind_moment,
    cursor,
    key_of,
    literally,
    searchable,
    storable,
    written,
)
from ports.errors import BadInputError

MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9000, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0)
)


@given(at=MOMENTS, key=st.integers(1, 2**31 - 1))
def test_a_cursor_is_read_back(at: datetime, key: int) -> None:
    assert key_of(cursor(Key(at, key))) == Key(at, key)


@given(st.text(max_size=40))
def test_any_other_text_is_bad_input(text: str) -> None:
    with pytest.raises(BadInputError):
        key_of(text)


@pytest.mark.parametrize(
    "key",
    [
        Key(datetime(2026, 1, 1, tzinfo=UTC), 1),
        Key(datetime(2026, 1, 1, microsecond=1), 1),  # noqa: DTZ001
        Key(datetime(9999, 12, 31), 1),  # noqa: DTZ001
        Key(datetime(2026, 1, 1), 0),  # noqa: DTZ001
        Key(datetime(2026, 1, 1), 2**31),  # noqa: DTZ001
    ],
)
def test_a_forged_cursor_is_bad_input(key: Key) -> None:
    with pytest.raises(BadInputError):
        key_of(cursor(key))


def test_a_cursor_with_padding_is_not_ours() -> None:
    text = cursor(Key(datetime(2026, 1, 1), 7))  # noqa: DTZ001

    for other in (f"{text}=", f"{text}==", f" {text}", f"{text}\n"):
        with pytest.raises(BadInputError):
            key_of(other)


def test_what_lies_behind_a_key() -> None:
    key = Key(datetime(2026, 1, 31, 23, 59, 59), 7)  # noqa: DTZ001

    assert behind_moment("at", key) == [
        "|",
        ["at", "<", "2026-01-31 23:59:59"],
        "&",
        "&",
        ["at", ">=", "2026-01-31 23:59:59"],
        ["at", "<", "2026-02-01 00:00:00"],
        ["id", "<", 7],
    ]
    assert behind_day("on", key) == [
        "|",
        ["on", "<", "2026-01-31"],
        "&",
        ["on", "=", "2026-01-31"],
        ["id", "<", 7],
    ]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "2026-01-01 12:00:00"),
        (datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))), "2026-01-01 10:00:00"),
        (datetime(2026, 1, 1, 12, microsecond=1, tzinfo=UTC), "2026-01-01 12:00:01"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01 00:00:00"),
    ],
)
def test_a_moment_as_odoo_writes_it(moment: datetime, text: str) -> None:
    assert written(moment) == text


@pytest.mark.parametrize(
    "moment",
    [
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
    ],
)
def test_a_moment_beyond_the_calendar_is_bad_input(moment: datetime) -> None:
    with pytest.raises(BadInputError):
        written(moment)


def test_a_pattern_means_the_text() -> None:
    assert literally("50%_\\") == "50\\%\\_\\\\"


def test_what_no_database_holds_is_not_asked_for() -> None:
    assert searchable(["A", "", "\0", "A", "\ud800", "é"]) == ["A", "é"]
    assert not storable("a\0b")
    assert storable("")
