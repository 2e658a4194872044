"""GraphQL over HTTP: one operation a request, by POST with a JSON body or by GET.

Every answer is JSON, whatever was sent. Who may ask is decided where the context is made.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import NoReturn

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from gateway.execution import errors
from gateway.execution.answer import Answer, Engine
from gateway.execution.provenance import NotedContext
from gateway.http.cache_headers import VARY, is_known
from gateway.http.compression import (
    VARY_ENCODING,
    Coding,
    CompressionRules,
    OnceEach,
    coding_of,
    compressed,
    is_guessable,
)
from gateway.http.express import ANEW, OUTCOME, PLAIN
from gateway.http.head import head_of
from gateway.http.incoming import (
    ClientGoneError,
    Incoming,
    header_text,
    read_body,
    request_id_of,
)
from gateway.http.negotiation import MediaType, negotiate
from gateway.http.replies import Asking, Replies, Told
from gateway.http.response_cache import Reply
from gateway.http.responses import NO_STORE, Header, send_whole
from gateway.http.watches import Watches
from gateway.operations.request import (
    GraphQLRequest,
    Method,
    RequestError,
    parse_get,
    parse_post,
)
from ports.errors import BadInputError, ForbiddenError, PortError, TransientError

# Makes what resolvers see, from HTTP and the request; may refuse by RequestError or a port error.
# What it makes is closed after the answer, by its `aclose` if it has one.
MakeContext = Callable[[Incoming, GraphQLRequest], Awaitable[object]]

_ALLOW: Header = (b"allow", b"GET, HEAD, POST, OPTIONS")
_CONTENT_TYPES: dict[MediaType, Header] = {
    media_type: (b"content-type", media_type.value) for media_type in MediaType
}
_METHODS: dict[str, Method] = {"POST": "POST", "GET": "GET", "HEAD": "GET"}

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Outcome:
    """What is to be sent. `reply` is the kept answer that it is; `asking` is how it was found."""

    status: int
    body: bytes
    headers: tuple[Header, ...]
    etag: bytes | None = None
    reply: Reply | None = None
    asking: Asking | None = None
    # Answers with errors may repeat what was sent, beside what others must not guess.
    compressible: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether all that its headers tell of itself is told anew each time."""
        if self.status != HTTPStatus.OK or self.etag is not None:
            return False
        return ANEW.issuperset([name for name, _ in self.headers])


class Endpoint:
    """A pure ASGI application for one path. Without `replies` no answer may be reused."""

    def __init__(  # noqa: PLR0913 - all with defaults
        self,
        engine: Engine,
        make_context: MakeContext,
        *,
        max_body_bytes: int = 100 * 1024,
        body_seconds: float = 10,
        replies: Replies | None = None,
        compression: CompressionRules | None = None,
    ) -> None:
        self._engine = engine
        self._make_context = make_context
        self.max_body_bytes = max_body_bytes
        self._body_seconds = body_seconds
        self._replies = replies
        self._compression = compression or CompressionRules(enabled=False)
        self._once_each = OnceEach()
        self._watches = Watches()
        self._vary = _vary(replies, self._compression)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await send_whole(send, 204, b"", (_ALLOW,))
            return
        accepted = _accepted(scope)
        outcome = scope.setdefault("state", {}).pop(OUTCOME, None)
        try:
            if outcome is None:
                outcome = await self._settled(scope, receive, accepted)
        except ClientGoneError:
            return
        await self._send(scope, send, outcome, _CONTENT_TYPES[accepted or MediaType.JSON])

    async def outcome(self, scope: Scope, sent: bytes) -> Outcome:
        """That of a whole request by POST, for who tells it by itself, or by `OUTCOME`.

        The task is to be cancelled when the client goes.
        """
        return await self._settled(scope, None, _accepted(scope), sent)

    def coding(self, scope: Scope, outcome: Outcome) -> Coding | None:
        """The one that the client gets this in; None: as it is."""
        if not outcome.compressible or not self.is_coded(len(outcome.body)):
            return None
        found = coding_of(scope)
        return None if found is None or is_guessable(scope) else found

    def is_coded(self, size: int) -> bool:
        """Whether an answer of so many bytes is compressed for who takes that."""
        return self._compression.enabled and size >= self._compression.min_bytes

    async def _settled(
        self,
        scope: Scope,
        receive: Receive | None,
        accepted: MediaType | None,
        sent: bytes | None = None,
    ) -> Outcome:
        """Raises ClientGoneError alone: whatever else goes wrong is an outcome."""
        request_id = request_id_of(scope)
        try:
            if accepted is None:
                _refuse_accept()
            method = _method_of(scope)
            if sent is None:
                sent = await self._sent(scope, receive, method)
            return await self._outcome(Incoming(scope, request_id), method, accepted, sent, receive)
        except ClientGoneError:
            raise
        except RequestError as error:
            entry = errors.plain_entry(error.message, error.code, request_id)
            return Outcome(error.status, _refusal(entry), (NO_STORE, *error.headers))
        except PortError as error:
            status, headers = _port_status(error)
            entry = errors.port_entry(error, request_id)
            return Outcome(status, _refusal(entry), (NO_STORE, *headers))
        except Exception:
            log.exception("request failed", request_id=request_id)
            entry = errors.plain_entry(errors.INTERNAL_MESSAGE, errors.INTERNAL, request_id)
            return Outcome(500, _refusal(entry), (NO_STORE,))

    async def _send(self, scope: Scope, send: Send, outcome: Outcome, kind: Header) -> None:
        headers = (*outcome.headers, *self._vary)
        etag = outcome.etag
        scope["state"][PLAIN] = outcome.is_plain
        if etag is not None:
            headers = (*headers, (b"etag", etag))
            if is_known(scope, etag):
                await send_whole(send, 304, b"", headers, head=True)
                return
        body = outcome.body
        coding = self.coding(scope, outcome)
        if coding is not None:
            body, headers = await self.coded(outcome, coding), (*headers, coding.header)
        head = scope["method"] == "HEAD"
        await send_whole(send, outcome.status, body, (kind, *headers), head=head)

    async def coded(self, outcome: Outcome, coding: Coding) -> bytes:
        """A kept answer is compressed once for each coding."""
        reply = outcome.reply
        if reply is None:
            return await compressed(outcome.body, coding)
        if (known := reply.coded.get(coding.name)) is not None:
            return known
        found = await self._once_each.compressed(outcome.body, coding)
        if self._replies and outcome.asking:
            self._replies.hold_coded(outcome.asking, reply, (coding.name, found))
        return found

    async def _outcome(
        self,
        incoming: Incoming,
        method: Method,
        media_type: MediaType,
        sent: bytes,
        receive: Receive | None,
    ) -> Outcome:
        scope = incoming.scope
        asking = None
        if self._replies is not None:
            asking = self._replies.asking(incoming, sent)
            found = await self._replies.found(asking)
            if found is not None:
                reply = found.reply
                body, etag = reply.body, reply.etag
                return Outcome(200, body, found.headers, etag, reply, asking, compressible=True)
        request = _parsed(scope, method, sent)
        context = await self._make_context(incoming, request)
        answer = await self._answer(request, context, method, receive)
        body = _encoded(answer, incoming.request_id)
        told = Told()
        if self._replies is not None and asking is not None and isinstance(context, NotedContext):
            told = await self._replies.told(asking, context, request, answer, body)
        of_caller = getattr(context, "headers", None) or answer.headers
        headers = (*told.headers, *of_caller)
        status = _status(answer, media_type)
        return Outcome(status, body, headers, told.etag, compressible=not answer.errors)

    async def _answer(
        self, request: GraphQLRequest, context: object, method: Method, receive: Receive | None
    ) -> Answer:
        watched = None if receive is None else self._watches.begin(receive)
        try:
            return await self._engine.execute(request, context=context, method=method)
        except asyncio.CancelledError:
            if watched is not None and watched.is_gone and watched.owner.uncancel() == 0:
                raise ClientGoneError from None
            raise
        finally:
            if watched is not None:
                self._watches.end(watched)
            aclose = getattr(context, "aclose", None)
            if aclose is not None:
                await aclose()

    async def _sent(self, scope: Scope, receive: Receive | None, method: Method) -> bytes:
        if method == "POST" and receive is not None:
            return await read_body(
                scope, receive, max_bytes=self.max_body_bytes, seconds=self._body_seconds
            )
        query_string: bytes = scope["query_string"]
        if len(query_string) > self.max_body_bytes:
            raise RequestError(414, "The query string is too long; use POST.", "URI_TOO_LONG")
        return query_string


def _accepted(scope: Scope) -> MediaType | None:
    return negotiate(b",".join(head_of(scope).all(b"accept")).decode("latin-1"))


def _method_of(scope: Scope) -> Method:
    method = _METHODS.get(scope["method"])
    if method is None:
        message = "Send GraphQL by POST, or queries by GET."
        raise RequestError(405, message, "METHOD_NOT_ALLOWED", (_ALLOW,))
    return method


def _parsed(scope: Scope, method: Method, sent: bytes) -> GraphQLRequest:
    if method == "GET":
        return parse_get(sent)
    content_type = header_text(scope, b"content-type")
    return parse_post(sent, content_type, header_text(scope, b"content-encoding"))


def _vary(replies: Replies | None, compression: CompressionRules) -> tuple[Header, ...]:
    """On what else an answer depends than the address; `Origin` is told where origins are."""
    parts = [VARY] if replies is not None else []
    if compression.enabled:
        parts.append(VARY_ENCODING)
    return ((b"vary", b", ".join(parts)),) if parts else ()


def _refuse_accept() -> NoReturn:
    message = "Answers are `application/graphql-response+json` or `application/json`."
    raise RequestError(406, message, "NOT_ACCEPTABLE")


def _port_status(error: PortError) -> tuple[int, tuple[Header, ...]]:
    """Of an error before anything ran, as when a token cannot be verified just now."""
    if isinstance(error, TransientError):
        seconds = errors.whole_seconds(error.retry_after)
        return 503, () if seconds is None else ((b"retry-after", b"%d" % seconds),)
    if isinstance(error, BadInputError):
        return 400, ()
    return (403 if isinstance(error, ForbiddenError) else 500), ()


def _status(answer: Answer, media_type: MediaType) -> int:
    """That of a request error, except for the clients of `application/json`: those expect 200."""
    told = answer.request_error and media_type is MediaType.GRAPHQL_RESPONSE
    return answer.status if told else 200


def _encoded(answer: Answer, request_id: str) -> bytes:
    response: dict[str, object] = {}
    if answer.errors:
        response["errors"] = answer.errors
    if not answer.request_error:
        response["data"] = answer.encodable
    if answer.extensions:
        response["extensions"] = answer.extensions
    try:
        return orjson.dumps(response)
    except TypeError:
        # Half a surrogate pair or an integer past 64 bits, from a system.
        log.exception("answer not encodable", request_id=request_id)
        entry = errors.plain_entry(errors.INTERNAL_MESSAGE, errors.INTERNAL, request_id)
        return orjson.dumps({"errors": [entry], "data": None})


def _refusal(entry: errors.Entry) -> bytes:
    return orjson.dumps({"errors": [entry]})
