"""How the gateway proves itself to a system: fixed headers, or OAuth 2 tokens kept fresh."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl

import httpx2
from pydantic import SecretStr

from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    UnavailableError,
    UpstreamError,
)

# A token is renewed this long before it ends, or at a tenth of its life if that is shorter.
_MARGIN_SECONDS = 60.0
# RFC 6749 §5.1 only recommends `expires_in`; without it a token is asked anew each hour.
_ASSUMED_LIFE_SECONDS = 3600.0
_LONGEST_ANSWER = 1024 * 1024


class Credentials(Protocol):
    async def headers(self, client: httpx2.AsyncClient, /) -> Mapping[str, str]:
        """The headers to sign a request with, fetched through `client` if need be."""
        ...

    def refused(self, headers: Mapping[str, str], /) -> bool:
        """Told that these headers were answered 401; True when a next try may have better ones."""
        ...


@runtime_checkable
class Ready(Protocol):
    """Credentials that mostly need not be fetched."""

    def ready(self) -> Mapping[str, str] | None:
        """The headers if they are good now; None when `headers` has to be asked."""
        ...


class TokenError(Exception):
    """A token endpoint gave no token; `kind` is the branch of `ports.errors` that this means."""

    def __init__(self, kind: type[UpstreamError], detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class FixedHeaders:
    """The same headers on every call: an API key or a bearer token that does not expire soon."""

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})

    async def headers(self, _client: httpx2.AsyncClient, /) -> Mapping[str, str]:
        return self._headers

    def ready(self) -> Mapping[str, str]:
        return self._headers

    def refused(self, _headers: Mapping[str, str], /) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token endpoint is asked with (RFC 6749 §4.3, §4.4); the client goes by Basic.

    `parameters` are the grant's own: `grant_type`, and `username`/`password` or `scope`.
    `path` is joined to the upstream's base URL unless absolute. `as_json` asks with a JSON object
    instead of RFC 6749's form, where the vendor documents that.
    """

    path: str
    client_id: str
    client_secret: SecretStr
    parameters: Mapping[str, str]
    as_json: bool = False


class OAuthToken:
    """A bearer token, fetched once for all concurrent callers and renewed before it ends."""

    def __init__(self, grant: Grant, clock: Callable[[], float] = time.monotonic) -> None:
        self._grant = grant
        self._clock = clock
        self._signed: Mapping[str, str] | None = None
        self._renew_at = 0.0
        self._fetching = asyncio.Lock()

    async def headers(self, client: httpx2.AsyncClient, /) -> Mapping[str, str]:
        """Raises TokenError, or what the transport raises."""
        signed = self.ready()
        if signed is None:
            async with self._fetching:
                signed = self.ready() or await self._fetch(client)
        return signed

    def ready(self) -> Mapping[str, str] | None:
        if self._signed is None or self._clock() >= self._renew_at:
            return None
        return self._signed

    def refused(self, headers: Mapping[str, str], /) -> bool:
        refused, own = headers.get("authorization"), self._signed
        if own is not None and own["authorization"] == refused:
            self._signed = None
        return True

    async def _fetch(self, client: httpx2.AsyncClient) -> Mapping[str, str]:
        answer = await _ask(self._grant, client)
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise TokenError(RefusedError, "the token endpoint gave no access_token")
        life = _seconds(answer.get("expires_in"))
        self._renew_at = self._clock() + life - min(_MARGIN_SECONDS, life / 10)
        self._signed = {"authorization": f"Bearer {token}"}
        return self._signed


async def _ask(grant: Grant, client: httpx2.AsyncClient) -> Mapping[str, Any]:
    from authlib.integrations.base_client import OAuthError
    from authlib.integrations.httpx_client import AsyncOAuth2Client

    session = AsyncOAuth2Client(
        grant.client_id,
        grant.client_secret.get_secret_value(),
        token_endpoint_auth_method="client_secret_basic",  # noqa: S106 - the method's name
        transport=_Borrowed(client, as_json=grant.as_json),
        timeout=client.timeout,
        trust_env=False,
    )
    session.register_compliance_hook("access_token_response", _countable)
    try:
        found: Mapping[str, Any] = await session.fetch_token(
            str(client.base_url.join(grant.path.lstrip("/"))), **grant.parameters
        )
    except OAuthError as problem:
        raise TokenError(RefusedError, f"{problem.error}") from problem
    except httpx2.HTTPStatusError as problem:
        raise TokenError(RefusedError, "the token endpoint refused, without JSON") from problem
    except ValueError as problem:
        raise TokenError(MalformedError, "the token endpoint gave no JSON object") from problem
    else:
        return found


class _Borrowed(httpx2.AsyncBaseTransport):
    """Sends through the pool of another client, and leaves it open."""

    def __init__(self, client: httpx2.AsyncClient, *, as_json: bool) -> None:
        self._client = client
        self._as_json = as_json

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = _in_json(request) if self._as_json else request
        response = await self._client.send(asked, stream=True, auth=None)
        try:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _LONGEST_ANSWER:
                    raise TokenError(MalformedError, "an answer longer than any token")
        finally:
            await response.aclose()
        # Authlib reads a body's `error` and no status; these have none that says what to do.
        if (kind := _kind(response.status_code)) is not None:
            raise TokenError(kind, f"token endpoint: HTTP {response.status_code}")
        headers = {"content-type": response.headers.get("content-type", "")}
        return httpx2.Response(response.status_code, headers=headers, content=bytes(body))


def _in_json(form: httpx2.Request) -> httpx2.Request:
    """The same request, its form written as a JSON object."""
    kept = {
        name: value
        for name, value in form.headers.items()
        if name not in {"content-type", "content-length", "transfer-encoding"}
    }
    fields = dict(parse_qsl(form.content.decode(), keep_blank_values=True))
    return httpx2.Request(form.method, form.url, headers=kept, json=fields)


def _countable(response: httpx2.Response) -> httpx2.Response:
    """Without an `expires_in` that is no number, at which Authlib would stumble."""
    try:
        answer = response.json()
    except ValueError:
        return response
    if not isinstance(answer, dict) or "expires_in" not in answer or _counts(answer["expires_in"]):
        return response
    del answer["expires_in"]
    return httpx2.Response(response.status_code, json=answer)


def _counts(told: object) -> bool:
    return isinstance(told, int | float) or (isinstance(told, str) and told.isdecimal())


def _kind(status: int) -> type[UpstreamError] | None:
    """What a status means by itself; None where the body is to be read."""
    if status == 429:  # noqa: PLR2004
        return ThrottledError
    if status >= 500:  # noqa: PLR2004
        return UnavailableError
    return MalformedError if 300 <= status < 400 else None  # noqa: PLR2004


def _seconds(told: object) -> float:
    """`expires_in`, which UPS sends as text."""
    try:
        return max(1.0, float(str(told)))
    except ValueError:
        return _ASSUMED_LIFE_SECONDS
