"""Attribute values formatted for people, in the words and signs of one locale.

Any JSON may stand in a value: what is not of the form its attribute type promises is written as it
is, never refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from connectors.akeneo.locales import label
from connectors.akeneo.payloads import ValuePayload
from connectors.akeneo.structure import Attribute, Column, Unit

# Languages that write 12,5; others write 12.5.
_COMMA = frozenset(
    {
        *("bg", "ca", "cs", "da", "de", "el", "es", "et", "fi", "fr", "hr", "hu", "id", "is", "it"),
        *("lt", "lv", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "tr"),
        "uk",
    }
)
_YES_NO = {
    "de": ("Ja", "Nein"),
    "es": ("Sí", "No"),
    "fr": ("Oui", "Non"),
    "it": ("Sì", "No"),
    "nl": ("Ja", "Nee"),
    "pl": ("Tak", "Nie"),
    "pt": ("Sim", "Não"),
}
_DATES = {
    "de": "%d.%m.%Y",
    "en_US": "%m/%d/%Y",
    "en": "%d/%m/%Y",
    "es": "%d/%m/%Y",
    "fr": "%d/%m/%Y",
    "it": "%d/%m/%Y",
    "nl": "%d-%m-%Y",
    "pl": "%d.%m.%Y",
    "pt": "%d/%m/%Y",
}
# Beyond this a number is no measure, and written out it could be as long as it likes.
_MOST_DIGITS = 40
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Written:
    """A value in words, and the unit they are in, where it has one."""

    text: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes values for readers of `locales`, best first."""

    locales: tuple[str, ...]
    units: Mapping[tuple[str, str], Unit]

    def write(self, attribute: Attribute, value: ValuePayload) -> Written:
        if attribute.type == "pim_catalog_metric" and (measure := _measure(value.data)):
            amount, unit = measure
            sign = self.unit(attribute.metric_family, unit)
            return Written(f"{self.number(amount)} {sign}", sign)
        return Written(self._text(attribute, value.data, value.linked_data))

    def _text(self, attribute: Attribute, data: object, linked: object) -> str:
        match attribute.type, data:
            case "pim_catalog_simpleselect", str():
                text = self.option(linked, data)
            case "pim_catalog_multiselect", list():
                text = ", ".join(self.choice(linked, code) for code in data)
            case (("pim_catalog_price_collection" | "pim_catalog_price"), list()):
                text = ", ".join(self.price(price) for price in data)
            case "pim_catalog_number", str():
                text = self.number(data)
            case "pim_catalog_date", str():
                text = self.date(data)
            case "pim_catalog_table", list():
                text = "; ".join(self.row(attribute.columns, row) for row in data)
            case _:
                text = self.anything(data)
        return text

    def number(self, data: object) -> str:
        number = decimal(data)
        return self.anything(data) if number is None else self._signed(_plain(number))

    def price(self, data: object) -> str:
        match data:
            case {"amount": amount, "currency": str(currency)}:
                number = decimal(amount)
                text = self.anything(amount) if number is None else self._signed(_cents(number))
                return f"{text} {currency}"
            case _:
                return self.anything(data)

    def option(self, linked: object, code: str) -> str:
        labels = linked.get("labels") if isinstance(linked, dict) else None
        told = labels if isinstance(labels, dict) else {}
        texts = {key: text for key, text in told.items() if isinstance(text, str) and text}
        return label(texts, code, self.locales)

    def choice(self, linked: object, code: object) -> str:
        """One of several options, whose labels stand under their codes."""
        if not isinstance(code, str):
            return self.anything(code)
        return self.option(linked.get(code) if isinstance(linked, dict) else None, code)

    def boolean(self, *, data: bool) -> str:
        yes, no = _YES_NO.get(self._language, ("Yes", "No"))
        return yes if data else no

    def date(self, data: str) -> str:
        """The day as stored: the PIM gives midnight in its own time zone."""
        try:
            day = date.fromisoformat(data[:10])
            datetime.fromisoformat(data)
        except ValueError:
            return data
        style = _DATES.get(self._locale) or _DATES.get(self._language) or "%Y-%m-%d"
        return day.strftime(style)

    def unit(self, family: str | None, code: str) -> str:
        unit = self.units.get((family or "", code))
        if unit is None:
            return code
        return unit.symbol or next(
            (unit.labels[locale] for locale in self.locales if locale in unit.labels), code
        )

    def row(self, columns: Sequence[Column], data: object) -> str:
        """The cells of a table's row in the order of its columns, each behind its label."""
        if not isinstance(data, dict):
            return self.anything(data)
        known = {column.code: column for column in columns}
        codes = [*(code for code in known if code in data), *(c for c in data if c not in known)]
        return ", ".join(self._cell(known.get(code), code, data[code]) for code in codes)

    def anything(self, data: object, depth: int = 0) -> str:
        """Any JSON in one line; what lies deeper than a person reads is left out."""
        match data:
            case str():
                text = data
            case bool():
                text = self.boolean(data=data)
            case int() | float() | Decimal():
                number = decimal(data)
                text = "…" if number is None else self._signed(_plain(number))
            case list() | dict() if depth >= _DEEPEST:
                text = "…"
            case list():
                text = ", ".join(self.anything(part, depth + 1) for part in data)
            case dict():
                text = ", ".join(f"{k}: {self.anything(v, depth + 1)}" for k, v in data.items())
            case _:
                text = ""
        return text

    @property
    def _locale(self) -> str:
        return self.locales[0] if self.locales else ""

    @property
    def _language(self) -> str:
        return self._locale.partition("_")[0].casefold()

    def _signed(self, text: str) -> str:
        return text.replace(".", ",") if self._language in _COMMA else text

    def _cell(self, column: Column | None, code: str, data: object) -> str:
        name = label(column.labels, code, self.locales) if column else f"[{code}]"
        if column and isinstance(data, str) and data in column.options:
            return f"{name}: {label(column.options[data], data, self.locales)}"
        number = decimal(data) if isinstance(data, str) else None
        return f"{name}: {self.anything(data if number is None else number)}"


def decimal(data: object) -> Decimal | None:
    """The finite number that this is or spells, None when it is none or of absurd length."""
    if isinstance(data, bool) or not isinstance(data, int | float | str | Decimal):
        return None
    try:
        number = Decimal(repr(data) if isinstance(data, float) else data)
    except (InvalidOperation, ValueError):
        return None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return None
    return number


def _plain(number: Decimal) -> str:
    """Without exponent and trailing zeros: `800.0000` is 800."""
    text = f"{number:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _cents(number: Decimal) -> str:
    """As stored, with two decimals at least."""
    whole, _, decimals = _plain(number).partition(".")
    return f"{whole}.{decimals.ljust(2, '0')}"


def _measure(data: object) -> tuple[object, str] | None:
    match data:
        case {"amount": amount, "unit": str(unit)}:
            return amount, unit
        case _:
            return None
