"""The one seam through which every HTTP call to a system passes.

It owns the order of tries, limits, credentials and the journal, and the translation of failures
into `ports.errors`. What an answer means is the connector's to say.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Hashable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

import httpx2
import msgspec

from ports.caller import Call
from ports.errors import MalformedError, TimedOutError, TransientError, UpstreamError
from upstream.budget import RetryBudget, pause
from upstream.config import UpstreamConfig
from upstream.credentials import Credentials, FixedHeaders, Ready
from upstream.exchanges import Exchanges
from upstream.failures import CutShortError, meaning
from upstream.limits import Bulkhead
from upstream.messages import (
    Classify,
    ErrorType,
    Headers,
    Identity,
    Request,
    Response,
    Verdict,
    classify,
)
from upstream.trying import Try

if TYPE_CHECKING:
    from upstream.any_transport import AnyTransport

__all__ = [
    "Classify",
    "ErrorType",
    "Headers",
    "HttpClient",
    "Identity",
    "Request",
    "Response",
    "Verdict",
    "classify",
]

T = TypeVar("T")

_TICK_SECONDS = 0.005
_UNAUTHORIZED = 401


class Carrier(Protocol):
    """Takes one request to the system and its answer back."""

    async def ask(
        self, request: Request, signed: Mapping[str, str], until: float, traced: str = "", /
    ) -> Response:
        """The whole answer, whatever its status, until a time of the loop's clock.

        `traced` are more lines of headers, each ended.
        """
        ...

    async def aclose(self) -> None: ...


class HttpClient:
    """The pooled client of one upstream. Close it with `aclose`.

    `transport` stands for the network in tests.
    """

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
        self._ready = self._credentials.ready if isinstance(self._credentials, Ready) else _never
        self._bulkhead = bulkhead or Bulkhead(config.concurrency, config.rate_per_second)
        self.exchanges.bulkheads.append(self._bulkhead)
        self._seconds = config.timeout_seconds
        self._budget = budget or RetryBudget()
        self._classify = classify
        self._headers = {
            "accept": "application/json",
            "accept-encoding": "gzip, deflate",
            "user-agent": "passerelle",
            **{name.lower(): value for name, value in (headers or {}).items()},
        }
        self._transport = transport
        self._any: AnyTransport | None = None
        wire = None if transport else _wire(config, self._headers)
        self._carrier: Carrier = wire or self._any_transport()

    async def aclose(self) -> None:
        await self._carrier.aclose()
        if self._any is not None:
            await self._any.aclose()

    async def send(self, request: Request, *, call: Call) -> Response:
        """The answer, its status being one of `request.expect`.

        Transient failures are tried again while the call's deadline, `tries` and the upstream's
        budget allow, an answer that was cut short once.
        Raises UnavailableError, TimedOutError, ThrottledError, MalformedError or RefusedError.
        """
        now = Try(request, call)
        if now.started >= call.deadline:
            raise self.error(TimedOutError, request.operation, "asked after the deadline")
        self._budget.called()
        signed = self._ready()
        if signed is None or not self._bulkhead.admit():
            return await self._tried(request, call)
        # Nearly all calls end here, by their first try, so it is in no function of its own.
        try:
            response = await self._carried(request, now, signed)
        except BaseException as raised:
            failure = self._broken(now, request.operation, raised)
            if failure is None:
                raise
            failure.__cause__ = raised
        else:
            if response.status in request.expect:
                self._note(now, response, None)
                return response
            failure = self._refused(now, response)
            if self._is_renewed(response, signed):
                failure = None
        finally:
            self._bulkhead.leave()
        return await self._tried(request, call, failure, renewed=failure is None)

    async def _tried(
        self,
        request: Request,
        call: Call,
        failure: UpstreamError | None = None,
        *,
        renewed: bool = False,
    ) -> Response:
        """All tries that may be, or those after a first one that ended by `failure`."""
        tries = self.config.tries if request.idempotent and not call.once else 1
        was_cut = False
        for tried in range(1, tries + 1):
            if failure is None:
                try:
                    return await self._try(request, call, tried, last=renewed)
                except (TransientError, MalformedError) as error:
                    failure = error
            if isinstance(failure, MalformedError):
                if was_cut or not isinstance(failure.__cause__, CutShortError):
                    raise failure
                was_cut = True
            elif not isinstance(failure, TransientError):
                raise failure
            wait = None if tried == tries else pause(failure, tried)
            if wait is None or wait >= self._left(call) or not self._budget.spend():
                raise failure
            failure, renewed = None, False
            await asyncio.sleep(wait)
        raise AssertionError("the last try ends by its answer or its failure")

    async def read(self, request: Request, shape: type[T], *, call: Call) -> T:
        """The JSON answer decoded into `shape`; one that does not fit is a MalformedError."""
        response = await self.send(request, call=call)
        return self.decode(response, shape, request.operation)

    def decode(self, response: Response, shape: type[T], operation: str) -> T:
        try:
            told: T = _decoder(cast("Hashable", shape)).decode(response.body)
        except (msgspec.DecodeError, ValueError, RecursionError) as problem:
            raise self.error(MalformedError, operation, str(problem)) from problem
        return told

    def error(
        self,
        kind: ErrorType,
        operation: str,
        detail: str = "",
        retry_after: float | None = None,
    ) -> UpstreamError:
        """An error of this upstream; `detail` is for logs only.

        A MalformedError is that of the operation's latest answer.
        """
        error = self._error(kind, operation, detail, retry_after)
        if kind is MalformedError and self.exchanges.sink is not None:
            self.exchanges.sink.misread(error)
        return error

    def _error(
        self, kind: ErrorType, operation: str, detail: str, retry_after: float | None = None
    ) -> UpstreamError:
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
        from upstream.any_transport import whole

        signed = await self._signed(call)
        with self._translated(request.operation):
            response = await self._open(request, signed, call)
            if response.status_code == _UNAUTHORIZED and self._credentials.refused(signed):
                await response.aclose()
                response = await self._open(request, await self._signed(call), call)
            try:
                if response.status_code not in request.expect:
                    raise self._unexpected(whole(response, b""), request.operation)
                yield response
            finally:
                await response.aclose()

    async def _open(
        self, request: Request, signed: Mapping[str, str], call: Call
    ) -> httpx2.Response:
        way = self._any_transport()
        async with asyncio.timeout(self._left(call)), self._bulkhead.slot(call):
            return await way.open(request, signed)

    async def _signed(self, call: Call) -> Mapping[str, str]:
        started = monotonic()
        try:
            with self._translated("credentials"):
                client = self._any_transport().client
                async with asyncio.timeout(self._left(call)):
                    return await self._credentials.headers(client)
        except UpstreamError as error:
            now = Try(None, call)
            now.started = started
            self._note(now, None, error)
            raise

    async def _try(
        self, request: Request, call: Call, tried: int, *, last: bool = False
    ) -> Response:
        """One exchange within the limits of the system, noted however it ends.

        Refused credentials are replaced and the exchange done again, unless this was the `last`.
        """
        signed = self._ready()
        if signed is None:
            signed = await self._signed(call)
        now = Try(request, call, tried)
        admitted = self._bulkhead.admit()
        try:
            if admitted:
                response = await self._carried(request, now, signed)
            else:
                async with asyncio.timeout(self._left(call)), self._bulkhead.slot(call):
                    now.started = monotonic()
                    response = await self._carried(request, now, signed)
        except BaseException as raised:
            error = self._broken(now, request.operation, raised)
            if error is None:
                raise
            raise error from raised
        finally:
            if admitted:
                self._bulkhead.leave()
        if response.status in request.expect:
            self._note(now, response, None)
            return response
        failure = self._refused(now, response)
        if last or not self._is_renewed(response, signed):
            raise failure
        return await self._try(request, call, tried, last=True)

    def _refused(self, now: Try, response: Response) -> UpstreamError:
        """Notes an answer that was not expected; what it means."""
        failure = self._unexpected(response, now.operation)
        self._note(now, response, failure)
        return failure

    def _is_renewed(self, response: Response, signed: Mapping[str, str]) -> bool:
        """Whether other credentials may do, where these were refused."""
        return response.status == _UNAUTHORIZED and self._credentials.refused(signed)

    def _broken(self, now: Try, operation: str, raised: BaseException) -> UpstreamError | None:
        """Notes what ended an exchange without an answer; None for what is to be raised as it is."""
        if isinstance(raised, asyncio.CancelledError):
            # Who waited gave up: too late is the system's fault, anything else is not.
            if self._left(now.call) < _TICK_SECONDS:
                late = self.error(TimedOutError, operation, "cancelled at the deadline")
                self._note(now, None, late)
            return None
        error = self._failure(raised, operation) if isinstance(raised, Exception) else None
        if error is not None:
            self._note(now, None, error)
        return error

    def _carried(
        self, request: Request, now: Try, signed: Mapping[str, str]
    ) -> Awaitable[Response]:
        """One timer a try: whichever of its own patience and the call's deadline comes first."""
        until = min(now.call.deadline, now.started + self._seconds)
        traced = now.lines() if self.exchanges.propagates else ""
        return self._carrier.ask(request, signed, until, traced)

    def _note(self, now: Try, response: Response | None, failure: UpstreamError | None) -> None:
        exchange = now.ended(response, failure)
        self.exchanges.record(exchange, failure.message if failure else "")
        if (sink := self.exchanges.sink) is not None:
            sink.passed(exchange, now.call, now.request, response, failure)

    def _unexpected(self, response: Response, operation: str) -> UpstreamError:
        verdict = (self._classify(response) if self._classify else None) or classify(response)
        kind, wait = verdict if isinstance(verdict, tuple) else (verdict, None)
        told = response.retry_after
        detail = f"HTTP {response.status}: {response.body[:300].decode(errors='replace')}"
        return self._error(kind, operation, detail, wait if told is None else told)

    def _left(self, call: Call) -> float:
        return max(0.0, call.deadline - monotonic())

    @contextmanager
    def _translated(self, operation: str) -> Iterator[None]:
        """Turns what a transport raises into `ports.errors`, naming upstream and operation."""
        try:
            yield
        except Exception as raised:
            error = self._failure(raised, operation)
            if error is None:
                raise
            raise error from raised

    def _failure(self, raised: Exception, operation: str) -> UpstreamError | None:
        """None for what is no failure of the system."""
        kind = self._any.meaning(raised) if self._any is not None else None
        kind = kind or meaning(raised)
        return None if kind is None else self._error(kind, operation, repr(raised))

    def _any_transport(self) -> "AnyTransport":
        """Made when first needed: what it stands on takes long to import."""
        if self._any is None:
            from upstream.any_transport import AnyTransport

            self._any = AnyTransport(self.config, self._headers, self._transport)
        return self._any


@lru_cache(maxsize=512)
def _decoder(shape: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape, strict=False)


def _never() -> None:
    """No headers without asking for them."""


def _wire(config: UpstreamConfig, headers: Mapping[str, str]) -> Carrier | None:
    """None where its parser is not to be had."""
    try:
        from upstream.wire import Wire
    except ModuleNotFoundError:
        return None
    return Wire(config, headers)
