"""Whole JSON answers over ASGI, and problems as RFC 9457 tells them."""

from collections.abc import Iterable
from http import HTTPStatus

import orjson
from starlette.types import Send

Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json; charset=utf-8")
PROBLEM: Header = (b"content-type", b"application/problem+json")
_WITHOUT_BODY = (204, 304)
# Answers hold what one caller may see at one moment.
NO_STORE: Header = (b"cache-control", b"no-store")


async def send_whole(
    send: Send, status: int, body: bytes, headers: Iterable[Header], *, head: bool = False
) -> None:
    """`head`: the same headers without the body. By one call where `send` can do that."""
    sent = list(headers)
    if status not in _WITHOUT_BODY:
        sent.append((b"content-length", b"%d" % len(body)))
    whole = getattr(send, "whole", None)
    if whole is not None and whole(status, sent, b"" if head else body):
        return
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": b"" if head else body})


async def send_problem(
    send: Send, status: int, request_id: str, headers: Iterable[Header] = ()
) -> None:
    body = orjson.dumps(problem_of(status, request_id))
    await send_whole(send, status, body, (PROBLEM, NO_STORE, *headers))


def problem_of(status: int, request_id: str) -> dict[str, object]:
    """A problem without a type of its own: the title is that of the status."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "requestId": request_id,
    }
