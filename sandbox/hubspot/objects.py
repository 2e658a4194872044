"""HubSpot's objects: read one, list, read a batch, search."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from sandbox.hubspot import search
from sandbox.hubspot.answers import (
    Refusal,
    answer,
    batch,
    invalid,
    names,
    not_found,
    read_inputs,
    read_limit,
    read_object,
)
from sandbox.hubspot.records import Record, Shelf, companies, contacts
from sandbox.world import World

MOST_INPUTS = 100
MOST_LISTED = 100
MOST_SEARCHED = 200
# "Search the CRM": a search can be paged through up to 10,000 records, never beyond.
MOST_REACHABLE = 10_000

# Object types that exist, but that the private app's scopes leave out.
_UNGRANTED = frozenset(
    {"deals", "tickets", "products", "line_items", "quotes", "orders", "invoices", "carts"}
)


@dataclass(frozen=True, slots=True)
class Shelves:
    """Companies and contacts, found by any name HubSpot knows an object type by."""

    companies: Shelf
    contacts: Shelf

    @classmethod
    def of(cls, world: World) -> "Shelves":
        return cls(companies(world), contacts(world))

    def get(self, name: str) -> Shelf:
        for shelf in (self.companies, self.contacts):
            kind = shelf.kind
            if name.lower() in {kind.plural, kind.singular, kind.number}:
                return shelf
        if name in _UNGRANTED:
            scope = {"requiredScopes": [f"crm.objects.{name}.read"]}
            message = "This app has not been granted all the scopes the call requires"
            errors = [{"message": "One of these scopes is required", "context": scope}]
            raise Refusal(403, "MISSING_SCOPES", message, errors)
        raise invalid(f"Unable to infer object type from: {name}")


@dataclass(frozen=True, slots=True)
class Objects:
    world: World
    shelves: Shelves
    base_url: str

    async def get(self, request: Request) -> Response:
        """GET …/{type}/{id}: by id, or by a unique property with `idProperty`."""
        shelf, query = self._shelf(request), request.query_params
        key = request.path_params["id"]
        record = shelf.finder(query.get("idProperty")).get(key.lower())
        if record is None or _archived(request):
            raise not_found(f"No {shelf.kind.singular} with that id exists", id=[key])
        return answer(self._shown(shelf, record, request))

    async def listed(self, request: Request) -> Response:
        """GET …/{type}: by ascending id; `after` is the id of the next record."""
        shelf, query = self._shelf(request), request.query_params
        limit = read_limit(query.get("limit"), default=10, most=MOST_LISTED)
        after = query.get("after", "0")
        if not after.isdecimal():
            raise invalid("after is the cursor of an earlier answer", after=[after])
        rest = [one for one in shelf.records.values() if int(one.id) >= int(after)]
        page = [] if _archived(request) else rest[:limit]
        body: dict[str, Any] = {"results": [self._shown(shelf, one, request) for one in page]}
        if page and len(rest) > limit:
            body["paging"] = self._next(request, rest[limit].id)
        return answer(body)

    async def read(self, request: Request) -> Response:
        """POST …/{type}/batch/read: the found ones by id, not by input; 207 names the others."""
        shelf, body = self._shelf(request), await read_object(request)
        asked = [one["id"] for one in read_inputs(body, MOST_INPUTS)]
        if len(set(asked)) < len(asked):
            raise invalid("The ids of a batch must differ from each other")
        by_key = {} if _archived(request) else shelf.finder(body.get("idProperty"))
        found = {one.id: one for key in asked if (one := by_key.get(key.lower()))}
        missing = [key for key in asked if key.lower() not in by_key]
        asked_properties = names(body.get("properties"))
        results = [
            shelf.shown(one, asked_properties)
            for one in sorted(found.values(), key=lambda one: int(one.id))
        ]
        return batch(self.world.now, results, [_missing(shelf, missing)] if missing else [])

    async def search(self, request: Request) -> Response:
        """POST …/{type}/search: `after` is an offset, here as at HubSpot."""
        shelf, body = self._shelf(request), await read_object(request)
        limit, after = _page(body)
        records = search.found(shelf, body)
        asked = names(body.get("properties"))
        page = records[after : after + limit]
        answered: dict[str, Any] = {
            "total": len(records),
            "results": [shelf.shown(one, asked) for one in page],
        }
        if after + limit < len(records):
            answered["paging"] = self._next(request, str(after + limit))
        return answer(answered)

    def _shelf(self, request: Request) -> Shelf:
        return self.shelves.get(request.path_params["type"])

    def _shown(self, shelf: Shelf, record: Record, request: Request) -> dict[str, Any]:
        query = request.query_params
        shown = shelf.shown(record, names(query.getlist("properties")))
        linked = {
            kind.kind.plural: _linked(shelf, record)
            for kind in map(self.shelves.get, names(query.getlist("associations")))
            if kind is not shelf and record.associated
        }
        return shown | ({"associations": linked} if linked else {})

    def _next(self, request: Request, after: str) -> dict[str, Any]:
        path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
        query = urlencode(dict(request.query_params) | {"after": after})
        return {"next": {"after": after, "link": f"{self.base_url}{path}?{query}"}}


def _archived(request: Request) -> bool:
    """Whether archived records are asked for; the sandbox has none."""
    return request.query_params.get("archived") == "true"


def _missing(shelf: Shelf, keys: list[str]) -> dict[str, Any]:
    kind = shelf.kind.singular.upper()
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": f"Could not get some {kind} objects, they may be deleted or not exist.",
        "context": {"ids": keys},
    }


def _linked(shelf: Shelf, record: Record) -> dict[str, Any]:
    word = "company_to_contact" if shelf.kind.plural == "companies" else "contact_to_company"
    return {"results": [{"id": id_, "type": word} for id_ in record.associated]}


def _page(body: dict[str, Any]) -> tuple[int, int]:
    limit, after = body.get("limit", 10), body.get("after", 0)
    if not isinstance(limit, int) or not 0 <= limit <= MOST_SEARCHED:
        raise invalid(f"limit must be between 0 and {MOST_SEARCHED}")
    if not str(after or 0).isdecimal():
        raise invalid("after is the cursor of an earlier answer")
    offset = int(after or 0)
    if offset + limit > MOST_REACHABLE:
        raise invalid(f"A search reaches {MOST_REACHABLE} records and no further")
    return limit, offset
