"""How this PIM is set up: channels, locales, currencies, groups, association types."""

from dataclasses import dataclass

from sandbox.world import Text

IDENTIFIER = "sku"
"The code of the main identifier attribute."


@dataclass(frozen=True, slots=True)
class Channel:
    code: str
    locales: tuple[str, ...]
    currencies: tuple[str, ...]
    labels: Text
    required: tuple[str, ...]
    "The attributes that make a product complete."
    category_tree: str = "master"


CHANNELS = {
    "ecommerce": Channel(
        "ecommerce",
        ("de_DE", "en_US", "fr_FR"),
        ("EUR", "CHF"),
        {"fr_FR": "Boutique en ligne", "en_US": "Web shop", "de_DE": "Webshop"},
        ("sku", "name", "description", "price", "image", "brand"),
    ),
    "print": Channel(
        "print",
        ("fr_FR",),
        ("EUR",),
        {"fr_FR": "Catalogue papier", "en_US": "Printed catalogue", "de_DE": "Druckkatalog"},
        ("sku", "name", "description"),
    ),
}
LOCALES = {"de_DE": True, "en_US": True, "fr_FR": True, "es_ES": False, "it_IT": False}
CURRENCIES = {
    "CHF": (True, "CHF (Swiss Franc)"),
    "EUR": (True, "EUR (Euro)"),
    "GBP": (False, "GBP (British Pound)"),
    "USD": (False, "USD (US Dollar)"),
}
GROUPS: dict[str, Text] = {
    "general": {"fr_FR": "Général", "en_US": "General", "de_DE": "Allgemein"},
    "marketing": {"fr_FR": "Marketing", "en_US": "Marketing", "de_DE": "Marketing"},
    "technical": {"fr_FR": "Technique", "en_US": "Technical", "de_DE": "Technik"},
    "logistics": {"fr_FR": "Logistique", "en_US": "Logistics", "de_DE": "Logistik"},
    "media": {"fr_FR": "Médias", "en_US": "Media", "de_DE": "Medien"},
}
ASSOCIATION_TYPES: dict[str, Text] = {
    "ACCESSORY": {"fr_FR": "Accessoires", "en_US": "Accessories", "de_DE": "Zubehör"},
    "PACK": {"fr_FR": "Lot", "en_US": "Pack", "de_DE": "Set"},
    "SPARE_PART": {"fr_FR": "Pièces de rechange", "en_US": "Spare parts", "de_DE": "Ersatzteile"},
    "SUBSTITUTION": {"fr_FR": "Remplacement", "en_US": "Substitution", "de_DE": "Ersatz"},
    "UPSELL": {"fr_FR": "Montée en gamme", "en_US": "Upsell", "de_DE": "Upselling"},
    "X_SELL": {"fr_FR": "Vente croisée", "en_US": "Cross sell", "de_DE": "Cross-Selling"},
}
TABLE_COLUMNS: dict[str, Text] = {
    "characteristic": {"fr_FR": "Caractéristique", "en_US": "Characteristic", "de_DE": "Merkmal"},
    "value": {"fr_FR": "Valeur", "en_US": "Value", "de_DE": "Wert"},
    "tolerance": {"fr_FR": "Tolérance", "en_US": "Tolerance", "de_DE": "Toleranz"},
}
TABLE_CHOICES: dict[str, Text] = {
    "mass": {"fr_FR": "Masse", "en_US": "Mass", "de_DE": "Masse"},
    "service_life": {"fr_FR": "Durée de vie", "en_US": "Service life", "de_DE": "Lebensdauer"},
    "norm": {"fr_FR": "Norme", "en_US": "Standard", "de_DE": "Norm"},
}
"Options of the table's first column."
