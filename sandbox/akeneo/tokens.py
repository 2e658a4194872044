"""The PIM's authorization server: password and refresh_token grants for one connection."""

import base64
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from sandbox.akeneo.answers import Refusal, answer, unprocessable
from sandbox.credentials import (
    AKENEO_CLIENT_ID,
    AKENEO_CLIENT_SECRET,
    AKENEO_PASSWORD,
    AKENEO_USERNAME,
)

ACCESS_SECONDS = 3600
REFRESH_SECONDS = 14 * 24 * 3600
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"

Clock = Callable[[], float]


class Tokens:
    """Issues tokens and checks them. A refresh token serves once."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._access: dict[str, float] = {}
        self._refresh: dict[str, float] = {}

    async def token(self, request: Request) -> Response:
        fields = _fields(request, await request.body())
        _check_client(request.headers.get("authorization", ""))
        grant = fields.get("grant_type")
        if grant == "password":
            self._check_user(fields)
        elif grant == "refresh_token":
            self._spend(str(fields.get("refresh_token", "")))
        else:
            raise unprocessable('Parameter "grant_type" is missing, empty or invalid')
        return answer(self._issue())

    def check(self, authorization: str) -> None:
        """Refuses with 401 whatever is not a living bearer token."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(401, "Authentication is required")
        if (until := self._access.get(token.strip())) is None:
            raise Refusal(401, "The access token provided is invalid.")
        if until <= self._clock():
            raise Refusal(401, "The access token provided has expired.")

    @staticmethod
    def _check_user(fields: dict[str, Any]) -> None:
        if not fields.get("username") or not fields.get("password"):
            raise unprocessable('Missing parameters. "username" and "password" required')
        named = _same(str(fields["username"]), AKENEO_USERNAME)
        if not (_same(str(fields["password"]), AKENEO_PASSWORD) and named):
            raise unprocessable("No user found for the given username and password")

    def _spend(self, token: str) -> None:
        until = self._refresh.pop(token, None)
        if until is None:
            raise unprocessable("Refresh token is invalid")
        if until <= self._clock():
            raise unprocessable("Refresh token has expired")

    def _issue(self) -> dict[str, Any]:
        now = self._clock()
        access, refresh = secrets.token_urlsafe(48), secrets.token_urlsafe(48)
        self._access = {token: until for token, until in self._access.items() if until > now - 60}
        self._access[access] = now + ACCESS_SECONDS
        self._refresh[refresh] = now + REFRESH_SECONDS
        return {
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "token_type": "bearer",
            "scope": None,
            "refresh_token": refresh,
        }


def _fields(request: Request, body: bytes) -> dict[str, Any]:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == _FORM:
        return dict(parse_qsl(body.decode("utf-8", "replace")))
    if kind != _JSON:
        message = f"‘{kind}’ in ‘Content-type’ header is not valid. Only ‘{_JSON}’ or ‘{_FORM}’ are allowed."  # noqa: RUF001
        raise Refusal(415, message)
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Refusal(400, "Invalid JSON message received") from None
    if not isinstance(fields, dict):
        raise Refusal(400, "Invalid JSON message received")
    return fields


def _check_client(authorization: str) -> None:
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        pair = ""
    if scheme.lower() != "basic" or not _same(pair, f"{AKENEO_CLIENT_ID}:{AKENEO_CLIENT_SECRET}"):
        raise unprocessable(
            'Parameter "client_id" is missing or does not match any client, or secret is invalid'
        )


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
