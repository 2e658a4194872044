"""The first bytes of a request: its line and headers, prepared once for headers that recur."""

import re
from collections.abc import Mapping

import msgspec

from ports.errors import RefusedError
from upstream.failures import WireError
from upstream.messages import Request

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"[\t\x20-\x7e]*")
_LINES = re.compile(r"(?:[a-z\-]+: [\t\x20-\x7e]*\r\n)*")
# How a message is framed and carried is this side's to say, whatever a connector wishes.
_OURS = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "trailer"}
    | {"transfer-encoding", "upgrade", "proxy-connection", "proxy-authorization"}
)
_KEPT_MOST = 256
# Servers of HTTP/1.0 keep a connection only for those who ask.
_KEEP_ALIVE = "connection: keep-alive\r\n"


class Heads:
    """Writes requests to one host. `own` are the headers of every request, `Host` included.

    Headers of a request stand for own ones of the same name.
    """

    def __init__(self, own: Mapping[str, str]) -> None:
        self._own = dict(own)
        self._kept: dict[object, str] = {}

    def message(
        self, request: Request, target: str, signed: Mapping[str, str], traced: str = ""
    ) -> bytes:
        """The whole request. Raises WireError for headers that cannot be sent.

        `traced` are lines that no other request has; what cannot be sent of them is left out.
        """
        if traced and not _LINES.fullmatch(traced):
            traced = ""
        if request.json is not None:
            body = msgspec.json.encode(request.json)
        elif request.body is None:
            body = b""
        else:
            body = request.body
        json = request.json is not None
        lines = self._lines(request.headers, signed, json=json)
        first = f"{request.method} {target} HTTP/1.1\r\n{lines}{traced}"
        if body or request.method != "GET":
            return f"{first}content-length: {len(body)}\r\n\r\n".encode("ascii") + body
        return f"{first}\r\n".encode("ascii")

    def _lines(self, asked: Mapping[str, str], signed: Mapping[str, str], *, json: bool) -> str:
        key = (tuple(asked.items()), tuple(signed.items()), json)
        lines = self._kept.get(key)
        if lines is None:
            lines = self._written({**asked, **signed}, json=json)
            if len(self._kept) >= _KEPT_MOST:
                self._kept.clear()
            self._kept[key] = lines
        return lines

    def _written(self, told: Mapping[str, str], *, json: bool) -> str:
        headers = {**self._own, **{name.lower(): value for name, value in told.items()}}
        if json:
            headers["content-type"] = "application/json"
        for name, value in headers.items():
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) or name in _OURS:
                raise WireError(RefusedError, f"a header that cannot be sent: {name!r}")
        lines = (f"{name}: {value}\r\n" for name, value in headers.items())
        return "".join(lines) + _KEEP_ALIVE
