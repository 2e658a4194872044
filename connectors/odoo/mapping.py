"""Odoo's habits, undone: `false` for absent, naive UTC, amounts as floats.

The aliases are for the Structs that answers are decoded into. JSON numbers decode straight into
Decimal from their text, so that no binary float ever holds an amount.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeAlias, TypeVar

from ports.common import Money

T = TypeVar("T")

Absent: TypeAlias = Literal[False]
Text: TypeAlias = str | Absent
Number: TypeAlias = Decimal | Absent
Moment: TypeAlias = datetime | Absent
Day: TypeAlias = date | Absent


@dataclass(frozen=True, slots=True)
class Currency:
    """`rate` is units of it for one unit of the company's currency; `rounding` its smallest step."""

    id: int
    code: str
    rounding: Decimal
    rate: Decimal


def given(value: T | Absent) -> T | None:
    """The value, or None where Odoo wrote `false`."""
    return None if value is False else value


def text(value: Text) -> str | None:
    """The text without surrounding space; None where absent or empty."""
    return (value.strip() or None) if value else None


def moment(value: Moment) -> datetime | None:
    """Odoo's naive datetimes are UTC."""
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def number(value: Number) -> Decimal:
    """Zero where absent; without a float's trailing `.0`."""
    return plain(value) if value else Decimal(0)


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent: 12.0 and 1.2E+1 are 12."""
    return Decimal(format(value.normalize(), "f"))


def rounded(amount: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to the amount, halves away from zero, as Odoo rounds.

    Raises ArithmeticError for a number beyond reason (28 digits).
    """
    if not step:
        return amount
    return (amount / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def money(amount: Number, currency: Currency) -> Money:
    """An amount of a document, at the currency's own precision. Raises as `rounded` does."""
    return Money(rounded(amount or Decimal(0), currency.rounding), currency.code)
