"""Several operations in one request, as an array: off unless it is configured.

Each is answered as if it had come by itself, with its own caller, limits, quota and deadline.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.incoming import ClientGoneError, header, read_body
from gateway.http.negotiation import MediaType
from gateway.http.refusals import send_refusal
from gateway.http.responses import NO_STORE, Header, send_whole
from gateway.operations.request import RequestError

# What a single answer must not be: packed, or left out because it is known.
_NOT_PASSED = frozenset({b"accept", b"accept-encoding", b"content-length", b"if-none-match"})
# About the caller, and so of the whole answer.
_KEPT = frozenset({b"ratelimit", b"ratelimit-policy", b"retry-after", b"www-authenticate"})


class Batches:
    """Around the application of single operations. `most` operations a request."""

    def __init__(
        self, app: ASGIApp, most: int, *, max_body_bytes: int, body_seconds: float
    ) -> None:
        self._app = app
        self._most = most
        self._max_body_bytes = max_body_bytes
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        try:
            body = await read_body(
                scope, receive, max_bytes=self._max_body_bytes, seconds=self._body_seconds
            )
            batch = _batch(scope, body)
            if batch is not None:
                self._check(batch)
        except ClientGoneError:
            return
        except RequestError as error:
            await send_refusal(scope, send, error)
            return
        if batch is None:
            await self._app(scope, _replayed(body, receive), send)
        else:
            await self._answer(scope, receive, send, batch)

    def _check(self, batch: Sequence[object]) -> None:
        if not 0 < len(batch) <= self._most:
            message = f"Send 1 to {self._most} operations a request."
            raise RequestError(400, message, "BAD_REQUEST")

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, batch: Sequence[object]
    ) -> None:
        gone = asyncio.Event()
        watcher = asyncio.create_task(_watched(receive, gone))
        try:
            answers = await asyncio.gather(*(self._single(scope, one, gone) for one in batch))
        finally:
            watcher.cancel()
        if gone.is_set():
            return
        statuses = {one.status for one in answers}
        status = statuses.pop() if len(statuses) == 1 else 200
        headers = dict(pair for one in answers for pair in one.headers if pair[0] in _KEPT)
        content_type = (b"content-type", MediaType.JSON.value)
        joined = b"[" + b",".join(bytes(one.body) for one in answers) + b"]"
        await send_whole(send, status, joined, (content_type, NO_STORE, *headers.items()))

    async def _single(self, scope: Scope, operation: object, gone: asyncio.Event) -> "_Answer":
        body = orjson.dumps(operation)
        own = [one for one in scope["headers"] if one[0] not in _NOT_PASSED]
        own.append((b"content-length", b"%d" % len(body)))
        answer = _Answer()
        single = {**scope, "headers": own, "state": {**scope.get("state", {})}}
        await self._app(single, _once(body, gone), answer)
        return answer


@dataclass(slots=True)
class _Answer:
    """A `send` that keeps what it is given."""

    status: int = 200
    headers: list[Header] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        else:
            self.body += message.get("body", b"")


def _batch(scope: Scope, body: bytes) -> list[object] | None:
    """None for what is not for us: the application tells what is wrong with it."""
    kind = (header(scope, b"content-type") or b"").partition(b";")[0].strip().lower()
    packed = header(scope, b"content-encoding") is not None
    if kind != b"application/json" or packed or not body.lstrip().startswith(b"["):
        return None
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, list) else None


async def _watched(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _once(body: bytes, gone: asyncio.Event) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    return receive


def _replayed(body: bytes, receive: Receive) -> Receive:
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return messages.pop() if messages else await receive()

    return replayed
