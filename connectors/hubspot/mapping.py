"""HubSpot's records as the records of `ports.customers`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from connectors.hubspot.config import HubSpotConfig
from connectors.hubspot.payloads import Owner, Record
from ports.common import ExternalReference, SystemName
from ports.customers import Contact, Customer, Preference

CONTACT_PROPERTIES = ("firstname", "lastname", "email", "phone", "mobilephone", "jobtitle")
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")


class UnreadableError(ValueError):
    """A property is of another type than HubSpot specifies."""


@dataclass(frozen=True, slots=True)
class CompanyShape:
    """Which properties of a company mean what, in this portal. `wanted` None wants all of them."""

    config: HubSpotConfig
    preferences: tuple[str, ...] = ()
    wanted: frozenset[str] | None = None

    @property
    def properties(self) -> list[str]:
        """All that a company is asked for."""
        config = self.config
        optional = {
            "representative": "hubspot_owner_id",
            "vat_number": config.vat_property,
            "segment": config.segment_property,
            "language": config.language_property,
            "email": config.email_property,
            "phone": config.phone_property,
            "website": config.website_property,
        }
        named = (
            config.number_property,
            "name",
            "domain",
            *(name for field, name in optional.items() if self.wants(field)),
            *self.preferences,
        )
        return list(dict.fromkeys(name for name in named if name))

    def wants(self, field: str) -> bool:
        return self.wanted is None or field in self.wanted

    def number(self, record: Record) -> str | None:
        """The customer number. Raises UnreadableError."""
        if self.config.number_property == "hs_object_id":
            return record.id
        return text(record.properties, self.config.number_property)

    def customer(self, record: Record, number: str, upstream: str) -> Customer:
        """Raises UnreadableError."""
        config, told = self.config, record.properties
        return Customer(
            number=number,
            name=text(told, "name") or text(told, "domain") or number,
            email=text(told, config.email_property),
            phone=text(told, config.phone_property),
            website=web_address(text(told, config.website_property)),
            vat_number=text(told, config.vat_property),
            segment=text(told, config.segment_property),
            language=language_tag(text(told, config.language_property)),
            references=(ExternalReference(SystemName.CRM, upstream, record.id),),
            preferences=tuple(self._preferences(told)),
            representative=text(told, "hubspot_owner_id"),
        )

    def _preferences(self, told: Mapping[str, object]) -> Iterable[Preference]:
        prefix = self.config.preference_prefix or ""
        for name in self.preferences:
            if (value := text(told, name)) is not None:
                listed = name in self.config.preference_properties
                yield Preference(name if listed else name.removeprefix(prefix), value)


def preference_names(config: HubSpotConfig, known: Iterable[str]) -> tuple[str, ...]:
    """The properties that are preferences: those listed, then those of the prefix, by name."""
    prefix = config.preference_prefix
    begun = sorted(name for name in known if prefix and name.startswith(prefix) and name != prefix)
    return tuple(dict.fromkeys((*config.preference_properties, *begun)))


def contact(record: Record) -> Contact:
    """Raises UnreadableError."""
    told = record.properties
    email = text(told, "email")
    return Contact(
        id=record.id,
        name=_full_name(text(told, "firstname"), text(told, "lastname")) or email or record.id,
        email=email,
        phone=text(told, "phone") or text(told, "mobilephone"),
        role=text(told, "jobtitle"),
    )


def representative(owner: Owner) -> Contact:
    name = _full_name(owner.first_name, owner.last_name) or owner.email or owner.id
    return Contact(id=owner.id, name=name, email=owner.email or None)


def text(told: Mapping[str, object], name: str | None) -> str | None:
    """A property's value; None when it is not set or blank. Raises UnreadableError."""
    value = told.get(name) if name else None
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableError(f"{name} is {type(value).__name__}, not text")
    return value.strip() or None


def language_tag(told: str | None) -> str | None:
    """A BCP 47 tag from what portals write (`fr`, `fr-fr`, `fr_FR`); None when it is none."""
    parts = _LANGUAGE.fullmatch(told or "")
    if parts is None:
        return None
    language, region = parts[1].lower(), parts[2]
    return f"{language}-{region.upper()}" if region else language


def web_address(told: str | None) -> str | None:
    """An http(s) address; HubSpot also keeps bare host names, which are taken for https."""
    if not told or not told.isprintable() or " " in told:
        return None
    address = told if "://" in told else f"https://{told}"
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in {"http", "https"} and "." in (parts.hostname or "") else None


def _full_name(first: str | None, last: str | None) -> str:
    return " ".join(part.strip() for part in (first, last) if part and part.strip())
