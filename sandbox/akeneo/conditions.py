"""Conditions on attribute values, by the type of the attribute."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.akeneo import measures, settings
from sandbox.akeneo.answers import unprocessable
from sandbox.akeneo.catalog import Entity
from sandbox.akeneo.grammar import Condition, Predicate
from sandbox.world import Attribute

MOST_IDENTIFIERS = 100
_Test = Callable[[Any], bool]
"Whether the data of a value satisfies the condition."


def predicate(condition: Condition, attribute: Attribute) -> Predicate:
    _check_place(condition, attribute)
    code, locale, scope = attribute.code, condition.locale, condition.scope

    def held(row: Entity) -> list[Any]:
        return [
            value.data
            for value in row.values.get(code, ())
            if value.locale == locale and value.scope == scope
        ]

    if condition.operator in {"EMPTY", "NOT EMPTY"}:
        return lambda row: bool(held(row)) is (condition.operator == "NOT EMPTY")
    build = _TESTS.get(attribute.type)
    if build is None:
        raise condition.unsupported()
    # A product without the value never satisfies a condition but EMPTY and the negative ones.
    absent = condition.operator in {"NOT IN", "DOES NOT CONTAIN"}
    test = build(condition, attribute)
    return lambda row: all(map(test, found)) if (found := held(row)) else absent


def _check_place(condition: Condition, attribute: Attribute) -> None:
    """A locale exactly where the attribute is localizable, a channel where it is scopable."""
    named = f'Attribute "{attribute.code}"'
    if attribute.localizable and condition.locale is None:
        raise unprocessable(f"{named} expects a locale, none given.")
    if not attribute.localizable and condition.locale is not None:
        raise unprocessable(f'{named} does not expect a locale, "{condition.locale}" given.')
    if condition.locale is not None and not settings.LOCALES.get(condition.locale):
        raise unprocessable(
            f'{named} expects an existing and activated locale, "{condition.locale}" given.'
        )
    if attribute.scopable and condition.scope is None:
        raise unprocessable(f"{named} expects a scope, none given.")
    if not attribute.scopable and condition.scope is not None:
        raise unprocessable(f'{named} does not expect a scope, "{condition.scope}" given.')
    if condition.scope is not None and condition.scope not in settings.CHANNELS:
        raise unprocessable(f'{named} expects an existing scope, "{condition.scope}" given.')


def _text(condition: Condition, attribute: Attribute) -> _Test:
    operator = condition.operator
    if operator in {"IN", "NOT IN"} and attribute.type == "pim_catalog_identifier":
        codes = frozenset(condition.strings())
        if len(codes) > MOST_IDENTIFIERS:
            raise unprocessable(
                f'Property "{attribute.code}" accepts at most {MOST_IDENTIFIERS} values.'
            )
        return lambda data: (data in codes) is (operator == "IN")
    wanted = condition.string().casefold()
    tests: dict[str, _Test] = {
        "=": lambda data: data.casefold() == wanted,
        "!=": lambda data: data.casefold() != wanted,
        "CONTAINS": lambda data: wanted in data.casefold(),
        "DOES NOT CONTAIN": lambda data: wanted not in data.casefold(),
        "STARTS WITH": lambda data: data.casefold().startswith(wanted),
    }
    return _known(condition, tests)


def _known(condition: Condition, tests: dict[str, _Test]) -> _Test:
    if (test := tests.get(condition.operator)) is None:
        raise condition.unsupported()
    return test


def _select(condition: Condition, attribute: Attribute) -> _Test:
    if condition.operator not in {"IN", "NOT IN"}:
        raise condition.unsupported()
    codes = set(condition.strings())
    for code in codes:
        if code not in attribute.options:
            raise unprocessable(
                f'Property "{attribute.code}" expects a valid option code.'
                f' The option does not exist, "{code}" given.'
            )
    among = condition.operator == "IN"

    def test(data: Any) -> bool:
        chosen = data if isinstance(data, list) else [data]
        return codes.isdisjoint(chosen) is not among

    return test


def _boolean(condition: Condition, _: Attribute) -> _Test:
    wanted = condition.boolean()
    return _known(
        condition, {"=": lambda data: data is wanted, "!=": lambda data: data is not wanted}
    )


def _date(condition: Condition, _: Attribute) -> _Test:
    """ISO dates compare as text."""
    if condition.operator in {"BETWEEN", "NOT BETWEEN"}:
        if not isinstance(condition.value, list) or len(condition.value) != 2:  # noqa: PLR2004 - from, to
            raise condition.wants("an array with 2 strings")
        first, last = condition.strings()
        return lambda data: (first <= data <= last) is (condition.operator == "BETWEEN")
    wanted = condition.string()
    tests: dict[str, _Test] = {
        "<": lambda data: data < wanted,
        "=": lambda data: data == wanted,
        "!=": lambda data: data != wanted,
        ">": lambda data: data > wanted,
    }
    return _known(condition, tests)


def _number(condition: Condition, _: Attribute) -> _Test:
    wanted = _decimal(condition, condition.value)
    return _ordered(condition, lambda data: [Decimal(str(data))], wanted)


def _metric(condition: Condition, attribute: Attribute) -> _Test:
    """`{amount, unit}`, or a bare number in the attribute's default unit."""
    value: Any = condition.value
    unit = attribute.unit or ""
    if isinstance(value, dict):
        value, unit = value.get("amount"), str(value.get("unit"))
    wanted = measures.to_standard(_decimal(condition, value), unit)
    if wanted is None:
        raise unprocessable(
            f'Property "{attribute.code}" expects a valid unit. "{unit}" does not exist.'
        )
    return _ordered(condition, _standard_amount, wanted)


def _standard_amount(data: dict[str, str]) -> list[Decimal]:
    amount = measures.to_standard(Decimal(data["amount"]), data["unit"])
    return [] if amount is None else [amount]


def _price(condition: Condition, _: Attribute) -> _Test:
    """`{amount, currency}`, or a bare number that any currency may satisfy."""
    value: Any = condition.value
    currency: str | None = None
    if isinstance(value, dict):
        value, currency = value.get("amount"), value.get("currency")

    def amounts(data: list[dict[str, str]]) -> list[Decimal]:
        return [Decimal(one["amount"]) for one in data if currency in {None, one["currency"]}]

    return _ordered(condition, amounts, _decimal(condition, value))


def _ordered(
    condition: Condition, amounts: Callable[[Any], list[Decimal]], wanted: Decimal
) -> _Test:
    compare = {
        "<": Decimal.__lt__, "<=": Decimal.__le__, "=": Decimal.__eq__, "!=": Decimal.__ne__,
        ">=": Decimal.__ge__, ">": Decimal.__gt__,
    }.get(condition.operator)  # fmt: skip
    if compare is None:
        raise condition.unsupported()
    return lambda data: any(compare(amount, wanted) for amount in amounts(data))


def _decimal(condition: Condition, value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise condition.wants("a numeric")
    return number


_TESTS: dict[str, Callable[[Condition, Attribute], _Test]] = {
    "pim_catalog_identifier": _text,
    "pim_catalog_text": _text,
    "pim_catalog_textarea": _text,
    "pim_catalog_image": _text,
    "pim_catalog_file": _text,
    "pim_catalog_simpleselect": _select,
    "pim_catalog_multiselect": _select,
    "pim_catalog_boolean": _boolean,
    "pim_catalog_date": _date,
    "pim_catalog_number": _number,
    "pim_catalog_metric": _metric,
    "pim_catalog_price_collection": _price,
}
