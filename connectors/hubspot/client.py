"""HubSpot's wire: batch reads, search, associations, and what a portal tells of itself."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from connectors.hubspot.config import HubSpotConfig
from connectors.hubspot.payloads import (
    Batch,
    BatchError,
    Found,
    LinkBatch,
    Links,
    Owner,
    Owners,
    Properties,
    Property,
    Record,
    Refusal,
)
from ports.caller import Call
from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UpstreamError,
)
from upstream.connector import Upstream
from upstream.credentials import FixedHeaders
from upstream.http import ErrorType, HttpClient, Request, Response, Verdict
from upstream.limits import Bulkhead, chunks

T = TypeVar("T")
B = TypeVar("B", Batch, LinkBatch)

MOST_INPUTS = 100
MOST_LINKED_INPUTS = 1_000
_OWNERS_PAGE = "500"
# A list that never ends would be one that names itself as its own continuation.
_MOST_PAGES = 100
_NOT_FOUND = 404
_BATCH = frozenset({200, 207, _NOT_FOUND})
_THROTTLED = 429

# How long to leave HubSpot alone, by the limit that was reached; it sends no Retry-After.
_WAITS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3_600.0}
_MISSING = "OBJECT_NOT_FOUND"
_KINDS: Mapping[str, ErrorType] = {
    "RATE_LIMITS": ThrottledError,
    "RATE_LIMIT": ThrottledError,
    "VALIDATION_ERROR": RefusedError,
    "MISSING_SCOPES": RefusedError,
    "INVALID_AUTHENTICATION": RefusedError,
}


def classify(response: Response) -> Verdict | None:
    """A reached limit with the time to wait, told by its policy's name only."""
    if response.status != _THROTTLED:
        return None
    try:
        policy = msgspec.json.decode(response.body, type=Refusal).policy_name
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return ThrottledError, _WAITS.get(policy.upper(), 1.0)


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What a batch found, and the error of each asked id that failed; others do not exist."""

    found: Sequence[T]
    failed: Mapping[str, UpstreamError]


class HubSpotClient:
    """Raises the branches of `ports.errors.UpstreamError`."""

    def __init__(self, upstream: Upstream, config: HubSpotConfig) -> None:
        self._paths = _Paths(config.api_version)
        self._http = HttpClient(
            upstream.identity,
            config,
            credentials=FixedHeaders(
                {"authorization": f"Bearer {config.token.get_secret_value()}"}
            ),
            bulkhead=upstream.bulkhead(config),
            exchanges=upstream.exchanges,
            classify=classify,
            transport=upstream.transport,
        )
        self._searches = Bulkhead(None, config.searches_per_second)

    async def aclose(self) -> None:
        await self._http.aclose()

    def malformed(self, operation: str, detail: str) -> UpstreamError:
        return self._http.error(MalformedError, operation, detail)

    async def records(  # noqa: PLR0913 - a batch read has these parts
        self,
        kind: str,
        ids: Sequence[str],
        properties: Sequence[str],
        operation: str,
        *,
        call: Call,
        id_property: str | None = None,
    ) -> Part[Record]:
        """Companies or contacts by id, or by a property of unique values."""
        parts = await asyncio.gather(
            *(
                self._read(kind, some, properties, operation, call, id_property)
                for some in chunks(tuple(ids), MOST_INPUTS)
                if some
            )
        )
        found = [record for part in parts for record in part.found]
        return Part(found, {key: error for part in parts for key, error in part.failed.items()})

    async def _read(  # noqa: PLR0913, PLR0917 - as `records`
        self,
        kind: str,
        ids: Sequence[str],
        properties: Sequence[str],
        operation: str,
        call: Call,
        id_property: str | None,
    ) -> Part[Record]:
        body: dict[str, object] = {
            "inputs": [{"id": one} for one in ids],
            "properties": list(properties),
            "propertiesWithHistory": [],
        }
        if id_property:
            body["idProperty"] = id_property
        path = f"{self._paths.objects}/{kind}/batch/read"
        batch = await self._post(path, body, Batch, operation, call)
        return Part(batch.results, self._failed(batch.errors, ids, "ids", operation))

    async def contacts_of(
        self, companies: Sequence[str], operation: str, *, call: Call
    ) -> tuple[dict[str, list[str]], dict[str, UpstreamError]]:
        """The ids of each company's contacts, in HubSpot's order, and what failed by company."""
        linked: dict[str, list[str]] = {company: [] for company in companies}
        failed: dict[str, UpstreamError] = {}
        inputs: list[dict[str, str]] = [{"id": company} for company in companies]
        for _ in range(_MOST_PAGES):
            if not inputs:
                return linked, failed
            following: list[dict[str, str]] = []
            for some in chunks(inputs, MOST_LINKED_INPUTS):
                batch = await self._post(
                    f"{self._paths.associations}/companies/contacts/batch/read",
                    {"inputs": some},
                    LinkBatch,
                    operation,
                    call,
                )
                asked = [one["id"] for one in some]
                failed |= self._failed(batch.errors, asked, "fromObjectId", operation)
                following += _gathered(batch.results, linked)
            inputs = following
        raise self.malformed(operation, "associations that never end")

    async def search(self, body: Mapping[str, object], operation: str, *, call: Call) -> Found:
        request = Request(operation, f"{self._paths.objects}/companies/search", "POST", json=body)
        async with self._searches.slot():
            return await self._http.read(request, Found, call=call)

    async def owners(self, *, call: Call) -> list[Owner]:
        """All active owners."""
        owners: list[Owner] = []
        params = {"limit": _OWNERS_PAGE, "archived": "false"}
        for _ in range(_MOST_PAGES):
            request = Request("reference.owners", self._paths.owners, params=params)
            page = await self._http.read(request, Owners, call=call)
            owners += page.results
            if page.paging is None or page.paging.next is None:
                return owners
            params = {**params, "after": page.paging.next.after}
        raise self.malformed("reference.owners", "owners that never end")

    async def company_properties(self, *, call: Call) -> list[Property]:
        request = Request("reference.properties", f"{self._paths.properties}/companies")
        return (await self._http.read(request, Properties, call=call)).results

    async def company_property(self, name: str, *, call: Call) -> Property | None:
        """None when the portal has no such property."""
        path = f"{self._paths.properties}/companies/{name}"
        request = Request("check", path, expect=frozenset({200, _NOT_FOUND}))
        response = await self._http.send(request, call=call)
        if response.status == _NOT_FOUND:
            return None
        return self._http.decode(response, Property, "check")

    def refused(self, operation: str, detail: str) -> UpstreamError:
        return self._http.error(RefusedError, operation, detail)

    async def _post(
        self, path: str, body: Mapping[str, object], shape: type[B], operation: str, call: Call
    ) -> B:
        """A batch's answer; where nothing at all was found HubSpot may say so with a 404."""
        request = Request(operation, path, "POST", json=body, expect=_BATCH)
        response = await self._http.send(request, call=call)
        if response.status != _NOT_FOUND:
            return self._http.decode(response, shape, operation)
        told = self._http.decode(response, BatchError, operation)
        if told.category != _MISSING or not told.context:
            raise self.refused(operation, f"HTTP 404: {told.category}: {told.message}")
        return shape(results=[])

    def _failed(
        self,
        errors: Iterable[BatchError] | None,
        asked: Sequence[str],
        named_by: str,
        operation: str,
    ) -> dict[str, UpstreamError]:
        """The errors of a 207 by the ids they name; one that names none is every id's.

        What was not found (a record, or any association of it) is no failure.
        """
        failed: dict[str, UpstreamError] = {}
        for error in errors or ():
            if error.category == _MISSING:
                continue
            kind = _KINDS.get(error.category, UnavailableError)
            detail = f"{error.category}: {error.message}"
            named = (error.context or {}).get(named_by) or (error.context or {}).get("ids") or asked
            failed |= dict.fromkeys(named, self._http.error(kind, operation, detail))
        return failed


def _gathered(results: Iterable[Links], linked: dict[str, list[str]]) -> list[dict[str, str]]:
    """Adds the links to those already known; gives the inputs that ask for what is still left."""
    following: list[dict[str, str]] = []
    for links in results:
        known = linked.setdefault(links.source.id, [])
        known += [str(target.id) for target in links.targets]
        if links.paging and links.paging.next:
            following.append({"id": links.source.id, "after": links.paging.next.after})
    return following


class _Paths:
    """Where things are: dated versions name the thing first, older ones the version."""

    def __init__(self, version: str) -> None:
        dated = version != "v3"
        self.objects = f"/crm/objects/{version}" if dated else "/crm/v3/objects"
        self.owners = f"/crm/owners/{version}" if dated else "/crm/v3/owners"
        self.properties = f"/crm/properties/{version}" if dated else "/crm/v3/properties"
        # Associations with labels came with the fourth version only.
        self.associations = f"/crm/associations/{version}" if dated else "/crm/v4/associations"
