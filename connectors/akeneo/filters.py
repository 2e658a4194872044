"""One attribute filter as conditions of the PIM, by the kind of the attribute.

The grammar has `=` and lists for texts and options, comparisons for numbers, measures (in the
attribute's own unit unless the value names one) and prices (in the channel's first currency).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from connectors.akeneo.client import is_text
from connectors.akeneo.config import AkeneoConfig
from connectors.akeneo.structure import Attribute, Labelled, Structure
from connectors.akeneo.values import decimal
from ports.catalog import AttributeFilter
from ports.errors import BadInputError

Criteria: TypeAlias = dict[str, list[dict[str, object]]]
Pair: TypeAlias = tuple[str, object]
"An operator and its value."

_MOST_VALUES = 100
_TEXTS = frozenset({"pim_catalog_text", "pim_catalog_textarea"})
_LISTED = frozenset(
    {
        "pim_catalog_identifier",
        "akeneo_reference_entity",
        "akeneo_reference_entity_collection",
        "pim_catalog_asset_collection",
    }
)
_NUMBERS = frozenset({"pim_catalog_number", "pim_catalog_metric", "pim_catalog_price_collection"})
_TRUE = frozenset({"true", "1", "yes", "oui", "ja"})
_FALSE = frozenset({"false", "0", "no", "non", "nein"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question is asked: the PIM's structure, the best locale, the configured channel."""

    structure: Structure
    config: AkeneoConfig
    locale: str | None
    options: Mapping[str, tuple[Labelled, ...]]
    "Options of the select attributes that the question filters by."

    @property
    def currency(self) -> str | None:
        channel = self.structure.channel
        return channel.currencies[0] if channel and channel.currencies else None

    def criterion(self, attribute: Attribute, operator: str, value: object) -> dict[str, object]:
        """One condition, in the locale and channel where the attribute has values of its own."""
        found: dict[str, object] = {"operator": operator, "value": value}
        if attribute.localizable and self.locale:
            found["locale"] = self.locale
        if attribute.scopable:
            found["scope"] = self.config.channel
        return found


def attribute_criteria(
    condition: AttributeFilter, attribute: Attribute, place: Place
) -> list[Pair | None]:
    """Operators and values that must all hold; None for what no product can fulfil.

    Raises BadInputError for a filter that is empty or does not suit the attribute.
    """
    values = _values(condition)
    ranged = condition.minimum is not None or condition.maximum is not None
    if values is None and not ranged:
        raise BadInputError(
            f"The filter of {attribute.code!r} says nothing; give equals, in, min or max."
        )
    if values is not None and len(values) > _MOST_VALUES:
        raise BadInputError(
            f"The filter of {attribute.code!r} takes at most {_MOST_VALUES} values."
        )
    found = [] if values is None else [_equal(tuple(values), attribute, place)]
    return [*found, *_range(condition, attribute, place)] if ranged else found


def codes_of(wanted: Iterable[str], options: Sequence[Labelled]) -> list[str]:
    """Option codes that are named by code or, in any language, by label; case aside."""
    names: dict[str, list[str]] = {}
    for option in options:
        for name in {option.code.casefold(), *(t.casefold() for t in option.labels.values())}:
            names.setdefault(name, []).append(option.code)
    return list(dict.fromkeys(code for name in wanted for code in names.get(name.casefold(), ())))


def _values(condition: AttributeFilter) -> Sequence[str] | None:
    if condition.equals is None:
        return condition.one_of
    if condition.one_of is None or condition.equals in condition.one_of:
        return (condition.equals,)
    return ()


def _equal(values: tuple[str, ...], attribute: Attribute, place: Place) -> Pair | None:
    if not values:
        return None
    pair: Pair | None
    match attribute.type:
        case "pim_catalog_simpleselect" | "pim_catalog_multiselect":
            codes = codes_of(values, place.options.get(attribute.code, ()))
            pair = ("IN", codes) if codes else None
        case kind if kind in _LISTED | _TEXTS:
            texts = [text for text in values if is_text(text)]
            single = kind in _TEXTS and len(texts) == 1
            pair = (("=", texts[0]) if single else ("IN", texts)) if texts else None
        case "pim_catalog_boolean":
            pair = ("=", _boolean(_only(values, attribute), attribute))
        case "pim_catalog_date":
            pair = ("=", _day(_only(values, attribute), attribute))
        case _:
            pair = ("=", _amount(_only(values, attribute), attribute, place))
    return pair


def _range(condition: AttributeFilter, attribute: Attribute, place: Place) -> list[Pair | None]:
    bounds = ((">=", condition.minimum), ("<=", condition.maximum))
    return [
        (operator, _amount(bound, attribute, place))
        for operator, bound in bounds
        if bound is not None
    ]


def _amount(bound: Decimal | str, attribute: Attribute, place: Place) -> object:
    """A number, or a number with unit or currency, as the attribute's kind has it."""
    spelt, _, mark = str(bound).strip().partition(" ")
    number = decimal(spelt)
    if attribute.type not in _NUMBERS:
        raise BadInputError(f"{attribute.code!r} cannot be filtered that way: it holds no numbers.")
    if number is None:
        raise BadInputError(f"{attribute.code!r} can only be compared with a number.")
    exact = _json(number)
    if attribute.type == "pim_catalog_metric":
        return {"amount": exact, "unit": _unit(mark.strip(), attribute, place)}
    if attribute.type == "pim_catalog_price_collection":
        return {"amount": exact, "currency": mark.strip().upper() or place.currency or "EUR"}
    return exact


def _unit(mark: str, attribute: Attribute, place: Place) -> str:
    if not mark:
        return attribute.metric_unit or ""
    family = attribute.metric_family or ""
    for (of, code), unit in place.structure.units.items():
        if of == family and mark in {code, unit.symbol, *unit.labels.values()}:
            return code
    raise BadInputError(f"{mark!r} is no unit of {attribute.code!r}.")


def _json(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _boolean(text: str, attribute: Attribute) -> bool:
    if text.casefold() in _TRUE:
        return True
    if text.casefold() in _FALSE:
        return False
    raise BadInputError(f"{attribute.code!r} is either true or false.")


def _day(text: str, attribute: Attribute) -> str:
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError as problem:
        raise BadInputError(f"{attribute.code!r} is a date, such as 2026-01-31.") from problem


def _only(values: tuple[str, ...], attribute: Attribute) -> str:
    if len(values) > 1:
        raise BadInputError(f"{attribute.code!r} can only be compared with one value at a time.")
    return values[0]
