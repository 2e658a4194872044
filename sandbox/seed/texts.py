"""What the catalogue says of a product, in the languages it happens to be translated to."""

from random import Random

from sandbox.seed.attributes import option_label
from sandbox.seed.ranges import Range
from sandbox.world import LOCALES, Locale, Text, Value

_DESCRIPTIONS: Text = {
    "fr_FR": "{name}. Qualité industrielle{norm}, contrôlée en entrée de stock. Livrée sous 24 h"
    " en France depuis nos entrepôts de Lyon et Lille.",
    "en_US": "{name}. Industrial grade{norm}, inspected on receipt. Shipped within 24 hours from"
    " our warehouses.",
    "de_DE": "{name}. Industriequalität{norm}, im Wareneingang geprüft. Versand innerhalb von"
    " 24 Stunden ab Lager.",
}
_NORMS: Text = {"fr_FR": " selon {}", "en_US": " to {}", "de_DE": " nach {}"}
_SHARE_TRANSLATED: dict[Locale, float] = {"fr_FR": 1.0, "en_US": 0.97, "de_DE": 0.9}


def locales(rng: Random, *, complete: bool) -> tuple[Locale, ...]:
    """The locales a text exists in: French always, the others mostly."""
    if complete:
        return LOCALES
    return tuple(locale for locale in LOCALES if rng.random() < _SHARE_TRANSLATED[locale])


def product_name(sold: Range, dims: dict[str, str], into: tuple[Locale, ...]) -> Text:
    patterns = dict(zip(LOCALES, sold.names, strict=True))
    return {
        locale: patterns[locale].format_map(
            {dim: option_label(value)[locale] for dim, value in dims.items()}
        )
        for locale in into
    }


def model_name(sold: Range, fixed: dict[str, str], into: tuple[Locale, ...]) -> Text:
    """The range's noun followed by what all variants have in common."""
    patterns = dict(zip(LOCALES, sold.names, strict=True))
    names: Text = {}
    for locale in into:
        noun = patterns[locale].split("{", 1)[0].rstrip(" ,Ø")
        shared = (option_label(value)[locale] for value in fixed.values())
        names[locale] = " ".join((noun, *shared))
    return names


def localized(text: Text, scope: str | None = None) -> tuple[Value, ...]:
    return tuple(Value(words, locale, scope) for locale, words in text.items())


def descriptions(names: Text, norm: str, rng: Random, *, complete: bool) -> tuple[Value, ...]:
    """Texts of the web shop, in fewer languages than the names; and for print, mostly French."""
    shop: Text = {
        locale: _DESCRIPTIONS[locale].format(
            name=name, norm=_NORMS[locale].format(norm) if norm else ""
        )
        for locale, name in names.items()
        if complete or locale == "fr_FR" or rng.random() < 0.7  # noqa: PLR2004 - share translated
    }
    catalogue: Text = {"fr_FR": f"{names['fr_FR']}. {norm}".strip()}
    return (*localized(shop, "ecommerce"), *localized(catalogue, "print"))
