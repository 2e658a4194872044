"""Odoo's habits undone."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.odoo import mapping
from connectors.odoo.mapping import Currency, Moment, Number
from connectors.odoo.products import Category, Product

EUR = Currency(1, "EUR", Decimal("0.01"), Decimal(1))
YEN = Currency(2, "JPY", Decimal(1), Decimal(160))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_the_text_of_the_wire(value: float) -> None:
    decoded = msgspec.json.decode(repr(value).encode(), type=Decimal)

    assert decoded == Decimal(repr(value))


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9
    )
)
def test_plain_changes_no_value_and_shows_no_exponent(value: Decimal) -> None:
    shown = mapping.plain(value)

    assert shown == value
    assert "E" not in str(shown)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (b"true", Number),
        (b"null", Number),
        (b'"soon"', Moment),
    ],
)
def test_what_odoo_never_writes_is_refused(text: bytes, shape: Any) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(text, type=shape)


def test_false_is_nothing() -> None:
    assert mapping.text(False) is None
    assert mapping.text("  ") is None
    assert mapping.text(" a ") == "a"
    assert mapping.number(False) == 0
    assert mapping.moment(False) is None
    assert mapping.given(False) is None
    assert mapping.given(0) == 0


def test_moments_are_utc() -> None:
    naive = msgspec.json.decode(b'"2026-03-01 08:30:00"', type=Moment)

    assert mapping.moment(naive) == datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1.005", EUR, "1.01"),
        ("-1.005", EUR, "-1.01"),
        ("104.04", EUR, "104.04"),
        ("5", EUR, "5.00"),
        ("1234.5", YEN, "1235"),
        ("1E+4", EUR, "10000.00"),
    ],
)
def test_money_has_the_currency_s_digits(amount: str, currency: Currency, shown: str) -> None:
    money = mapping.money(Decimal(amount), currency)

    assert (str(money.amount), money.currency) == (shown, currency.code)


@pytest.mark.parametrize(
    ("category", "path"),
    [
        (False, ()),
        (Category(9), (9,)),
        (Category(9, "1/4/9/"), (1, 4, 9)),
    ],
)
def test_a_category_is_known_with_all_above_it(category: Category, path: tuple[int, ...]) -> None:
    product = Product(1, "A", True, True, 1, Decimal(1), False, 1, categ_id=category)

    assert product.category_path == path


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_number_of_the_wire_is_too_much(value: float) -> None:
    amount = Decimal(repr(value))

    assert mapping.number(amount) == amount


def test_an_amount_beyond_reason_is_an_arithmetic_error() -> None:
    with pytest.raises(ArithmeticError):
        mapping.money(Decimal("1E+300"), EUR)
