"""One line for shoppers while systems do badly: what may be late or missing, and nothing of why."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from ports.systems import System, SystemStatus

Severity = Literal["none", "warning", "critical"]

# Roles that a shopper takes for one thing.
_TOPICS: Mapping[str, str] = {
    "catalog": "catalog",
    "pricing": "prices",
    "stock": "stock",
    "accounts": "account",
    "customers": "account",
    "orders": "orders",
    "returns": "orders",
    "payments": "orders",
    "invoices": "invoices",
    "documents": "invoices",
    "shipments": "deliveries",
    "tracking": "deliveries",
}
TOPICS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "catalog": "product details",
        "prices": "prices",
        "stock": "availability",
        "account": "your account",
        "orders": "orders",
        "invoices": "invoices",
        "deliveries": "parcel tracking",
    },
    "fr": {
        "catalog": "fiches produits",
        "prices": "prix",
        "stock": "disponibilité",
        "account": "votre compte",
        "orders": "commandes",
        "invoices": "factures",
        "deliveries": "suivi des colis",
    },
    "de": {
        "catalog": "Produktangaben",
        "prices": "Preise",
        "stock": "Verfügbarkeit",
        "account": "Ihr Konto",
        "orders": "Bestellungen",
        "invoices": "Rechnungen",
        "deliveries": "Sendungsverfolgung",
    },
}
TEXTS: Mapping[str, tuple[str, str]] = {
    "en": (
        "Some information may be out of date at the moment: {topics}.",
        "Some information is not available at the moment: {topics}. We are working on it.",
    ),
    "fr": (
        "Certaines informations peuvent ne pas être à jour : {topics}.",
        "Certaines informations sont indisponibles pour le moment : {topics}. Nous y travaillons.",
    ),
    "de": (
        "Einige Angaben sind zurzeit möglicherweise nicht aktuell: {topics}.",
        "Einige Angaben sind zurzeit nicht verfügbar: {topics}. Wir arbeiten daran.",
    ),
}


class Banner(msgspec.Struct, frozen=True):
    """What a storefront shows. `text` is None while there is nothing to be said."""

    text: str | None = None
    severity: Severity = "none"
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class BannerTexts:
    """By language: the line while old answers stand in, the one while some are missing, topics.

    `{topics}` in a line is where the topics go. A language without topics has those of English.
    """

    lines: Mapping[str, tuple[str, str]] = field(default_factory=lambda: TEXTS)
    topics: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: TOPICS)
    default: str = "en"

    def language(self, wanted: str) -> str:
        """The best that there is for `fr-BE`."""
        for one in (wanted.lower(), wanted.lower().partition("-")[0], self.default):
            if one in self.lines:
                return one
        return next(iter(self.lines))

    def banner(self, systems: Iterable[System], wanted: str) -> Banner:
        hurting = [one for one in systems if _hurts(one)]
        if not hurting:
            return Banner()
        language = self.language(wanted)
        missing = any(_is_missing(one) for one in hurting)
        topics = self._topics(hurting, language)
        text = self.lines[language][missing].replace("{topics}", ", ".join(topics))
        since = min(one.since for one in hurting).replace(microsecond=0)
        return Banner(text, "critical" if missing else "warning", since)

    def _topics(self, systems: Sequence[System], language: str) -> list[str]:
        names = self.topics.get(language) or self.topics["en"]
        found = {_TOPICS[role]: None for one in systems for role in one.roles if role in _TOPICS}
        # Always in the same order, whichever system began.
        return [names.get(one, TOPICS["en"][one]) for one in TOPICS["en"] if one in found]


def _hurts(system: System) -> bool:
    """Whether a shopper notices: calls that failed and were made good by another try hurt nobody."""
    if system.status is SystemStatus.DOWN:
        return True
    impact = system.impact
    return impact is not None and bool(impact.failed or impact.stand_ins)


def _is_missing(system: System) -> bool:
    """Whether somebody got no answer at all."""
    return system.impact is None or system.impact.failed > 0 or not system.impact.stand_ins
