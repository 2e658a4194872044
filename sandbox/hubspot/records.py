"""The facts as HubSpot keeps them: records of text properties, and what each property is."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sandbox.hubspot.answers import invalid, moment
from sandbox.world import Company, Contact, World


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    label: str
    type: str = "string"
    unique: bool = False
    native: bool = True
    "False: the portal's own property, not HubSpot's."


@dataclass(frozen=True, slots=True)
class Kind:
    """An object type: its names in paths and messages, and what is told of it unasked."""

    plural: str
    singular: str
    number: str
    modified: str
    "Its property of the last change: the two types name it differently."
    defaults: tuple[str, ...]
    searched: tuple[str, ...]
    "What the free text of a search looks into."

    @property
    def always(self) -> tuple[str, ...]:
        return ("createdate", self.modified, "hs_object_id")


@dataclass(frozen=True, slots=True)
class Record:
    id: str
    created: datetime
    updated: datetime
    properties: dict[str, str | None]
    associated: tuple[str, ...]
    "Ids of the records of the other type, the first being the primary one."


@dataclass(frozen=True, slots=True)
class Shelf:
    """All records of one type, by ascending id."""

    kind: Kind
    properties: dict[str, Property]
    records: dict[str, Record]
    _unique: dict[str, dict[str, Record]] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: Kind, properties: Iterable[Property], records: Iterable[Record]) -> "Shelf":
        known = {one.name: one for one in properties}
        ordered = sorted(records, key=lambda record: int(record.id))
        unique = {
            name: {str(one.properties[name]).lower(): one for one in ordered}
            for name, one_property in known.items()
            if one_property.unique
        }
        return cls(kind, known, {one.id: one for one in ordered}, unique)

    def finder(self, id_property: str | None) -> dict[str, Record]:
        """The records by the value of a unique property, in lower case; by id when None."""
        if id_property is None:
            return self.records
        if id_property not in self._unique:
            message = f"{id_property} is no property of unique values of {self.kind.plural}"
            raise invalid(message, idProperty=[id_property])
        return self._unique[id_property]

    def shown(self, record: Record, asked: Iterable[str]) -> dict[str, Any]:
        """A record as answered: the asked properties (unknown names are dropped), null if unset."""
        wanted = {name for name in asked if name in self.properties} or set(self.kind.defaults)
        wanted.update(self.kind.always)
        return {
            "id": record.id,
            "properties": {name: record.properties.get(name) for name in sorted(wanted)},
            "createdAt": moment(record.created),
            "updatedAt": moment(record.updated),
            "archived": False,
        }


COMPANIES = Kind(
    plural="companies",
    singular="company",
    number="0-2",
    modified="hs_lastmodifieddate",
    defaults=("name", "domain"),
    searched=("name", "domain", "website", "phone"),
)
CONTACTS = Kind(
    plural="contacts",
    singular="contact",
    number="0-1",
    modified="lastmodifieddate",
    defaults=("firstname", "lastname", "email"),
    searched=("firstname", "lastname", "email", "phone", "company"),
)

_COMMON = (
    Property("hs_object_id", "Record ID", "number", unique=True),
    Property("createdate", "Create date", "datetime"),
    Property("hubspot_owner_id", "Owner", "enumeration"),
    Property("lifecyclestage", "Lifecycle stage", "enumeration"),
)
_OF_COMPANIES = (
    *_COMMON,
    Property("hs_lastmodifieddate", "Last modified", "datetime"),
    Property("name", "Company name"),
    Property("domain", "Domain name"),
    Property("website", "Website"),
    Property("phone", "Phone number"),
    Property("address", "Street address"),
    Property("address2", "Street address 2"),
    Property("zip", "Postal code"),
    Property("city", "City"),
    Property("country", "Country"),
    Property("num_associated_contacts", "Number of associated contacts", "number"),
    Property("customer_number", "Customer number", unique=True, native=False),
    Property("vat_number", "VAT number", native=False),
    Property("segment", "Segment", "enumeration", native=False),
    Property("preferred_language", "Preferred language", "enumeration", native=False),
    Property("email", "Company e-mail", native=False),
)
_OF_CONTACTS = (
    *_COMMON,
    Property("lastmodifieddate", "Last modified", "datetime"),
    Property("firstname", "First name"),
    Property("lastname", "Last name"),
    Property("email", "E-mail", unique=True),
    Property("phone", "Phone number"),
    Property("jobtitle", "Job title"),
    Property("company", "Company name"),
    Property("associatedcompanyid", "Primary associated company", "number"),
)


def companies(world: World) -> Shelf:
    preferences = sorted({name for one in world.companies for name in one.preferences})
    own = (Property(preference(name), f"Preference: {name}", native=False) for name in preferences)
    records = (_company(one, index, world.now) for index, one in enumerate(world.companies))
    return Shelf.of(COMPANIES, (*_OF_COMPANIES, *own), records)


def contacts(world: World) -> Shelf:
    return Shelf.of(CONTACTS, _OF_CONTACTS, _contacts(world))


def preference(name: str) -> str:
    """The property of a preference: HubSpot's names are of lower case letters, digits and `_`."""
    return "pref_" + re.sub(r"[^a-z0-9_]", "_", name.lower()).removeprefix("pref_")


def _company(one: Company, index: int, now: datetime) -> Record:
    own = {
        "name": one.name,
        "domain": _domain(one.website),
        "website": one.website,
        "phone": one.phone,
        **_address(one),
        "num_associated_contacts": str(len(one.contacts)),
        "customer_number": one.number,
        "vat_number": one.vat,
        "segment": one.segment,
        "preferred_language": one.language,
        "email": one.email,
        "hubspot_owner_id": one.owner_id,
        "lifecyclestage": "customer",
        **{preference(name): value for name, value in one.preferences.items()},
    }
    linked = tuple(person.crm_id for person in one.contacts)
    return _record(COMPANIES, one.crm_id, own, now - timedelta(days=900 - index), linked)


def _address(one: Company) -> dict[str, str]:
    """HubSpot keeps one address of a company: ours is where its invoices go."""
    for at in one.addresses:
        if at.kind == "invoice":
            return {
                "address": at.street,
                "address2": at.street2,
                "zip": at.zip,
                "city": at.city,
                "country": at.country,
            }
    return {}


def _contacts(world: World) -> Iterator[Record]:
    for index, company in enumerate(world.companies):
        created = world.now - timedelta(days=890 - index)
        for person in company.contacts:
            own = _person(person, company)
            yield _record(CONTACTS, person.crm_id, own, created, (company.crm_id,))


def _person(person: Contact, company: Company) -> dict[str, str]:
    return {
        "firstname": person.first_name,
        "lastname": person.last_name,
        "email": person.email,
        "phone": person.phone,
        "jobtitle": person.job_title,
        "company": company.name,
        "associatedcompanyid": company.crm_id,
        "hubspot_owner_id": company.owner_id,
        "lifecyclestage": "customer",
    }


def _record(
    kind: Kind,
    id_: str,
    own: dict[str, str],
    created: datetime,
    associated: tuple[str, ...],
) -> Record:
    updated = created + timedelta(days=30)
    stamps = {
        "hs_object_id": id_,
        "createdate": moment(created),
        kind.modified: moment(updated),
    }
    filled: dict[str, str | None] = {name: value or None for name, value in own.items()}
    return Record(id_, created, updated, {**filled, **stamps}, associated)


def _domain(website: str) -> str:
    host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    return host.removeprefix("www.")
