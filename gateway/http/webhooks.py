"""`POST /webhooks/<name>`: proven messages of systems about what changed, answered before work.

Who is not proven learns nothing but 401. What cannot be taken now is answered 429, which senders
take as a wish for fewer, or 503; neither holds anything that a query waits for.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
import structlog
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.access.remembered import Clock
from gateway.http.incoming import ClientGoneError, header_text, read_body, request_id_of
from gateway.http.responses import JSON, NO_STORE, Header, send_problem, send_whole
from gateway.http.webhook_inbox import KNOWN_SECONDS, FullError, Inbox
from gateway.operations.request import RequestError
from upstream.webhooks import (
    Change,
    Delivery,
    ForgedError,
    Terms,
    UnreadableError,
    WebhookVerifier,
)

PATH = "/webhooks"
BODY_BYTES = 1024 * 1024
BODY_SECONDS = 5.0
# Beyond this many messages of one sender under way at once, the rest is sent away unread.
AT_ONCE = 32
# From here on a body is hashed and decoded beside the event loop, which queries need.
_LARGE_BYTES = 32 * 1024
_TOLD_EVERY_SECONDS = 10.0
_CHALLENGE: Header = (b"www-authenticate", b"Signature")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who may send to `/webhooks/<name>`, and how that is proven.

    `url` is the address that the sender was given, where it signs that; else the public root
    (`root`) or, without one, the host that the request names is taken for it.
    """

    name: str
    verifier: WebhookVerifier
    terms: Terms
    url: str | None = None
    root: str | None = None
    body_bytes: int = BODY_BYTES
    requests_per_second: float = 200.0


def webhook_routes(
    senders: Sequence[Sender], inbox: Inbox, *, clock: Clock | None = None
) -> list[Route]:
    """A name without a sender is answered 404. The inbox is the caller's to run."""
    used = clock or Clock()
    doors = {one.name: _Door(one, inbox, used) for one in senders}
    return [Route(PATH + "/{name}", _Doors(doors), methods=["POST"])]


class _Doors:
    def __init__(self, doors: Mapping[str, "_Door"]) -> None:
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._doors.get(scope["path_params"]["name"])
        if door is None:
            await send_problem(send, 404, request_id_of(scope))
            return
        try:
            taken = await door.enter(scope, receive)
        except RequestError as error:
            await send_problem(send, error.status, request_id_of(scope), error.headers)
        except ClientGoneError:
            return
        else:
            await send_whole(send, 200, orjson.dumps(taken), (JSON, NO_STORE))


class _Door:
    """Of one sender: what is under way, how fast it comes, and what was wrong with it."""

    def __init__(self, sender: Sender, inbox: Inbox, clock: Clock) -> None:
        self._sender = sender
        self._inbox = inbox
        self._clock = clock
        self._claims = inbox.claims_of(sender.name)
        self._under_way = 0
        self._tokens = self._burst = max(1.0, sender.requests_per_second * 2)
        self._counted = clock.steady()
        self._refused = 0
        self._told = float("-inf")

    async def enter(self, scope: Scope, receive: Receive) -> dict[str, int]:
        """How many events are new and repeated. Raises RequestError, or ClientGoneError."""
        if not self._token():
            raise _refusal(429, 1)
        if self._under_way >= AT_ONCE:
            raise _refusal(503, 1)
        self._under_way += 1
        try:
            body = await read_body(
                scope, receive, max_bytes=self._sender.body_bytes, seconds=BODY_SECONDS
            )
            delivery = self._delivery(scope, body)
            name, changes = await self._examined(delivery)
            return await self._taken(name, changes)
        finally:
            self._under_way -= 1

    async def _examined(self, delivery: Delivery) -> tuple[str | None, Sequence[Change]]:
        try:
            if len(delivery.body) < _LARGE_BYTES:
                return _examine(self._sender, delivery)
            return await asyncio.to_thread(_examine, self._sender, delivery)
        except ForgedError as forged:
            self._note(str(forged))
            raise _refusal(401) from None
        except UnreadableError as problem:
            log.warning("message not understood", upstream=self._sender.name, reason=str(problem))
            raise _refusal(400) from None

    async def _taken(self, name: str | None, changes: Sequence[Change]) -> dict[str, int]:
        sender, knows = self._sender.name, self._inbox.knows
        events = {f"event:{one.id}" for one in changes if one.id is not None}
        names = {one: KNOWN_SECONDS for one in events if not knows(sender, one)}
        if name is not None and not knows(sender, name):
            names[name] = self._sender.terms.proof_seconds
        new = set(await self._claims.claim(sender, names)) if names else set[str]()
        # Nothing is awaited from here to the note, so that of two at once one is first.
        if name is not None and (name not in new or knows(sender, name)):
            self._note("it was sent before")
            raise _refusal(401)
        first = [one for one in changes if one.id is None or f"event:{one.id}" in new]
        try:
            taken = self._inbox.take(sender, first, name)
        except FullError as full:
            log.warning("more changes than can wait", upstream=sender)
            await self._claims.release(sender, new)
            raise _refusal(429, full.retry_after) from None
        return {"new": taken.new, "repeated": len(changes) - taken.new}

    def _delivery(self, scope: Scope, body: bytes) -> Delivery:
        headers: dict[str, str] = {}
        for raw, value in scope["headers"]:
            key, text = raw.decode("latin-1").lower(), value.decode("latin-1")
            # Two are a list to HTTP, and no list is a signature, a moment or a credential.
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        urls = _addresses(scope, self._sender)
        return Delivery(scope["method"], urls, headers, body, self._clock.wall())

    def _token(self) -> bool:
        now = self._clock.steady()
        grown = (now - self._counted) * self._sender.requests_per_second
        self._tokens = min(self._burst, self._tokens + grown)
        self._counted = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _note(self, why: str) -> None:
        """A flood of forgeries makes a line now and then, not a line each."""
        self._refused += 1
        now = self._clock.steady()
        if now - self._told < _TOLD_EVERY_SECONDS:
            return
        log.warning("message refused", upstream=self._sender.name, reason=why, count=self._refused)
        self._told, self._refused = now, 0


def _examine(sender: Sender, delivery: Delivery) -> tuple[str | None, Sequence[Change]]:
    """The message's name, if it may not come twice, and what changed.

    A connector's own mistake over strange bytes is the bytes' fault: an answer of 500 would only
    have them sent again.
    """
    try:
        proof = sender.verifier.verify(delivery, sender.terms)
    except ForgedError:
        raise
    except Exception as mistake:  # third parties' code
        raise ForgedError(type(mistake).__name__) from mistake
    # Kept for a day, so it is the same few bytes however long the proof is.
    name = None if proof is None else hashlib.sha256(proof.encode()).hexdigest()
    try:
        return name, sender.verifier.changes(delivery)
    except UnreadableError:
        raise
    except Exception as mistake:  # as above
        raise UnreadableError(type(mistake).__name__) from mistake


def _addresses(scope: Scope, sender: Sender) -> tuple[str, ...]:
    query = scope.get("query_string", b"").decode("latin-1")
    end = f"?{query}" if query else ""
    if sender.url is not None:
        return (sender.url, sender.url + end) if end else (sender.url,)
    raw = scope.get("raw_path") or scope["path"].encode()
    path = raw.decode("latin-1").partition("?")[0]
    if sender.root is not None:
        return (f"{sender.root}{path}{end}",)
    host = header_text(scope, b"host") or ""
    return tuple(f"{scheme}://{host}{path}{end}" for scheme in ("https", "http"))


def _refusal(status: int, retry_after: int | None = None) -> RequestError:
    """Tells nothing but its status; the text is not sent."""
    headers: tuple[Header, ...] = ()
    if retry_after is not None:
        headers = ((b"retry-after", b"%d" % retry_after),)
    elif status == 401:  # noqa: PLR2004
        headers = (_CHALLENGE,)
    return RequestError(status, "", "", headers)
