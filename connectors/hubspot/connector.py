"""The customers port on HubSpot: companies, their contacts, the owners as representatives."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from connectors.hubspot import diagnosis
from connectors.hubspot.client import HubSpotClient, Part
from connectors.hubspot.config import HubSpotConfig
from connectors.hubspot.identities import Identities
from connectors.hubspot.mapping import (
    CONTACT_PROPERTIES,
    CompanyShape,
    UnreadableError,
    contact,
    preference_names,
    representative,
)
from connectors.hubspot.payloads import Record
from connectors.hubspot.searching import is_number, is_text, position, question
from ports.caller import Call
from ports.common import Answers, Page, PageRequest
from ports.customers import Contact, Customer, Customers
from ports.errors import PermanentError, UpstreamError
from upstream.connector import Connector, Upstream
from upstream.diagnosis import Diagnosed, Finding
from upstream.reference import Reference

T = TypeVar("T")

_RECORD_ID = "hs_object_id"


class HubSpot:
    """Serves `ports.customers.Customers`."""

    def __init__(self, upstream: Upstream, config: HubSpotConfig) -> None:
        self._upstream = upstream
        self._config = config
        self._client = HubSpotClient(upstream, config)
        self._owners = Reference(self._load_owners)
        self._preferences = Reference(self._load_preferences)
        self._identities = Identities()

    def ports(self) -> Mapping[str, object]:
        return {"customers": self}

    async def check(self, *, call: Call) -> None:
        """Reads the number's property and one company, which takes the token and both scopes."""
        name = self._config.number_property
        known = await self._client.company_property(name, call=call)
        if known is None:
            raise self._client.refused("check", f"companies have no property {name}")
        if name != _RECORD_ID and known.has_unique_value is False:
            raise self._client.refused("check", f"{name} is no property of unique values")
        body = question(name, [name], None, None, PageRequest(first=1))
        await self._client.search(body, "check", call=call)

    async def diagnose(self, *, call: Call) -> Sequence[Finding]:
        return await diagnosis.diagnose(self._upstream, self._config, call=call)

    async def aclose(self) -> None:
        await self._owners.aclose()
        await self._preferences.aclose()
        await self._client.aclose()

    async def customers(self, numbers: Sequence[str], /, *, call: Call) -> Answers[str, Customer]:
        operation = "customers.customers"
        shape = await self._shape(call)
        part = await self._companies(numbers, shape, operation, call)
        answers: dict[str, Customer | UpstreamError] = {**part.failed}
        for number, record in self._numbered(part.found, shape, operation):
            try:
                answers[number] = shape.customer(record, number, self._upstream.name)
            except UnreadableError as problem:
                answers[number] = self._client.malformed(operation, str(problem))
        return _asked(answers, numbers)

    async def contacts(
        self, numbers: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Contact, ...]]:
        """Two calls where the companies were read just before, else three."""
        operation = "customers.contacts"
        companies, failed = await self._company_ids(numbers, operation, call)
        linked, unlinked = await self._client.contacts_of(
            list(companies.values()), operation, call=call
        )
        wanted = list(dict.fromkeys(id_ for ids in linked.values() for id_ in ids))
        people = await self._people(wanted, operation, call)
        answers: dict[str, tuple[Contact, ...] | UpstreamError] = {**failed}
        for number, company in companies.items():
            found = [people[id_] for id_ in dict.fromkeys(linked[company]) if id_ in people]
            answers[number] = unlinked.get(company) or _all_or_error(found)
        return _asked(answers, numbers)

    async def representatives(self, keys: Sequence[str], /, *, call: Call) -> Answers[str, Contact]:
        owners = await self._owners.get(call)
        return {key: owners[key] for key in keys if key in owners}

    async def search(
        self, text: str | None, numbers: tuple[str, ...] | None, page: PageRequest, /, *, call: Call
    ) -> Page[Customer]:
        operation = "customers.search"
        start = position(page)
        among = None if numbers is None else tuple(filter(is_number, numbers))
        if among == () or not is_text(text):
            return Page((), (), has_next=False, total=0)
        shape = await self._shape(call)
        body = question(self._config.number_property, shape.properties, text, among, page)
        found = await self._client.search(body, operation, call=call)
        items, cursors = [], []
        for place, record in enumerate(found.results, start + 1):
            for number, _ in self._numbered([record], shape, operation):
                # HubSpot compares without regard to case; whoever restricts, means it exactly.
                if numbers is None or number in numbers:
                    items.append(self._customer(record, number, shape, operation))
                    cursors.append(str(place))
        return Page(
            tuple(items),
            tuple(cursors),
            has_next=bool(found.results) and start + len(found.results) < found.total,
            total=found.total,
        )

    def _customer(
        self, record: Record, number: str, shape: CompanyShape, operation: str
    ) -> Customer:
        try:
            return shape.customer(record, number, self._upstream.name)
        except UnreadableError as problem:
            raise self._client.malformed(operation, str(problem)) from problem

    async def _shape(self, call: Call) -> CompanyShape:
        bare = CompanyShape(self._config, wanted=call.wanted)
        if not bare.wants("preferences"):
            return bare
        if self._config.preference_prefix is None:
            return replace(bare, preferences=self._config.preference_properties)
        return replace(bare, preferences=await self._preferences.get(call))

    async def _companies(
        self, numbers: Sequence[str], shape: CompanyShape, operation: str, call: Call
    ) -> Part[Record]:
        """The companies of these numbers, whose ids are remembered for `contacts`."""
        name = self._config.number_property
        part = await self._client.records(
            "companies",
            [number for number in numbers if is_number(number)],
            shape.properties,
            operation,
            call=call,
            id_property=None if name == _RECORD_ID else name,
        )
        for number, record in self._numbered(part.found, shape, operation):
            self._identities.remember(number, record.id)
        return part

    async def _company_ids(
        self, numbers: Sequence[str], operation: str, call: Call
    ) -> tuple[dict[str, str], Mapping[str, UpstreamError]]:
        known = self._identities.known(numbers)
        unknown = [number for number in numbers if number not in known]
        if not unknown:
            return known, {}
        shape = CompanyShape(self._config)
        part = await self._companies(unknown, shape, operation, call)
        return known | self._identities.known(unknown), part.failed

    async def _people(
        self, ids: Sequence[str], operation: str, call: Call
    ) -> dict[str, Contact | UpstreamError]:
        """Contacts by id, or what went wrong with them; deleted ones are absent."""
        part = await self._client.records("contacts", ids, CONTACT_PROPERTIES, operation, call=call)
        people: dict[str, Contact | UpstreamError] = {**part.failed}
        for record in part.found:
            try:
                people[record.id] = contact(record)
            except UnreadableError as problem:
                people[record.id] = self._client.malformed(operation, str(problem))
        return people

    def _numbered(
        self, records: Iterable[Record], shape: CompanyShape, operation: str
    ) -> list[tuple[str, Record]]:
        """Records with their customer numbers; those without one are no customers."""
        try:
            numbered = [(shape.number(record), record) for record in records]
        except UnreadableError as problem:
            raise self._client.malformed(operation, str(problem)) from problem
        return [(number, record) for number, record in numbered if number is not None]

    async def _load_owners(self, call: Call) -> Mapping[str, Contact]:
        return {owner.id: representative(owner) for owner in await self._client.owners(call=call)}

    async def _load_preferences(self, call: Call) -> tuple[str, ...]:
        try:
            known = await self._client.company_properties(call=call)
        except PermanentError:
            # Without the right to see properties, a portal shows only the preferences listed.
            known = []
        return preference_names(self._config, (one.name for one in known))


def _asked(answers: Mapping[str, T], numbers: Sequence[str]) -> dict[str, T]:
    """HubSpot may answer with another spelling of a number than was asked; that is not it."""
    return {number: answers[number] for number in numbers if number in answers}


def _all_or_error(
    found: Sequence[Contact | UpstreamError],
) -> tuple[Contact, ...] | UpstreamError:
    """One person who cannot be read makes the list untrue; the error says so."""
    people = []
    for one in found:
        if isinstance(one, UpstreamError):
            return one
        people.append(one)
    return tuple(people)


if TYPE_CHECKING:
    _connector: type[Connector] = HubSpot
    _diagnosed: type[Diagnosed] = HubSpot
    _port: type[Customers] = HubSpot
