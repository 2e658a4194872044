from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from schema import scalars


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15
    )
)
def test_decimals_go_and_come_back_exactly(value: Decimal) -> None:
    text = scalars.decimal_out(value)

    assert scalars.decimal_in(text) == value
    assert "E" not in text.upper()


@pytest.mark.parametrize(
    ("given_", "text"), [("1E+3", "1000"), ("12.50", "12.50"), ("1E-7", "0.0000001")]
)
def test_decimals_are_plain_digits(given_: str, text: str) -> None:
    assert scalars.decimal_out(Decimal(given_)) == text


@pytest.mark.parametrize("value", [3, 1.5, "2", "-0.10", "+4"])
def test_numbers_and_digits_are_decimals(value: Any) -> None:
    assert scalars.decimal_in(value) == Decimal(str(value))


@pytest.mark.parametrize(
    "value",
    ["", "x", "1e5", "NaN", "Infinity", "1_000", "٣", "1" * 41, True, None, [], 1e300, 2**60, " 1"],
)
def test_anything_else_is_no_decimal(value: Any) -> None:
    with pytest.raises(GraphQLError):
        scalars.decimal_in(value)


def test_moments_go_out_in_utc() -> None:
    paris = timezone(timedelta(hours=1))

    assert scalars.datetime_out(datetime(2026, 1, 1, 1, tzinfo=paris)) == "2026-01-01T00:00:00Z"


def test_moments_come_in_with_an_offset() -> None:
    assert scalars.datetime_in("2026-01-01T01:00:00+01:00") == datetime(2026, 1, 1, tzinfo=UTC)
    assert scalars.datetime_in("2026-01-01T00:00:00Z") == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", ["2026-01-01T00:00:00", "x", 5, None, "2026-13-01T00:00:00Z"])
def test_anything_else_is_no_moment(value: Any) -> None:
    with pytest.raises(GraphQLError):
        scalars.datetime_in(value)


def test_days() -> None:
    assert scalars.date_out(date(2026, 1, 31)) == "2026-01-31"
    assert scalars.date_in("2026-01-31") == date(2026, 1, 31)


@pytest.mark.parametrize("value", ["31.01.2026", 5, None])
def test_anything_else_is_no_day(value: Any) -> None:
    with pytest.raises(GraphQLError):
        scalars.date_in(value)


@pytest.mark.parametrize(
    ("serialize", "value"),
    [
        (scalars.decimal_out, 1.5),
        (scalars.datetime_out, datetime(2026, 1, 1)),  # noqa: DTZ001 - the naive one that is refused
        (scalars.datetime_out, "2026"),
        (scalars.date_out, "2026"),
    ],
)
def test_a_record_of_the_wrong_type_is_not_served(serialize: Any, value: Any) -> None:
    with pytest.raises(GraphQLError):
        serialize(value)


def test_addresses_and_codes() -> None:
    country = scalars.SCALARS[scalars.CountryCode].parse_value
    currency = scalars.SCALARS[scalars.CurrencyCode].parse_value
    assert country is not None
    assert currency is not None

    assert scalars.url_in("https://a.example/x") == "https://a.example/x"
    assert country("FR") == "FR"
    assert currency("EUR") == "EUR"
    for read, value in [
        (scalars.url_in, "javascript:alert(1)"),
        (scalars.url_in, "https://"),
        (scalars.url_in, 5),
        (country, "fr"),
        (currency, "EURO"),
        (currency, 5),
    ]:
        with pytest.raises(GraphQLError):
            read(value)
