"""The contract's scalars: exact on the way out, strict on the way in."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType
from urllib.parse import urlsplit

import strawberry
from graphql import GraphQLError
from strawberry.scalars import JSON
from strawberry.types.scalar import ScalarDefinition

URL = NewType("URL", str)
CountryCode = NewType("CountryCode", str)
CurrencyCode = NewType("CurrencyCode", str)

# More digits than any price or quantity has; keeps arithmetic on them cheap.
_LONGEST_DECIMAL = 40
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_LARGEST_EXACT_FLOAT = 2**53


def decimal_out(value: Any) -> str:
    """Plain digits, never an exponent; zeros are kept as the system gave them."""
    if not isinstance(value, Decimal):
        raise GraphQLError("Decimal cannot represent this value.")
    # Half the work of `format`, and the same but for exponents.
    text = str(value)
    return format(value, "f") if "E" in text else text


def decimal_in(value: Any) -> Decimal:
    text = value if isinstance(value, str) else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value) if abs(value) < _LARGEST_EXACT_FLOAT else ""
    if len(text) > _LONGEST_DECIMAL or not _DECIMAL.fullmatch(text):
        raise GraphQLError('Decimal must be digits such as "12.50", at most 40 of them.')
    return Decimal(text)


def datetime_out(value: Any) -> str:
    """RFC 3339 in UTC."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise GraphQLError("DateTime cannot represent this value.")
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    return f"{moment.isoformat()[:-6]}Z"


def datetime_in(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise GraphQLError("DateTime must be RFC 3339 with an offset: 2026-01-31T09:30:00Z.")
    return moment.astimezone(UTC)


def date_out(value: Any) -> str:
    if not isinstance(value, date):
        raise GraphQLError("Date cannot represent this value.")
    return value.isoformat()[:10]


def date_in(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError("Date must be written as 2026-01-31.") from None


def url_in(value: Any) -> URL:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise GraphQLError("URL must be an absolute http or https address.")
    return URL(value)


def _code_in(name: str, length: int) -> Callable[[Any], str]:
    pattern = re.compile(rf"[A-Z]{{{length}}}")

    def read(value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise GraphQLError(f"{name} must be {length} capital letters.")
        return value

    return read


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description="An exact decimal number, transported as a string.",
        serialize=decimal_out,
        parse_value=decimal_in,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, as RFC 3339.",
        serialize=datetime_out,
        parse_value=datetime_in,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day, as ISO 8601.",
        serialize=date_out,
        parse_value=date_in,
    ),
    URL: strawberry.scalar(
        name="URL", description="An absolute http or https address.", parse_value=url_in
    ),
    CountryCode: strawberry.scalar(
        name="CountryCode",
        description="A country, as ISO 3166-1 alpha-2.",
        parse_value=_code_in("CountryCode", 2),
    ),
    CurrencyCode: strawberry.scalar(
        name="CurrencyCode",
        description="A currency, as ISO 4217.",
        parse_value=_code_in("CurrencyCode", 3),
    ),
    JSON: strawberry.scalar(name="JSON", description="A value as the system stores it."),
}
