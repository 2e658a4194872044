"""Measurement families: units with symbols, labels and the factor to the family's standard."""

from decimal import Decimal
from typing import Any

# family|standard unit|unit|symbol|factor to the standard|français|English|Deutsch
_UNITS = """
Length|METER|MILLIMETER|mm|0.001|Millimètre|Millimeter|Millimeter
Length|METER|CENTIMETER|cm|0.01|Centimètre|Centimeter|Zentimeter
Length|METER|METER|m|1|Mètre|Meter|Meter
Area|SQUARE_METER|SQUARE_MILLIMETER|mm²|0.000001|Millimètre carré|Square millimeter|Quadratmillimeter
Area|SQUARE_METER|SQUARE_METER|m²|1|Mètre carré|Square meter|Quadratmeter
Volume|CUBIC_METER|MILLILITER|ml|0.000001|Millilitre|Milliliter|Milliliter
Volume|CUBIC_METER|LITER|l|0.001|Litre|Liter|Liter
Volume|CUBIC_METER|CUBIC_METER|m³|1|Mètre cube|Cubic meter|Kubikmeter
Weight|KILOGRAM|GRAM|g|0.001|Gramme|Gram|Gramm
Weight|KILOGRAM|KILOGRAM|kg|1|Kilogramme|Kilogram|Kilogramm
Weight|KILOGRAM|TON|t|1000|Tonne|Ton|Tonne
Power|WATT|WATT|W|1|Watt|Watt|Watt
Power|WATT|KILOWATT|kW|1000|Kilowatt|Kilowatt|Kilowatt
Intensity|AMPERE|MILLIAMPERE|mA|0.001|Milliampère|Milliampere|Milliampere
Intensity|AMPERE|AMPERE|A|1|Ampère|Ampere|Ampere
Voltage|VOLT|VOLT|V|1|Volt|Volt|Volt
Voltage|VOLT|KILOVOLT|kV|1000|Kilovolt|Kilovolt|Kilovolt
Temperature|KELVIN|CELSIUS|°C|+273.15|Degré Celsius|Degree Celsius|Grad Celsius
Temperature|KELVIN|KELVIN|K|1|Kelvin|Kelvin|Kelvin
"""
_LABELS = {
    "Length": ("Longueur", "Length", "Länge"),
    "Area": ("Surface", "Area", "Fläche"),
    "Volume": ("Volume", "Volume", "Volumen"),
    "Weight": ("Poids", "Weight", "Gewicht"),
    "Power": ("Puissance", "Power", "Leistung"),
    "Intensity": ("Intensité", "Intensity", "Stromstärke"),
    "Voltage": ("Tension", "Voltage", "Spannung"),
    "Temperature": ("Température", "Temperature", "Temperatur"),
}


def _labels(words: list[str] | tuple[str, ...]) -> dict[str, str]:
    return dict(zip(("fr_FR", "en_US", "de_DE"), words, strict=True))


def families() -> list[dict[str, Any]]:
    """As `measurement-families` answers: units are an object, keyed by code."""
    found: dict[str, dict[str, Any]] = {}
    for line in _UNITS.strip().splitlines():
        family, standard, unit, symbol, factor, *words = line.split("|")
        units = found.setdefault(
            family,
            {"code": family, "labels": _labels(_LABELS[family]), "standard_unit_code": standard,
             "units": {}},
        )["units"]  # fmt: skip
        operator = "add" if factor.startswith("+") else "mul"
        units[unit] = {
            "code": unit,
            "labels": _labels(words),
            "convert_from_standard": [{"operator": operator, "value": factor.lstrip("+")}],
            "symbol": symbol,
        }
    return list(found.values())


def to_standard(amount: Decimal, unit: str) -> Decimal | None:
    """The amount in the unit of its family's standard; None: no such unit."""
    for line in _UNITS.strip().splitlines():
        _, _, code, _, factor, *_ = line.split("|")
        if code == unit:
            offset = factor.startswith("+")
            return amount + Decimal(factor) if offset else amount * Decimal(factor)
    return None
