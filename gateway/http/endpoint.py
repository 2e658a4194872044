"""GraphQL over HTTP: one operation a request, by POST with a JSON body or by GET.

Every answer is JSON, whatever was sent. Who may ask is decided where the context is made.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import NoReturn, cast

import orjson
import structlog
from starlette.types import Receive, Scope, Send

from gateway.execution import errors
from gateway.execution.answer import Answer, Engine
from gateway.http.incoming import (
    ClientGoneError,
    Incoming,
    header_text,
    read_body,
    request_id_of,
)
from gateway.http.negotiation import MediaType, negotiate
from gateway.http.responses import NO_STORE, Header, send_whole
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


class Endpoint:
    """A pure ASGI application for one path."""

    def __init__(
        self,
        engine: Engine,
        make_context: MakeContext,
        *,
        max_body_bytes: int = 100 * 1024,
        body_seconds: float = 10,
    ) -> None:
        self._engine = engine
        self._make_context = make_context
        self._max_body_bytes = max_body_bytes
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await send_whole(send, 204, b"", (_ALLOW,))
            return
        accepted = negotiate(_accept(scope))
        media_type = accepted or MediaType.JSON
        request_id = request_id_of(scope)
        headers: tuple[Header, ...] = ()
        try:
            if accepted is None:
                _refuse_accept()
            answer = await self._answer(scope, receive, Incoming(scope, request_id))
            status, headers = _status(answer, media_type), answer.headers
            body = _encoded(answer, request_id)
        except ClientGoneError:
            return
        except RequestError as error:
            status, headers = error.status, error.headers
            body = _refusal(errors.plain_entry(error.message, error.code, request_id))
        except PortError as error:
            status, headers = _port_status(error)
            body = _refusal(errors.port_entry(error, request_id))
        except Exception:
            log.exception("request failed", request_id=request_id)
            status = 500
            entry = errors.plain_entry(errors.INTERNAL_MESSAGE, errors.INTERNAL, request_id)
            body = _refusal(entry)
        content_type = _CONTENT_TYPES[media_type]
        head = scope["method"] == "HEAD"
        await send_whole(send, status, body, (content_type, NO_STORE, *headers), head=head)

    async def _answer(self, scope: Scope, receive: Receive, incoming: Incoming) -> Answer:
        method = _METHODS.get(scope["method"])
        if method is None:
            message = "Send GraphQL by POST, or queries by GET."
            raise RequestError(405, message, "METHOD_NOT_ALLOWED", (_ALLOW,))
        request = await self._request(scope, receive, method)
        context = await self._make_context(incoming, request)
        try:
            async with _Watch(receive):
                answer = await self._engine.execute(request, context=context, method=method)
            told = getattr(context, "headers", None)
            return replace(answer, headers=tuple(told)) if told else answer
        finally:
            aclose = getattr(context, "aclose", None)
            if aclose is not None:
                await aclose()

    async def _request(self, scope: Scope, receive: Receive, method: Method) -> GraphQLRequest:
        if method == "GET":
            query_string: bytes = scope["query_string"]
            if len(query_string) > self._max_body_bytes:
                raise RequestError(414, "The query string is too long; use POST.", "URI_TOO_LONG")
            return parse_get(query_string)
        content_type = header_text(scope, b"content-type")
        content_encoding = header_text(scope, b"content-encoding")
        body = await read_body(
            scope, receive, max_bytes=self._max_body_bytes, seconds=self._body_seconds
        )
        return parse_post(body, content_type, content_encoding)


class _Watch:
    """Cancels its block when the client hangs up, and raises ClientGoneError then."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._gone = False

    async def __aenter__(self) -> None:
        self._owner = cast("asyncio.Task[None]", asyncio.current_task())
        self._watcher = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._owner.cancel()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._watcher.cancel()
        if self._gone and kind is asyncio.CancelledError and self._owner.uncancel() == 0:
            raise ClientGoneError


def _accept(scope: Scope) -> str:
    values = [value for name, value in scope["headers"] if name == b"accept"]
    return b",".join(values).decode("latin-1")


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
