"""Which product goes with which: substitutes of the same family, companions from its complement."""

from dataclasses import replace
from random import Random

from sandbox.world import Item

TYPES = ("X_SELL", "UPSELL", "SUBSTITUTION", "ACCESSORY", "SPARE_PART", "PACK")
_COMPANIONS = {
    "screws": "nuts_washers", "nuts_washers": "screws", "bearings": "seals", "belts": "pulleys",
    "motors": "couplings", "pulleys": "belts", "couplings": "motors", "drill_bits": "oils",
    "cables": "breakers", "breakers": "contactors", "contactors": "breakers", "sensors": "cables",
    "fittings": "cylinders", "cylinders": "fittings", "valves": "seals", "pumps": "valves",
    "gloves": "eyewear", "shoes": "clothing", "clothing": "helmets", "helmets": "eyewear",
}  # fmt: skip
_WORN_PARTS = {"motors": "bearings", "pumps": "seals", "cylinders": "seals", "valves": "seals"}
_EXAMPLES = {
    "VIS-HEX-M8X40-A2": {
        "X_SELL": ("ECR-HEX-M8-A2", "RON-PLA-M8-A2", "RON-GRO-M8-A2", "ECR-FRN-M8-A2"),
        "UPSELL": ("VIS-HEX-M8X40-A4",),
        "SUBSTITUTION": ("VIS-CHC-M8X40-A2", "VIS-HEX-M8X40-ZN"),
        "ACCESSORY": ("CLE-CHROME-13", "DOU-SQ38-13"),
        "SPARE_PART": ("ECR-HEX-M8-A2",),
        "PACK": ("ECR-HEX-M8-A2", "RON-PLA-M8-A2"),
    },
}


def associate(items: list[Item], rng: Random) -> list[Item]:
    families: dict[str, list[str]] = {}
    for item in items:
        families.setdefault(item.family, []).append(item.sku)
    return [
        replace(item, associations=_EXAMPLES.get(item.sku) or _drawn(item, families, rng))
        for item in items
    ]


def _drawn(item: Item, families: dict[str, list[str]], rng: Random) -> dict[str, tuple[str, ...]]:
    peers = families[item.family]
    place = int(rng.random() * len(peers))
    others = [peers[(place + step) % len(peers)] for step in (0, 1, 2)]
    others = [sku for sku in others if sku != item.sku][:2]
    companions = families[_COMPANIONS.get(item.family, "hand_tools")]
    start = int(rng.random() * (len(companions) - 4))
    near = tuple(sku for sku in companions[start : start + 4] if sku != item.sku)
    drawn = {
        "SUBSTITUTION": (others[0],),
        "UPSELL": (others[1],),
        "X_SELL": near[:3],
        "ACCESSORY": near[2:],
    }
    if parts := families.get(_WORN_PARTS.get(item.family, "")):
        drawn["SPARE_PART"] = (parts[start % len(parts)], parts[(start + 5) % len(parts)])
    if place % 10 == 0:
        drawn["PACK"] = near[:2]
    return drawn
