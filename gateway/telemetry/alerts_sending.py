"""Alerts on their way to webhooks: a bounded queue for each, patient tries, signed if wanted.

A receiver that is slow or gone costs its own alerts, which are counted, and nothing else.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Literal, Self

import httpx2
import msgspec
import structlog

from gateway.telemetry.alerts import EVENTS, Alert, Event

QUEUE = 100
SECONDS = 5.0
# Before the second try, the third, and so on; after the last one the alert is dropped.
WAITS = (1.0, 4.0, 15.0, 60.0, 300.0)
_CLOSING_SECONDS = 3.0
_AGAIN = frozenset({408, 425, 429})
_LINES = 12

Kind = Literal["generic", "slack"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """A webhook by its name in the configuration. `address` is a secret, as Slack's are."""

    name: str
    address: str
    kind: Kind = "generic"
    events: frozenset[Event] = frozenset(EVENTS)
    secret: str | None = None


class Post:
    """As a context it sends to one target. `waits` are seconds between tries."""

    def __init__(
        self,
        target: Target,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        waits: tuple[float, ...] = WAITS,
    ) -> None:
        self.target = target
        self.sent = 0
        self.dropped = 0
        self._waits = waits
        self._queue: asyncio.Queue[Alert] = asyncio.Queue(QUEUE)
        # No proxy of the environment and no redirection learns the address.
        self._client = httpx2.AsyncClient(
            transport=transport, timeout=SECONDS, follow_redirects=False, trust_env=False
        )
        self._task: asyncio.Task[None] | None = None

    def put(self, alert: Alert) -> None:
        """The oldest makes room for the newest."""
        if alert.event not in self.target.events:
            return
        if self._queue.full():
            self._queue.get_nowait()
            self._queue.task_done()
            self.dropped += 1
        self._queue.put_nowait(alert)

    async def settle(self) -> None:
        """Until all that is there was sent or dropped."""
        await self._queue.join()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name=f"alerts {self.target.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.settle(), _CLOSING_SECONDS)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    async def _run(self) -> None:
        while True:
            alert = await self._queue.get()
            try:
                await self._deliver(alert)
            except Exception:
                self.dropped += 1
                log.exception("alert not sent", target=self.target.name)
            finally:
                self._queue.task_done()

    async def _deliver(self, alert: Alert) -> None:
        body, message_id = encoded(alert, self.target.kind), f"msg_{secrets.token_hex(12)}"
        reason = ""
        for wait in (*self._waits, None):
            is_final, reason = await self._try(message_id, body)
            if not reason:
                self.sent += 1
                return
            if is_final or wait is None:
                break
            await asyncio.sleep(wait)
        self.dropped += 1
        log.warning("alert not sent", target=self.target.name, key=alert.key, reason=reason)

    async def _try(self, message_id: str, body: bytes) -> tuple[bool, str]:
        """Whether it would be in vain to try again, and what went wrong; nothing if all is well."""
        headers = {"content-type": "application/json"}
        if self.target.secret is not None:
            headers |= signature(self.target.secret, message_id, body)
        try:
            answer = await self._client.post(self.target.address, content=body, headers=headers)
        except (httpx2.HTTPError, OSError) as problem:
            return False, type(problem).__name__
        if answer.is_success:
            return True, ""
        again = answer.status_code >= 500 or answer.status_code in _AGAIN  # noqa: PLR2004
        return not again, f"HTTP {answer.status_code}"


class Posts:
    """All targets. `put` may be given to a Desk."""

    def __init__(
        self,
        targets: tuple[Target, ...],
        transport: Callable[[], httpx2.AsyncBaseTransport | None] = lambda: None,
    ) -> None:
        self.posts = tuple(Post(one, transport=transport()) for one in targets)
        self._stack = AsyncExitStack()

    def put(self, alert: Alert) -> None:
        for one in self.posts:
            one.put(alert)

    async def __aenter__(self) -> Self:
        for one in self.posts:
            await self._stack.enter_async_context(one)
        return self

    async def __aexit__(self, *_: object) -> None:
        # All at a time, so that one that hangs does not take the others' time.
        await asyncio.gather(*(one.__aexit__() for one in self.posts))
        self._stack.pop_all()


def encoded(alert: Alert, kind: Kind) -> bytes:
    """The body: the alert itself, or a message as Slack's incoming webhooks take it."""
    if kind == "generic":
        return msgspec.json.encode(alert)
    mark = ":white_check_mark:" if alert.state == "resolved" else _MARKS[alert.severity]
    lines = [f"{mark} *{_escaped(alert.title)}*", _escaped(alert.text)]
    lines += [
        f"• {_escaped(name)}: {_escaped(_listed(value))}"
        for name, value in list(alert.details.items())[:_LINES]
        if value not in (None, [], "")
    ]
    return json.dumps({"text": "\n".join(lines)}, ensure_ascii=False).encode()


_MARKS: Mapping[str, str] = {"critical": ":red_circle:", "warning": ":large_orange_circle:"}


def signature(secret: str, message_id: str, body: bytes, at: float | None = None) -> dict[str, str]:
    """Headers of the Standard Webhooks specification, which receivers check with the secret."""
    moment = str(int(time.time() if at is None else at))
    signed = f"{message_id}.{moment}.".encode() + body
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    if secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_"))
    return secret.encode()


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
