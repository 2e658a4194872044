"""Attribute values of the catalogue, as the PIM stores them. Equal values are one object."""

from decimal import Decimal
from random import Random

from sandbox.seed.attributes import (
    BRANDS,
    CERTIFICATIONS,
    ORIGINS,
    UNITS,
    attributes,
    option_code,
)
from sandbox.seed.ranges import Range
from sandbox.world import Value

Values = dict[str, tuple[Value, ...]]
_CHF_PER_EUR = Decimal("0.95")
_CENT = Decimal("0.01")
_HEAT_LIMITS = {"seals": "200.0000", "oils": "120.0000", "adhesives": "150.0000"}
_HAZARDOUS = frozenset({"oils", "adhesives"})


def metric(amount: float | str, unit: str) -> dict[str, str]:
    return {"amount": f"{Decimal(amount):.4f}", "unit": unit}


class ValueBook:
    """Makes values, and remembers those that repeat."""

    def __init__(self) -> None:
        self.attributes = {attribute.code: attribute for attribute in attributes()}
        self._dimensions: dict[tuple[str, str, str], tuple[Value, ...]] = {}
        self._plain: dict[str | int | bool, tuple[Value, ...]] = {}

    def plain(self, data: str | int) -> tuple[Value, ...]:
        """A value of no locale and no channel."""
        return (Value(data),)

    def dimensions(self, family: str, dims: dict[str, str]) -> Values:
        return {code: self._dimension(family, code, value) for code, value in dims.items()}

    def _dimension(self, family: str, code: str, value: str) -> tuple[Value, ...]:
        key = (family, code, value)
        if (known := self._dimensions.get(key)) is None:
            known = self._dimensions[key] = (Value(self._data(family, code, value)),)
        return known

    def _data(self, family: str, code: str, value: str) -> object:
        attribute = self.attributes[code]
        if attribute.unit is not None:
            return metric(value, UNITS.get((family, code), attribute.unit))
        return int(value) if attribute.type == "pim_catalog_number" else option_code(value)

    def common(self, sold: Range, rng: Random, files: tuple[str, str, str]) -> Values:
        """What all products of a group share; `files` are photo, drawing and datasheet."""
        marks = [code for code in CERTIFICATIONS if code == "ce" or rng.random() < 0.3]  # noqa: PLR2004
        photo, drawing, datasheet = files
        values = {
            "brand": self.plain(rng.choice(tuple(BRANDS))),
            "certifications": (Value(marks),),
            "origin": self.plain(rng.choice(ORIGINS)),
            "hazardous": (Value(sold.family in _HAZARDOUS),),
            "image": self.plain(photo),
            "drawing": self.plain(drawing),
            "datasheet": self.plain(datasheet),
            "technical_table": (Value(_table(sold)),),
        }
        return values | ({"norm": self.plain(sold.norm)} if sold.norm else {})

    def own(self, sold: Range, sku: str, gtin: str, price: Decimal, growth: int) -> Values:
        """What a product has to itself, names apart."""
        amounts = [
            {"amount": str(price), "currency": "EUR"},
            {"amount": str((price * _CHF_PER_EUR).quantize(_CENT)), "currency": "CHF"},
        ]
        values = {
            "sku": self.plain(sku),
            "gtin": self.plain(gtin),
            "weight": (Value(metric(sold.weight * (1 + growth / 4), "KILOGRAM")),),
            "package_quantity": self.plain(100 if price < 1 else 10 if price < 10 else 1),  # noqa: PLR2004
            "price": (Value(amounts),),
        }
        heat = _HEAT_LIMITS.get(sold.family)
        return values | (
            {"temperature_max": (Value({"amount": heat, "unit": "CELSIUS"}),)} if heat else {}
        )


def _table(sold: Range) -> list[dict[str, str]]:
    rows = [
        {"characteristic": "mass", "value": f"{sold.weight:g}", "tolerance": "±5 %"},
        {"characteristic": "service_life", "value": "10 000 h"},
    ]
    return [*rows, {"characteristic": "norm", "value": sold.norm}] if sold.norm else rows
