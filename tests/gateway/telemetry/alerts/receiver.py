"""Somebody's webhook on loopback: answers as told, and remembers what it was sent."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

from gateway.telemetry.alerts import Alert


@dataclass
class Receiver:
    """`answers` are the statuses of the next requests; then 204."""

    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    address: str = ""
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status = self.answers.pop(0) if self.answers else 204
        headers = [(b"location", b"/elsewhere")] if 300 <= status < 400 else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        async with self.came:
            self.bodies.append(body)
            self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
            self.came.notify_all()

    async def until(self, number: int) -> list[dict[str, Any]]:
        """What came, once so many have."""
        async with asyncio.timeout(30), self.came:
            await self.came.wait_for(lambda: len(self.bodies) >= number)
        return [json.loads(one) for one in self.bodies]


@asynccontextmanager
async def receiving(*answers: int) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(answers))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        receiver.address = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        config = uvicorn.Config(receiver, log_config=None, lifespan="off", ws="none")
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(server.serve([listener]))
            while not server.started and not task.done():
                await asyncio.sleep(0.01)
            try:
                yield receiver
            finally:
                server.should_exit = True


def alert(key: str = "system:erp", **told: Any) -> Alert:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    values: dict[str, Any] = {
        "event": "system",
        "state": "firing",
        "severity": "critical",
        "title": "erp is down",
        "text": "erp (ERP) does not answer.",
        "since": now,
        "at": now,
        **told,
    }
    return Alert(key=key, **values)
