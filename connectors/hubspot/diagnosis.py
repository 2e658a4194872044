"""What HubSpot tells of a portal and its token: account, scopes, and how many rows are seen."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from connectors.hubspot.config import HubSpotConfig
from ports.caller import Call
from upstream.connector import Upstream
from upstream.credentials import FixedHeaders
from upstream.diagnosis import Finding, counted, examined
from upstream.http import HttpClient, Request

_ACCOUNT = "/account-info/v3/details"
_TOKEN = "/oauth/v2/private-apps/get/access-token-info"  # noqa: S105 - a path
_SCOPES = {
    "crm.objects.companies.read": True,
    "crm.objects.contacts.read": True,
    "crm.objects.owners.read": False,
    "crm.schemas.companies.read": False,
}
"""Those that the connector uses, and whether it is of no use without."""


class _Account(msgspec.Struct, rename="camel"):
    portal_id: int
    account_type: str | None = None
    data_hosting_location: str | None = None


class _Token(msgspec.Struct):
    scopes: list[str]


class _Total(msgspec.Struct):
    total: int


class _Owners(msgspec.Struct):
    results: list[msgspec.Raw]


async def diagnose(upstream: Upstream, config: HubSpotConfig, *, call: Call) -> Sequence[Finding]:
    http = HttpClient(
        upstream.identity,
        config,
        credentials=FixedHeaders({"authorization": f"Bearer {config.token.get_secret_value()}"}),
        bulkhead=upstream.bulkhead(config),
        exchanges=upstream.exchanges,
        transport=upstream.transport,
    )
    try:
        return [one async for one in _Portal(http, config, call).findings()]
    finally:
        await http.aclose()


class _Portal:
    def __init__(self, http: HttpClient, config: HubSpotConfig, call: Call) -> None:
        self._http, self._config, self._call = http, config, call
        dated = config.api_version != "v3"
        self._objects = f"/crm/objects/{config.api_version}" if dated else "/crm/v3/objects"
        self._people = f"/crm/owners/{config.api_version}" if dated else "/crm/v3/owners"

    async def findings(self) -> AsyncIterator[Finding]:
        untold = "HubSpot does not tell it to this token"
        yield await examined("version", self._account, untold)
        yield Finding("key life", "skipped", "a private app's token does not end")
        yield await examined("scopes", self._scopes, untold)
        right = "the app the scope crm.objects.{}.read"
        yield await counted("companies", self._companies, right.format("companies"))
        yield await counted("contacts", self._contacts, right.format("contacts"))
        yield await counted("owners", self._owners, right.format("owners"), needed=False)

    async def _account(self) -> Finding:
        told = await self._http.read(Request("diagnosis", _ACCOUNT), _Account, call=self._call)
        kind, place = told.account_type or "", told.data_hosting_location or ""
        detail = f"portal {told.portal_id} {kind} {place}".rstrip()
        return Finding("version", "passed", f"{detail}, API {self._config.api_version}")

    async def _scopes(self) -> Finding:
        asked = {"tokenKey": self._config.token.get_secret_value()}
        request = Request("diagnosis", _TOKEN, "POST", json=asked)
        told = await self._http.read(request, _Token, call=self._call)
        missing = [scope for scope in _SCOPES if scope not in told.scopes]
        writes = [scope for scope in told.scopes if scope.endswith(".write")]
        if missing:
            grave = any(_SCOPES[scope] for scope in missing)
            detail = f"missing: {', '.join(missing)}"
            remedy = "Add them to the private app; its token stays the same."
            return Finding("scopes", "failed" if grave else "warning", detail, remedy)
        if writes:
            detail = f"more than is used: {', '.join(writes)}"
            return Finding("scopes", "warning", detail, "Take them from the private app.")
        return Finding("scopes", "passed", f"all {len(_SCOPES)} that are used")

    async def _companies(self) -> int:
        return await self._rows("companies", self._config.number_property)

    async def _contacts(self) -> int:
        return await self._rows("contacts", "email")

    async def _rows(self, kind: str, known: str) -> int:
        """Records with the property that makes them worth something here."""
        has = {"propertyName": known, "operator": "HAS_PROPERTY"}
        body = {"filterGroups": [{"filters": [has]}], "limit": 1, "properties": [known]}
        request = Request("diagnosis", f"{self._objects}/{kind}/search", "POST", json=body)
        return (await self._http.read(request, _Total, call=self._call)).total

    async def _owners(self) -> int:
        request = Request("diagnosis", self._people, params={"limit": "100", "archived": "false"})
        return len((await self._http.read(request, _Owners, call=self._call)).results)
