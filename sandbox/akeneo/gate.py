"""What stands before the PIM's resources: the token, the headers, four calls at a time."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.akeneo.answers import Refusal
from sandbox.akeneo.tokens import Tokens

Endpoint = Callable[[Request], Awaitable[Response]]
CONCURRENT_CALLS = 4
"A connection's; the vendor grants ten to the whole PIM."


class Gate:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def opened(self, endpoint: Endpoint, *, binary: bool = False) -> Endpoint:
        """`endpoint` behind token, Accept and Content-type; `binary` answers any Accept."""

        async def guarded(request: Request) -> Response:
            try:
                self._tokens.check(request.headers.get("authorization", ""))
                if not binary:
                    _check_accept(request.headers.get("accept", ""))
                if request.method == "POST":
                    _check_content_type(request.headers.get("content-type", ""))
                return await endpoint(request)
            except Refusal as refusal:
                return refusal.response()

        return guarded

    @staticmethod
    def unguarded(endpoint: Endpoint) -> Endpoint:
        async def answering(request: Request) -> Response:
            try:
                return await endpoint(request)
            except Refusal as refusal:
                return refusal.response()

        return answering


def _check_accept(accept: str) -> None:
    kinds = [kind.split(";")[0].strip().lower() for kind in accept.split(",")]
    if accept and not {"*/*", "application/*", "application/json"} & set(kinds):
        message = f"‘{accept}’ in ‘Accept’ header is not valid. Only ‘application/json‘ is allowed."  # noqa: RUF001
        raise Refusal(406, message)


def _check_content_type(content_type: str) -> None:
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind != "application/json":
        message = (
            f"‘{kind}’ in ‘Content-type’ header is not valid. Only ‘application/json’ is allowed."  # noqa: RUF001
        )
        raise Refusal(415, message)


def limited(inner: ASGIApp, most: int = CONCURRENT_CALLS) -> ASGIApp:
    """Refuses a call while `most` others are being answered; tokens are not counted."""
    running = 0

    async def limiting(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal running
        if scope["type"] != "http" or not scope["path"].startswith("/api/rest/"):
            return await inner(scope, receive, send)
        if running >= most:
            refusal = Refusal(429, "Too many concurrent calls. Please retry later.")
            refusal.headers["retry-after"] = "1"
            return await refusal.response()(scope, receive, send)
        running += 1
        try:
            return await inner(scope, receive, send)
        finally:
            running -= 1

    return limiting
