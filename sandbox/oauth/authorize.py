"""The authorization endpoint: who asks is checked before anybody is shown anything."""

import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox.oauth import page
from sandbox.oauth.exchange import Incoming, Parameters, form_of
from sandbox.oauth.people import Person
from sandbox.oauth.server import Server

_TICKET_SECONDS = 3_600


class Authorize:
    """Every answer that leaves for a client names its issuer (RFC 9207)."""

    def __init__(self, server: Server, people: Mapping[str, Person]) -> None:
        self._server = server
        self._people = people
        self._address = f"{server.issuer}/authorize"

    async def show(self, request: Request) -> Response:
        """GET: the page with the people to be."""
        try:
            grant = self._grant(Incoming(request))
        except OAuth2Error as error:
            return self._refused(error)
        asked = page.Consent(grant.client, grant.request.scope, grant.redirect_uri)
        ticket = page.ticket_of(request.cookies.get(page.TICKET))
        response = page.login(asked, self._people.values(), ticket)
        self._keep(response, ticket)
        return response

    async def decide(self, request: Request) -> Response:
        """POST: the page's form, or a request whose parameters came as a form."""
        try:
            form = await form_of(request)
            if "ticket" not in form.data:
                return self._asked_by_form(form)
            if not _same_browser(request, form):
                return page.problem("The sign-in page is too old, or was not ours.", 403)
            return self._decided(Incoming(request), form)
        except OAuth2Error as error:
            return self._refused(error)

    def _grant(self, incoming: Incoming) -> Any:
        """The grant, of a client and for an address that are known. Raises OAuth2Error."""
        incoming.payload.check()
        return self._server.get_consent_grant(incoming)

    def _decided(self, incoming: Incoming, form: Parameters) -> Response:
        grant = self._grant(incoming)
        person = self._people.get(form.data.get("person", ""))
        if person is None and form.data.get("decision") != "refuse":
            return page.problem("There is no such person.")
        response: Response = self._server.create_authorization_response(incoming, person, grant)
        return self._leaving(response.headers["location"])

    def _refused(self, error: OAuth2Error) -> Response:
        if not error.redirect_uri:
            return page.problem(error.get_error_description() or error.error)
        _, _, headers = error()
        return self._leaving(dict(headers)["Location"])

    def _leaving(self, address: str) -> Response:
        told = add_params_to_uri(address, {"iss": self._server.issuer})
        # 303: the browser does not send its form along (RFC 9700 §4.12).
        return RedirectResponse(told, 303, {"Cache-Control": "no-store"})

    def _asked_by_form(self, form: Parameters) -> Response:
        form.check()
        return RedirectResponse(f"{self._address}?{urlencode(form.data)}", 303)

    def _keep(self, response: Response, ticket: str) -> None:
        parts = urlsplit(self._address)
        response.set_cookie(
            page.TICKET,
            ticket,
            max_age=_TICKET_SECONDS,
            path=parts.path,
            secure=parts.scheme == "https",
            httponly=True,
            samesite="strict",
        )


def _same_browser(request: Request, form: Parameters) -> bool:
    """Whether the form was shown in this browser: no other site can make it click."""
    kept = request.cookies.get(page.TICKET, "")
    return bool(kept) and hmac.compare_digest(kept.encode(), form.data["ticket"].encode())
