"""Which of the PIM's locales a text is read in, best first, and labels read by them."""

from collections.abc import Mapping, Sequence

from connectors.akeneo.config import AkeneoConfig
from connectors.akeneo.payloads import Labels


def locales_for(language: str, config: AkeneoConfig, of_channel: Sequence[str]) -> tuple[str, ...]:
    """Locales of a BCP 47 tag: the configured, else the channel's of it, then the default."""
    tag = _tag(language)
    found = _configured(tag, config.locales) or _of_channel(tag, of_channel)
    default = (config.default_locale,) if config.default_locale else tuple(of_channel[:1])
    return tuple(dict.fromkeys((*found, *default)))


def readable(labels: Labels) -> dict[str, str]:
    """Labels by locale, without the empty ones."""
    if not isinstance(labels, dict):
        return {}
    return {locale: text for locale, text in labels.items() if text}


def label(labels: Mapping[str, str], code: str, locales: Sequence[str]) -> str:
    """The label in the first locale that has one, else `[code]`, as the PIM itself shows it."""
    for locale in locales:
        if locale in labels:
            return labels[locale]
    return f"[{code}]"


def _tag(text: str) -> str:
    return text.replace("_", "-").casefold()


def _configured(tag: str, table: Mapping[str, str | tuple[str, ...]]) -> tuple[str, ...]:
    """The longest configured prefix of the tag (RFC 4647 §3.4)."""
    known = {_tag(language): locales for language, locales in table.items()}
    while tag:
        if locales := known.get(tag):
            return (locales,) if isinstance(locales, str) else tuple(locales)
        tag = tag.rpartition("-")[0]
    return ()


def _of_channel(tag: str, of_channel: Sequence[str]) -> tuple[str, ...]:
    primary = tag.partition("-")[0]
    exact = [locale for locale in of_channel if _tag(locale) == tag]
    related = [locale for locale in of_channel if _tag(locale).partition("-")[0] == primary]
    return tuple((exact or related)[:1])
