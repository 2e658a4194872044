"""Single values of a row. Each raises BadValueError, which names the field and not the value."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from connectors.nightly.rows import Row

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,10})?")
_CURRENCY = re.compile("[A-Z]{3}")
_LARGEST = Decimal(10) ** 15
_DECIMALS = -10


class BadValueError(ValueError):
    """A value that is not what its field holds."""


def text(row: Row, field: str) -> str | None:
    value = row.get(field)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise BadValueError(f"{field} is no text")


def number(row: Row, field: str, decimal_sign: str) -> Decimal | None:
    """Up to fifteen digits and ten decimals; text has them behind `decimal_sign`, ungrouped."""
    value = row.get(field)
    if value is None:
        return None
    found = _of_text(value, decimal_sign) if isinstance(value, str) else _of_json(value)
    if found is None:
        raise BadValueError(f"{field} is no number")
    return found


def currency(row: Row) -> str | None:
    code = text(row, "currency")
    if code is None or _CURRENCY.fullmatch(code):
        return code
    raise BadValueError("currency is no code as EUR")


def day(row: Row, field: str) -> date | None:
    value = text(row, field)
    if value is None:
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError as error:
        raise BadValueError(f"{field} is no date as 2026-01-31") from error


def moment(row: Row, field: str, zone: ZoneInfo) -> datetime | None:
    """In UTC; without an offset it is read in `zone`."""
    value = text(row, field)
    if value is None:
        return None
    try:
        told = datetime.fromisoformat(value)
        return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadValueError(f"{field} is no moment as 2026-01-31T03:00:00Z") from error


# The same few quantities stand in most rows.
@lru_cache(maxsize=4096)
def _of_text(value: str, decimal_sign: str) -> Decimal | None:
    if decimal_sign == ",":
        # A point can only group thousands then, and might as well be a mistake.
        value = "?" if "." in value else value.replace(",", ".")
    return Decimal(value) if _NUMBER.fullmatch(value) else None


def _of_json(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    found = Decimal(value)
    exponent = found.as_tuple().exponent
    is_plain = isinstance(exponent, int) and exponent >= _DECIMALS and abs(found) < _LARGEST
    return found if is_plain else None
