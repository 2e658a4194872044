"""Opaque access tokens, whose issuer is asked what they are worth (RFC 7662)."""

import asyncio
import math
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, NoReturn
from urllib.parse import quote_plus

import structlog

from gateway.access.bearer import check_kind
from gateway.access.discovery import Discovery
from gateway.access.errors import RefusedTokenError
from gateway.access.fetch import Fetcher, FetchError
from gateway.access.remembered import Seconds
from gateway.settings.access import IntrospectionSettings, IssuerSettings
from ports.common import SystemName
from ports.errors import UnavailableError

RETRY_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Introspection:
    """The introspection endpoint of one issuer."""

    def __init__(
        self,
        issuer: IssuerSettings,
        asked: IntrospectionSettings,
        fetcher: Fetcher,
        discovery: Discovery,
        wall: Seconds,
    ) -> None:
        self._issuer = issuer
        self._asked = asked
        self._fetcher = fetcher
        self._discovery = discovery
        self._wall = wall
        self._places = asyncio.Semaphore(asked.concurrency)
        self._headers = {"authorization": _basic(asked)}

    async def claims(self, token: str) -> Mapping[str, Any] | None:
        """What the issuer says of a token that is active now; None where it does not know it.

        Raises RefusedTokenError for a token that is not for us, UnavailableError when the issuer
        cannot be asked.
        """
        told = await self._told(token)
        if not told["active"]:
            return None
        self._check(told)
        return told

    async def _told(self, token: str) -> Mapping[str, Any]:
        form = {"token": token, "token_type_hint": "access_token"}
        try:
            async with asyncio.timeout(self._issuer.timeout_seconds), self._places:
                endpoint = await self._discovery.introspection_endpoint()
                told = await self._fetcher.post(endpoint, form, self._headers)
        except (FetchError, TimeoutError) as problem:
            self._fail(str(problem) or "no answer in time")
        if not isinstance(told.get("active"), bool):
            self._fail("the answer does not say whether the token is active")
        return told

    def _check(self, told: Mapping[str, Any]) -> None:
        """What is told must fit; much of it is optional in RFC 7662 §2.2."""
        if told.get("iss", self._issuer.issuer) != self._issuer.issuer:
            raise RefusedTokenError("is of another issuer")
        self._check_audience(told.get("aud"))
        now, leeway = self._wall(), self._issuer.leeway_seconds
        if _moment(told, "exp", math.inf) <= now - leeway:
            raise RefusedTokenError("is expired", "expired")
        if _moment(told, "nbf", -math.inf) > now + leeway:
            raise RefusedTokenError("is not valid yet")
        check_kind(told)

    def _check_audience(self, told: object) -> None:
        if told is None and not self._asked.audience_required:
            return
        named = [told] if isinstance(told, str) else told
        if not isinstance(named, list) or not any(ours in named for ours in self._issuer.audience):
            raise RefusedTokenError("is for another audience")

    def _fail(self, reason: str) -> NoReturn:
        log.warning("introspection failed", issuer=self._issuer.issuer, reason=reason)
        raise UnavailableError(
            system=SystemName.DIRECTORY.value,
            upstream=self._issuer.issuer,
            operation="access.introspection",
            detail=reason,
            retry_after=RETRY_SECONDS,
        )


def _moment(told: Mapping[str, Any], name: str, default: float) -> float:
    value = told.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RefusedTokenError(f"has a moment {name} that is no number")
    return value


def _basic(asked: IntrospectionSettings) -> str:
    """Both parts are form-encoded before they are joined (RFC 6749 §2.3.1)."""
    secret = asked.client_secret.get_secret_value()
    pair = f"{quote_plus(asked.client_id)}:{quote_plus(secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"
