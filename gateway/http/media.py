"""Files of the PIM, served by the gateway at signed, short-lived addresses.

The signature is HMAC-SHA256 over the media code and the moment of expiry, so an address gives
one file for one hour at most, and the PIM's own credentials never leave the gateway.
"""

import hashlib
import hmac
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ports.caller import Call
from ports.catalog import Catalog, MediaContent
from ports.errors import PortError, TransientError

PATH = "/media"
# What a browser may show by itself; everything else is downloaded, so that no file of the PIM
# runs as a page of this host.
_SHOWN = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf"}
)

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class MediaLinks:
    """Makes and checks addresses. `root` is the gateway's public root, without trailing slash."""

    root: str
    secret: bytes
    lifetime_seconds: int
    clock: Clock = time.time

    def __call__(self, code: str, /) -> str:
        # Rounded up, so that a page asked twice within a minute gives the same address.
        expires = (int(self.clock()) + self.lifetime_seconds) // 60 * 60 + 60
        name = urlsafe_b64encode(code.encode()).decode().rstrip("=")
        return f"{self.root}{PATH}/{name}?expires={expires}&signature={self._sign(name, expires)}"

    def code(self, name: str, expires: str, signature: str) -> str | None:
        """The media code of an address; None when it is forged, changed or expired."""
        if not expires.isdigit() or len(expires) > 12 or not signature.isascii():  # noqa: PLR2004
            return None
        if not hmac.compare_digest(self._sign(name, int(expires)), signature):
            return None
        if int(expires) < self.clock():
            return None
        return urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()

    def _sign(self, name: str, expires: int) -> str:
        text = f"{name}\n{expires}".encode()
        return hmac.new(self.secret, text, hashlib.sha256).hexdigest()[:43]


def media_route(links: MediaLinks, catalog: Catalog | None, own_call: Callable[[], Call]) -> Route:
    """Answers 404 for what is forged, expired or unknown; 502 or 503 when the PIM fails."""

    async def serve(request: Request) -> Response:
        query = request.query_params
        code = links.code(
            request.path_params["name"], query.get("expires", ""), query.get("signature", "")
        )
        if code is None or catalog is None:
            return Response(status_code=404)
        try:
            content = await catalog.open_media(code, call=own_call())
        except PortError as error:
            return Response(status_code=503 if isinstance(error, TransientError) else 502)
        return Response(status_code=404) if content is None else _answer(content)

    return Route(PATH + "/{name}", serve, methods=["GET"])


def _answer(content: MediaContent) -> Response:
    kind = content.mime_type.partition(";")[0].strip().lower()
    disposition = "inline" if kind in _SHOWN else "attachment"
    headers = {
        "cache-control": "private, max-age=3600",
        "content-disposition": f"{disposition}{_filename(content.filename)}",
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if content.size is not None:
        headers["content-length"] = str(content.size)
    return StreamingResponse(_closing(content), media_type=kind or None, headers=headers)


async def _closing(content: MediaContent) -> AsyncIterator[bytes]:
    """Closes the PIM's answer even when the reader hangs up."""
    try:
        async for chunk in content.chunks:
            yield chunk
    finally:
        close = getattr(content.chunks, "aclose", None)
        if close is not None:
            await close()


def _filename(name: str | None) -> str:
    kept = "".join(one for one in name or "" if one.isalnum() or one in "._- ")
    plain = kept.encode("ascii", "ignore").decode().strip()
    return f'; filename="{plain}"' if plain else ""
