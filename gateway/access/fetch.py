"""Questions to an issuer over HTTP: bounded in time and size, never led to another host."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import httpx2

from gateway.access.strict_json import DisputableError, strict_object

MAX_BYTES = 1024 * 1024
_REDIRECTS = 3
_OK = 200


class FetchError(Exception):
    """The issuer gave no usable answer; the text is for the log."""


class Fetcher:
    """The HTTP client of one issuer. Close it with `aclose`. Every call raises FetchError."""

    def __init__(
        self,
        *,
        timeout_seconds: float = 5,
        ca_file: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._client = httpx2.AsyncClient(
            transport=transport,
            verify=ssl.create_default_context(cafile=ca_file),
            timeout=timeout_seconds,
            headers={
                "accept": "application/json, application/jwk-set+json",
                "accept-encoding": "identity",
                "user-agent": "passerelle",
            },
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(self, url: str) -> dict[str, Any]:
        """The JSON object at an address; a redirect is followed within its origin only."""
        request = self._request("GET", url)
        for _ in range(_REDIRECTS):
            response, body = await self._send(request)
            following = response.next_request
            if following is None:
                return _object(response, body)
            if _origin(following.url) != _origin(request.url):
                raise FetchError("redirected to another host")
            request = following
        raise FetchError("redirected too often")

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> dict[str, Any]:
        request = self._request("POST", url, data=dict(form), headers=dict(headers))
        return _object(*await self._send(request))

    def _request(self, method: str, url: str, **parts: Any) -> httpx2.Request:
        try:
            return self._client.build_request(method, url, **parts)
        except (httpx2.InvalidURL, ValueError) as problem:
            raise FetchError("the address is not valid") from problem

    async def _send(self, request: httpx2.Request) -> tuple[httpx2.Response, bytes]:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                response = await self._client.send(request, stream=True)
                try:
                    return response, await _bounded(response)
                finally:
                    await response.aclose()
        except TimeoutError as problem:
            raise FetchError("no answer in time") from problem
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as problem:
            raise FetchError(f"no answer: {type(problem).__name__}") from problem


async def _bounded(response: httpx2.Response) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        # Nobody asked for it, and a little could unpack to more than there is memory.
        raise FetchError("the answer is packed")
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > MAX_BYTES:
            raise FetchError("the answer is too long")
        parts.append(part)
    return b"".join(parts)


def _object(response: httpx2.Response, body: bytes) -> dict[str, Any]:
    if response.status_code != _OK:
        raise FetchError(f"answered {response.status_code}")
    try:
        return strict_object(body)
    except DisputableError as problem:
        raise FetchError(f"the answer {problem}") from problem


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
