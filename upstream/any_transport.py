"""The way to a system through httpx2: for streams, for tokens, and over transports of tests.

Without another transport its connections are aiohttp's.
"""

import asyncio
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import httpx2
import msgspec
from httpx_aiohttp.httpx2 import AiohttpTransport

from ports.errors import MalformedError, TimedOutError, UnavailableError
from upstream.config import UpstreamConfig
from upstream.failures import CutShortError, WireError
from upstream.messages import ErrorType, Request, Response
from upstream.urls import Targets
from upstream.wire_tls import tls

# Encodings one within the other would let a small answer grow beyond any limit at once.
_ENCODINGS = frozenset({"identity", "gzip", "x-gzip", "deflate"})


class AnyTransport:
    """An httpx2 client of one upstream. Close it with `aclose`."""

    def __init__(
        self,
        config: UpstreamConfig,
        headers: Mapping[str, str],
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._limit = config.answer_limit_bytes
        self._targets = Targets(config.base_url)
        self.client = httpx2.AsyncClient(
            base_url=config.base_url,
            transport=transport or network(config),
            headers=headers,
            timeout=httpx2.Timeout(config.timeout_seconds, connect=config.connect_timeout_seconds),
            # No cookie may carry anything from one caller's call to another's.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self.client.aclose()

    async def ask(
        self, request: Request, signed: Mapping[str, str], until: float, traced: str = ""
    ) -> Response:
        """The whole answer, until a time of the loop's clock."""
        if traced:
            lines = (line.partition(": ") for line in traced.splitlines())
            signed = {**signed, **{name: value for name, _, value in lines}}
        async with asyncio.timeout_at(until):
            response = await self.open(request, signed)
            try:
                return whole(response, await self._body(response))
            except httpx2.NetworkError as problem:
                if isinstance(problem.__cause__, aiohttp.ClientPayloadError):
                    raise CutShortError from problem
                raise
            finally:
                await response.aclose()

    async def open(self, request: Request, signed: Mapping[str, str]) -> httpx2.Response:
        """An answer whose body is still to be read, and which the caller closes."""
        return await self.client.send(self._built(request, signed), stream=True)

    @staticmethod
    def meaning(raised: BaseException) -> ErrorType | None:
        """What failures of httpx2 and aiohttp mean; None for all others."""
        match raised:
            case httpx2.TimeoutException():
                return _late(raised)
            case httpx2.DecodingError() | httpx2.RemoteProtocolError() | httpx2.ReadError():
                return _broken(raised)
            case aiohttp.ClientResponseError() | httpx2.InvalidURL() | httpx2.StreamError():
                return MalformedError
            case TimeoutError():
                return TimedOutError
            case httpx2.TransportError() | aiohttp.ClientError():
                return UnavailableError
            case _:
                return None

    def _built(self, request: Request, signed: Mapping[str, str]) -> httpx2.Request:
        headers = {**request.headers, **signed}
        content = request.body
        if request.json is not None:
            content = msgspec.json.encode(request.json)
            headers["content-type"] = "application/json"
        self._targets.check_dots(request.path)
        built = self.client.build_request(
            request.method, request.path, params=request.params, content=content, headers=headers
        )
        self._targets.check_host(built.url)
        return built

    async def _body(self, response: httpx2.Response) -> bytes:
        if response.headers.get("content-encoding", "identity").lower() not in _ENCODINGS:
            raise WireError(MalformedError, "an encoding that was not asked for")
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._limit:
                raise WireError(MalformedError, "answer longer than the limit")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def whole(response: httpx2.Response, body: bytes) -> Response:
    return Response(response.status_code, response.headers, body)


def _late(raised: BaseException) -> ErrorType:
    """Connections refused or lost under aiohttp also arrive as httpx2's ConnectTimeout."""
    cause = raised.__cause__
    lost = isinstance(cause, aiohttp.ClientConnectionError)
    return UnavailableError if lost and not isinstance(cause, TimeoutError) else TimedOutError


def _broken(raised: BaseException) -> ErrorType:
    """A body cut short or wrongly encoded cannot be read; a lost connection can be tried again."""
    cause = raised.__cause__
    if isinstance(raised, httpx2.DecodingError) or isinstance(cause, aiohttp.ClientPayloadError):
        return MalformedError
    return UnavailableError


def network(config: UpstreamConfig) -> httpx2.AsyncBaseTransport:
    """Puts aiohttp beneath httpx2: the same interface at about a third of the work per call."""
    context = tls(config)

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=30)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(client=session)
