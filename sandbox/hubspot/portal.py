"""What a HubSpot portal tells of itself: its owners, its properties."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.credentials import HUBSPOT_TOKEN
from sandbox.hubspot.answers import answer, invalid, moment, not_found, read_limit
from sandbox.hubspot.objects import Shelves
from sandbox.hubspot.records import Property, Shelf
from sandbox.world import Owner, World

MOST_OWNERS = 500
PORTAL = 139_000_001
_SCOPES = (
    "crm.objects.companies.read",
    "crm.objects.contacts.read",
    "crm.objects.owners.read",
    "crm.schemas.companies.read",
)

_FIELDS = {"string": "text", "number": "number", "datetime": "date", "enumeration": "select"}


@dataclass(frozen=True, slots=True)
class Owners:
    """The owners; HubSpot has no phone of theirs to tell."""

    world: World

    async def listed(self, request: Request) -> Response:
        query = request.query_params
        limit = read_limit(query.get("limit"), default=100, most=MOST_OWNERS)
        start = query.get("after", "0")
        if not start.isdecimal():
            raise invalid("after is the cursor of an earlier answer", after=[start])
        rest = self._matching(query.get("email"))[int(start) :]
        page = [] if query.get("archived") == "true" else rest[:limit]
        body: dict[str, Any] = {"results": [self._shown(one) for one in page]}
        if page and len(rest) > limit:
            body["paging"] = {"next": {"after": str(int(start) + limit)}}
        return answer(body)

    async def get(self, request: Request) -> Response:
        key = request.path_params["id"]
        by_user = request.query_params.get("idProperty", "id") == "userId"
        for owner in self.world.owners:
            if key == (str(_user(owner)) if by_user else owner.id):
                return answer(self._shown(owner))
        raise not_found("No owner with that id exists", id=[key])

    def _matching(self, email: str | None) -> list[Owner]:
        return [one for one in self.world.owners if email is None or one.email == email.lower()]

    def _shown(self, owner: Owner) -> dict[str, Any]:
        return {
            "id": owner.id,
            "email": owner.email,
            "type": "PERSON",
            "firstName": owner.first_name,
            "lastName": owner.last_name,
            "userId": _user(owner),
            "userIdIncludingInactive": _user(owner),
            "createdAt": moment(self.world.now),
            "updatedAt": moment(self.world.now),
            "archived": False,
        }


def _user(owner: Owner) -> int:
    """The user behind an owner: another number than the owner's, as at HubSpot."""
    return int(owner.id) + 1_000_000


class App:
    """The portal's account, and the private app that the token is of."""

    async def account(self, _: Request) -> Response:
        return answer(
            {
                "portalId": PORTAL,
                "accountType": "STANDARD",
                "timeZone": "Europe/Paris",
                "companyCurrency": "EUR",
                "additionalCurrencies": [],
                "utcOffset": "+01:00",
                "utcOffsetMilliseconds": 3_600_000,
                "uiDomain": "app-eu1.hubspot.com",
                "dataHostingLocation": "eu1",
            }
        )

    async def token(self, request: Request) -> Response:
        """What the token in the body may do; private apps' tokens have no end."""
        try:
            told = json.loads(await request.body())
        except ValueError:
            told = None
        if not isinstance(told, dict) or told.get("tokenKey") != HUBSPOT_TOKEN:
            raise not_found("No private app has that token")
        return answer(
            {"userId": 1_000_001, "hubId": PORTAL, "appId": 2_000_001, "scopes": list(_SCOPES)}
        )


@dataclass(frozen=True, slots=True)
class Properties:
    world: World
    shelves: Shelves

    async def listed(self, request: Request) -> Response:
        shelf = self.shelves.get(request.path_params["type"])
        return answer({"results": [self._shown(shelf, one) for one in shelf.properties.values()]})

    async def get(self, request: Request) -> Response:
        shelf = self.shelves.get(request.path_params["type"])
        name = request.path_params["name"]
        if name not in shelf.properties:
            raise not_found(f"No property {name} exists", propertyName=[name])
        return answer(self._shown(shelf, shelf.properties[name]))

    def _shown(self, shelf: Shelf, one: Property) -> dict[str, Any]:
        own = {"archivable": True, "readOnlyDefinition": one.native, "readOnlyValue": False}
        return {
            "name": one.name,
            "label": one.label,
            "type": one.type,
            "fieldType": _FIELDS[one.type],
            "description": "",
            "groupName": f"{shelf.kind.singular}information",
            "options": _options(shelf, one),
            "displayOrder": -1,
            "calculated": False,
            "externalOptions": one.name == "hubspot_owner_id",
            "hasUniqueValue": one.unique,
            "hidden": False,
            "formField": not one.native,
            "hubspotDefined": one.native,
            "archived": False,
            "modificationMetadata": own,
            "createdAt": moment(self.world.now),
            "updatedAt": moment(self.world.now),
        }


def _options(shelf: Shelf, one: Property) -> list[dict[str, Any]]:
    """The values that occur, for a property of closed values whose list is the portal's."""
    if one.type != "enumeration" or one.name == "hubspot_owner_id":
        return []
    values = {value for each in shelf.records.values() if (value := each.properties.get(one.name))}
    return [
        {"label": value, "value": value, "displayOrder": order, "hidden": False}
        for order, value in enumerate(sorted(values))
    ]
