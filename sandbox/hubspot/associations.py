"""HubSpot's v4 associations between companies and contacts."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.hubspot.answers import (
    answer,
    batch,
    invalid,
    not_found,
    read_inputs,
    read_limit,
    read_object,
)
from sandbox.hubspot.objects import Shelves
from sandbox.hubspot.records import Record, Shelf
from sandbox.world import World

MOST_INPUTS = 1_000
MOST_OF_ONE = 500

# (from, to) -> type ids of the labelled "Primary" link and of the plain one (HubSpot's own).
_TYPES = {("company", "contact"): (2, 280), ("contact", "company"): (1, 279)}


@dataclass(frozen=True, slots=True)
class Associations:
    world: World
    shelves: Shelves

    async def read(self, request: Request) -> Response:
        """POST …/{from}/{to}/batch/read: 207 with an error for each input without any link."""
        source, target = self._pair(request)
        inputs = read_inputs(await read_object(request), MOST_INPUTS)
        results, errors = [], []
        for one in inputs:
            record = source.records.get(one["id"])
            if record is None or not record.associated:
                errors.append(_none(source, target, one["id"]))
            else:
                page = _page(source, target, record, one.get("after"), MOST_OF_ONE)
                results.append({"from": {"id": record.id}, "to": page.pop("results"), **page})
        return batch(self.world.now, results, errors)

    async def listed(self, request: Request) -> Response:
        """GET /crm/v4/objects/{from}/{id}/associations/{to}."""
        source, target = self._pair(request)
        key, query = request.path_params["id"], request.query_params
        limit = read_limit(query.get("limit"), MOST_OF_ONE, MOST_OF_ONE)
        record = source.records.get(key)
        if record is None:
            raise not_found(f"No {source.kind.singular} with that id exists", id=[key])
        return answer(_page(source, target, record, query.get("after"), limit))

    def _pair(self, request: Request) -> tuple[Shelf, Shelf]:
        source = self.shelves.get(request.path_params["from"])
        target = self.shelves.get(request.path_params["to"])
        if source is target:
            raise invalid(f"{source.kind.plural} are not associated with each other here")
        return source, target


def _page(
    source: Shelf, target: Shelf, record: Record, after: object, limit: int
) -> dict[str, Any]:
    start = str(after or 0)
    if not start.isdecimal():
        raise invalid("after is the cursor of an earlier answer")
    linked = list(enumerate(record.associated))
    page = linked[int(start) : int(start) + limit]
    body: dict[str, Any] = {"results": [_link(source, target, id_, at) for at, id_ in page]}
    if int(start) + limit < len(linked):
        body["paging"] = {"next": {"after": str(int(start) + limit)}}
    return body


def _link(source: Shelf, target: Shelf, id_: str, index: int) -> dict[str, Any]:
    """A link as v4 tells it; every contact is its company's, the first one as the primary."""
    primary, plain = _TYPES[source.kind.singular, target.kind.singular]
    types = [{"category": "HUBSPOT_DEFINED", "typeId": plain, "label": None}]
    if index == 0:
        types.insert(0, {"category": "HUBSPOT_DEFINED", "typeId": primary, "label": "Primary"})
    return {"toObjectId": int(id_), "associationTypes": types}


def _none(source: Shelf, target: Shelf, key: str) -> dict[str, Any]:
    here, there = source.kind.singular, target.kind.singular
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {there} is associated with {here} {key}.",
        "context": {
            "fromObjectId": [key],
            "fromObjectType": [here],
            "toObjectType": [there],
        },
    }
