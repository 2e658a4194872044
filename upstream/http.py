"""The one seam through which every HTTP call to a system passes.

It owns the pool, timeouts, tries, size limit, credentials and the translation of transport
failures into `ports.errors`. What an answer means is the connector's to say.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Literal, TypeVar
from urllib.parse import unquote

import aiohttp
import httpx2
import msgspec
from httpx_aiohttp.httpx2 import AiohttpTransport

from ports.caller import Call
from ports.errors import (
    MalformedError,
    RefusedError,
    ThrottledError,
    TimedOutError,
    TransientError,
    UnavailableError,
    UpstreamError,
)
from upstream.budget import RetryBudget, pause
from upstream.config import UpstreamConfig
from upstream.credentials import Credentials, FixedHeaders, TokenError
from upstream.exchanges import Exchange, Exchanges
from upstream.limits import Bulkhead, CrowdedError, QueueFullError, QueueTimedOutError

T = TypeVar("T")

# Encodings one within the other would let a small answer grow beyond any limit at once.
_ENCODINGS = frozenset({"identity", "gzip", "x-gzip", "deflate"})
_TICK_SECONDS = 0.005

ErrorType = type[UpstreamError]
Verdict = ErrorType | tuple[ErrorType, float]
"""What an unexpected answer means, and how many seconds to wait where no `Retry-After` tells it."""
Classify = Callable[["Response"], Verdict | None]
"""A vendor's own reading of an answer that was not expected; None leaves it to the default table."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is called: the configured upstream's name and the kind of system it is (`ERP`)."""

    upstream: str
    system: str


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP call. `operation` names it for errors and the journal (`catalog.products`).

    `path` is joined to the base URL, or absolute (a vendor's own link; must be of the same host).
    `body` is sent as it is, `json` encoded. `expect` are the statuses that count as an answer.
    Only an `idempotent` request is tried again; all reads are, whatever their method.
    """

    operation: str
    path: str
    method: Literal["GET", "POST"] = "GET"
    params: Mapping[str, str] | None = None
    json: object = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    expect: frozenset[int] = frozenset({200})
    idempotent: bool = True


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Seconds of `Retry-After` when given as a number (RFC 9110 §10.2.3)."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdigit() else None


class HttpClient:
    """The pooled client of one upstream. Close it with `aclose`."""

    def __init__(  # noqa: PLR0913 - the parts of one client, all named
        self,
        identity: Identity,
        config: UpstreamConfig,
        *,
        credentials: Credentials | None = None,
        bulkhead: Bulkhead | None = None,
        budget: RetryBudget | None = None,
        exchanges: Exchanges | None = None,
        classify: Classify | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.identity = identity
        self.config = config
        self.exchanges = exchanges or Exchanges()
        self._credentials = credentials or FixedHeaders()
        self._bulkhead = bulkhead or Bulkhead(config.concurrency, config.rate_per_second)
        self._budget = budget or RetryBudget()
        self._classify = classify
        self._client = httpx2.AsyncClient(
            base_url=config.base_url,
            transport=transport or _transport(config),
            headers={
                "accept": "application/json",
                "accept-encoding": "gzip, deflate",
                "user-agent": "passerelle",
                **(headers or {}),
            },
            timeout=httpx2.Timeout(config.timeout_seconds, connect=config.connect_timeout_seconds),
            # No cookie may carry anything from one caller's call to another's.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def send(self, request: Request, *, call: Call) -> Response:
        """The answer, its status being one of `request.expect`.

        Transient failures are tried again while the call's deadline, `tries` and the upstream's
        budget allow.
        Raises UnavailableError, TimedOutError, ThrottledError, MalformedError or RefusedError.
        """
        if not self._left(call):
            raise self.error(TimedOutError, request.operation, "asked after the deadline")
        self._budget.called()
        tries = self.config.tries if request.idempotent else 1
        for tried in range(1, tries):
            try:
                return await self._try(request, call)
            except TransientError as error:
                wait = pause(error, tried)
                if wait is None or wait >= self._left(call) or not self._budget.spend():
                    raise
            await asyncio.sleep(wait)
        return await self._try(request, call)

    async def read(self, request: Request, shape: type[T], *, call: Call) -> T:
        """The JSON answer decoded into `shape`; one that does not fit is a MalformedError."""
        response = await self.send(request, call=call)
        return self.decode(response, shape, request.operation)

    def decode(self, response: Response, shape: type[T], operation: str) -> T:
        try:
            return msgspec.json.decode(response.body, type=shape, strict=False)
        except (msgspec.DecodeError, ValueError, RecursionError) as problem:
            raise self.error(MalformedError, operation, str(problem)) from problem

    def error(
        self,
        kind: ErrorType,
        operation: str,
        detail: str = "",
        retry_after: float | None = None,
    ) -> UpstreamError:
        """An error of this upstream; `detail` is for logs only."""
        return kind(
            system=self.identity.system,
            upstream=self.identity.upstream,
            operation=operation,
            detail=detail[:500],
            retry_after=retry_after,
        )

    @asynccontextmanager
    async def stream(self, request: Request, *, call: Call) -> AsyncIterator[httpx2.Response]:
        """An open answer of any length (a file); the size limit is not applied.

        A slot of the bulkhead is held until the answer begins, not while a slow client reads it.
        """
        signed = await self._signed(call)
        with self._translated(request.operation):
            response = await self._open(request, signed, call)
            if response.status_code == 401 and self._credentials.refused(signed):  # noqa: PLR2004
                await response.aclose()
                response = await self._open(request, await self._signed(call), call)
            try:
                if response.status_code not in request.expect:
                    raise self._unexpected(_whole(response, b""), request.operation)
                yield response
            finally:
                await response.aclose()

    async def _open(
        self, request: Request, signed: Mapping[str, str], call: Call
    ) -> httpx2.Response:
        built = self._client.build_request(
            request.method,
            request.path,
            params=request.params,
            headers={**request.headers, **signed},
        )
        self._stay(built, request)
        async with asyncio.timeout(self._left(call)), self._bulkhead.slot(call):
            return await self._client.send(built, stream=True)

    async def _try(self, request: Request, call: Call) -> Response:
        headers = await self._signed(call)
        response = await self._recorded(request, headers, call)
        if response.status == 401 and self._credentials.refused(headers):  # noqa: PLR2004
            response = await self._recorded(request, await self._signed(call), call)
        if response.status not in request.expect:
            raise self._unexpected(response, request.operation)
        return response

    async def _signed(self, call: Call) -> Mapping[str, str]:
        started = time.monotonic()
        try:
            with self._translated("credentials"):
                async with asyncio.timeout(self._left(call)):
                    return await self._credentials.headers(self._client)
        except UpstreamError as error:
            self._note("credentials", time.monotonic() - started, None, error, call)
            raise

    async def _recorded(self, request: Request, signed: Mapping[str, str], call: Call) -> Response:
        operation, started = request.operation, time.monotonic()
        try:
            with self._translated(operation):
                async with asyncio.timeout(self._left(call)), self._bulkhead.slot(call):
                    started = time.monotonic()
                    response = await self._exchange(request, signed)
        except UpstreamError as error:
            self._note(operation, time.monotonic() - started, None, error, call)
            raise
        except asyncio.CancelledError:
            # Who waited gave up: too late is the system's fault, anything else is not.
            if self._left(call) < _TICK_SECONDS:
                late = self.error(TimedOutError, operation, "cancelled at the deadline")
                self._note(operation, time.monotonic() - started, None, late, call)
            raise
        expected = response.status in request.expect
        failure = None if expected else self._unexpected(response, operation)
        self._note(operation, time.monotonic() - started, response.status, failure, call)
        return response

    def _note(
        self,
        operation: str,
        seconds: float,
        status: int | None,
        failure: UpstreamError | None,
        call: Call,
    ) -> None:
        code = failure.code if failure else None
        message = failure.message if failure else ""
        self.exchanges.record(Exchange(operation, seconds, status, code, call.request_id), message)

    async def _exchange(self, request: Request, signed: Mapping[str, str]) -> Response:
        content = request.body if request.json is None else msgspec.json.encode(request.json)
        headers = {**request.headers, **signed}
        if request.json is not None:
            headers["content-type"] = "application/json"
        built = self._client.build_request(
            request.method, request.path, params=request.params, content=content, headers=headers
        )
        self._stay(built, request)
        async with asyncio.timeout(self.config.timeout_seconds):
            response = await self._client.send(built, stream=True)
            try:
                return _whole(response, await self._body(response, request.operation))
            finally:
                await response.aclose()

    def _stay(self, built: httpx2.Request, request: Request) -> None:
        """Credentials go to the configured system and nowhere else, whatever link it gave.

        Nor may a key that is part of a path lead to another one: clients resolve dots.
        """
        own, url = self._client.base_url, built.url
        if (url.scheme, url.host, url.port) != (own.scheme, own.host, own.port):
            raise self.error(MalformedError, request.operation, "a link to another host")
        names = request.path.partition("?")[0].split("/")
        if not {".", ".."}.isdisjoint(map(unquote, names)):
            raise self.error(RefusedError, request.operation, "a path with dots for names")

    async def _body(self, response: httpx2.Response, operation: str) -> bytes:
        if response.headers.get("content-encoding", "identity").lower() not in _ENCODINGS:
            raise self.error(MalformedError, operation, "an encoding that was not asked for")
        parts, size = [], 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self.config.answer_limit_bytes:
                raise self.error(MalformedError, operation, "answer longer than the limit")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _unexpected(self, response: Response, operation: str) -> UpstreamError:
        verdict = (self._classify(response) if self._classify else None) or classify(response)
        kind, wait = verdict if isinstance(verdict, tuple) else (verdict, None)
        told = response.retry_after
        detail = f"HTTP {response.status}: {response.body[:300].decode(errors='replace')}"
        return self.error(kind, operation, detail, wait if told is None else told)

    def _left(self, call: Call) -> float:
        return max(0.0, call.deadline - time.monotonic())

    def _translated(self, operation: str) -> "_Translated":
        return _Translated(self, operation)


class _Translated:
    """Turns what a transport raises into `ports.errors`, naming upstream and operation."""

    def __init__(self, client: HttpClient, operation: str) -> None:
        self._client = client
        self._operation = operation

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: object, raised: BaseException | None, _trace: TracebackType | None
    ) -> None:
        kind: ErrorType
        match raised:
            case TokenError():
                kind = raised.kind
            case CrowdedError():
                kind = QueueFullError if raised.full else QueueTimedOutError
            case TimeoutError() | httpx2.TimeoutException():
                kind = _late(raised)
            case httpx2.DecodingError() | httpx2.RemoteProtocolError() | httpx2.ReadError():
                kind = _broken(raised)
            case aiohttp.ClientResponseError() | httpx2.InvalidURL() | httpx2.StreamError():
                kind = MalformedError
            case httpx2.TransportError() | aiohttp.ClientError() | OSError():
                kind = UnavailableError
            case _:
                return
        raise self._client.error(kind, self._operation, repr(raised)) from raised


def classify(response: Response) -> ErrorType:
    """The default reading of a status that is no answer (RFC 9110 §15)."""
    match response.status:
        case 408 | 504:
            return TimedOutError
        case 429:
            return ThrottledError
        case status if status >= 500:  # noqa: PLR2004
            return UnavailableError
        case status if 400 <= status < 500:  # noqa: PLR2004
            return RefusedError
        case _:
            return MalformedError


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


def _whole(response: httpx2.Response, body: bytes) -> Response:
    return Response(response.status_code, response.headers, body)


def _transport(config: UpstreamConfig) -> httpx2.AsyncBaseTransport:
    """Puts aiohttp beneath httpx2: the same interface at about a third of the work per call."""
    context = ssl.create_default_context(cafile=config.ca_file)
    if not config.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=30)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(client=session)
