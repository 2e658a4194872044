"""HTTP as Authlib's core wants it: a request that was read, and an answer to be sent."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import OAuth2Payload
from starlette.requests import Request
from starlette.responses import Response

from sandbox.control import body_of

_MOST_BYTES = 64 * 1024
_FORM = "application/x-www-form-urlencoded"
_REPEATABLE = frozenset({"resource", "audience"})
# What RFC 6749 lets an error description hold; a value outside may not be quoted in one.
_QUOTABLE = frozenset(chr(code) for code in range(0x20, 0x7F)) - {'"', "\\"}
_QUOTED = ("response_type", "client_id", "redirect_uri", "grant_type", "scope")


class Parameters(OAuth2Payload):  # type: ignore[misc]  # Authlib is untyped
    """Parameters in the order they came in. An empty one counts as absent (RFC 6749 §3.1)."""

    def __init__(self, encoded: str) -> None:
        self._lists: dict[str, list[str]] = {}
        for name, text in parse_qsl(encoded):
            self._lists.setdefault(name, []).append(text)

    @property
    def data(self) -> Mapping[str, str]:
        return {name: texts[0] for name, texts in self._lists.items()}

    @property
    def datalist(self) -> Mapping[str, list[str]]:
        return self._lists

    def check(self) -> None:
        """Raises InvalidRequestError for what no well-made request holds."""
        for name, texts in self._lists.items():
            if len(texts) > 1 and name not in _REPEATABLE:
                raise InvalidRequestError("A parameter is given more than once.")
        for name in _QUOTED:
            if not _QUOTABLE.issuperset(self.data.get(name, "")):
                raise InvalidRequestError(f"The parameter '{name}' has characters it may not have.")


class Incoming(OAuth2Request):  # type: ignore[misc]  # as above
    """A request whose parameters are those of its form, or of its query where it has no form."""

    def __init__(self, request: Request, *, form: Parameters | None = None) -> None:
        # Authlib refuses plain HTTP off the loopback; the sandbox has no TLS, and hosts may vary.
        super().__init__(request.method, "https://sandbox.invalid", headers=_headers(request))
        query = Parameters(request.scope["query_string"].decode("latin-1"))
        self.payload = query if form is None else form
        self._form = {} if form is None else form.data

    @property
    def form(self) -> Mapping[str, str]:
        return self._form


async def form_of(request: Request) -> Parameters:
    """The form of a POST. Raises InvalidRequestError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise InvalidRequestError(f"The body must be {_FORM}.")
    try:
        return Parameters((await body_of(request.receive, _MOST_BYTES)).decode())
    except ValueError as unreadable:  # too large, not UTF-8, or too many fields
        raise InvalidRequestError("The body cannot be read.") from unreadable


def answer(status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Response:
    """What Authlib made, as a response."""
    content = body if isinstance(body, str) else orjson.dumps(body)
    return Response(content, status, dict(headers))


def _headers(request: Request) -> Mapping[str, str]:
    """The one header Authlib reads, unless it is one that Authlib would fail to decode."""
    authorization = request.headers.get("authorization", "").strip()
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            base64.b64decode(encoded).decode()
        except (binascii.Error, ValueError):
            return {}
    return {"Authorization": authorization} if authorization else {}
