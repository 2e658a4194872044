"""Where a request goes: the target of its first line, at the configured system and nowhere else.

Addresses of plain characters, which nearly all are, are put together here; whatever else there is
goes through httpx2's URLs, so that both are written alike.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote_plus, unquote

import httpx2

from ports.errors import MalformedError, RefusedError
from upstream.failures import WireError

_HEX = "%[0-9A-Fa-f]{2}"
_IN_PATH = r"[\w\-.~!$&'()*+,;=:@/]*"
_IN_QUERY = r"[\w\-.~!$&'()*+,;=:@/?]*"
# Characters that httpx2 leaves as they are (RFC 3986 §3.3, §3.4); two slashes would be a host.
_is_plain = re.compile(
    rf"/(?!/){_IN_PATH}(?:{_HEX}{_IN_PATH})*(?:\?{_IN_QUERY}(?:{_HEX}{_IN_QUERY})*)?", re.ASCII
).fullmatch
_is_list = re.compile(r"[\w.\-~,]*", re.ASCII).fullmatch
_LONGEST = 65536


class Targets:
    """Makes request targets (`/base/path?query`) below one base URL."""

    def __init__(self, base_url: str) -> None:
        base = httpx2.URL(base_url)
        self.base = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + b"/")
        self._prefix = self.base.raw_path.decode("ascii").rstrip("/")
        self._origin = f"{base.scheme}://{base.netloc.decode('ascii')}"

    def target(self, path: str, params: Mapping[str, str] | None) -> str:
        """Raises WireError for a link to another host and a path that climbs."""
        if "." in path or "%" in path:
            self.check_dots(path)
        prefix, rest = self._prefix, path
        if path.startswith(self._origin):
            prefix, rest = "", path[len(self._origin) :]
        if params is not None and "?" in rest:
            return self._any_target(path, params)
        target = prefix + rest
        if not _is_plain(rest) or len(target) > _LONGEST:
            return self._any_target(path, params)
        if not params:
            return target
        query = _query(params)
        if query is None or len(query) > _LONGEST:
            return self._any_target(path, params)
        return f"{target}?{query}"

    @staticmethod
    def check_dots(path: str) -> None:
        """A key that is part of a path may not lead to another one: clients resolve dots."""
        names = path.partition("?")[0].split("/")
        if not {".", ".."}.isdisjoint(map(unquote, names)):
            raise WireError(RefusedError, "a path with dots for names")

    def check_host(self, url: httpx2.URL) -> None:
        """Credentials go to the configured system, whatever link it gave."""
        own = self.base
        if (url.scheme, url.host, url.port) != (own.scheme, own.host, own.port):
            raise WireError(MalformedError, "a link to another host")

    def _any_target(self, path: str, params: Mapping[str, str] | None) -> str:
        try:
            url = self.merged(path, params)
        except httpx2.InvalidURL as problem:
            raise WireError(MalformedError, f"an address that is none: {problem}") from problem
        self.check_host(url)
        return url.raw_path.decode("ascii")

    def merged(self, path: str, params: Mapping[str, str] | None) -> httpx2.URL:
        """As httpx2's own client puts base, path and parameters together."""
        url = httpx2.URL(path)
        if url.is_relative_url:
            url = self.base.copy_with(raw_path=self.base.raw_path + url.raw_path.lstrip(b"/"))
        return url if params is None else httpx2.URL(url, params=params)


def _query(params: Mapping[str, str]) -> str | None:
    """None where a value is no text."""
    query = ""
    for name, value in params.items():
        if type(value) is not str or type(name) is not str:
            return None
        pair = f"{_quoted(name)}={_quoted(value)}"
        query = f"{query}&{pair}" if query else pair
    return query


def _quoted(text: str) -> str:
    """Lists of keys are what connectors send most."""
    return text.replace(",", "%2C") if _is_list(text) else quote_plus(text)
