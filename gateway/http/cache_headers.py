"""What an answer tells caches and people of its age: `Cache-Control`, `Age`, `Cache-Status`, `ETag`.

RFC 9111 and 9211. The `max-age` told counts from when the oldest part was read, as `Age` does, so
that what remains is `max-age` minus `Age`.
"""

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b

import msgspec
from starlette.types import Scope

from gateway.http.head import head_of
from gateway.http.responses import NO_STORE, Header
from ports.caller import Caller, CallerKind
from upstream.uses import Use

VARY = b"Accept, Accept-Language, Authorization, X-API-Key"

_CREDENTIALS = frozenset({b"authorization", b"x-api-key", b"cookie"})
_TOKEN = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_MOST_MEMBERS = 12


class Holding(msgspec.Struct, frozen=True):
    """How old the oldest part is, and for how long all of them stay fresh; both in seconds."""

    age: float
    remaining: float


def is_for_all(scope: Scope, caller: Caller) -> bool:
    """Whether anybody may keep the answer for anybody else: asked by GET, and by nobody known."""
    if scope["method"] == "POST" or caller.kind is not CallerKind.ANONYMOUS:
        return False
    return _CREDENTIALS.isdisjoint(head_of(scope).first)


def cache_control(holding: Holding, *, for_all: bool) -> Header:
    remaining = int(holding.remaining)
    if remaining < 1:
        return NO_STORE
    scope = b"public" if for_all else b"private"
    return (b"cache-control", b"%s, max-age=%d" % (scope, remaining + int(holding.age)))


def age(holding: Holding) -> Header:
    return (b"age", b"%d" % holding.age)


def etag_of(body: bytes) -> bytes:
    """Weak: the same answer may be sent compressed, and a later one may mean the same."""
    return b'W/"%s"' % blake2b(body, digest_size=12).hexdigest().encode()


def is_known(scope: Scope, etag: bytes) -> bool:
    """Whether the client has this answer already, by `If-None-Match`."""
    sent = head_of(scope).all(b"if-none-match")
    if not sent:
        return False
    tags = [one.strip() for one in b",".join(sent).split(b",")]
    opaque = etag.removeprefix(b"W/")
    return b"*" in tags or any(one.removeprefix(b"W/") == opaque for one in tags)


def hit(remaining: float) -> Header:
    return (b"cache-status", b"passerelle; hit; ttl=%d" % remaining)


def forwarded(uses: Iterable[Use], why: str) -> Header:
    """A member for each upstream, nearest to the systems first, then that of whole answers."""
    members = [_member(name, of) for name, of in _by_upstream(uses).items()]
    told = [*members[:_MOST_MEMBERS], f"passerelle; {why}"]
    return (b"cache-status", ", ".join(told).encode())


def _by_upstream(uses: Iterable[Use]) -> Mapping[str, list[Use]]:
    found: dict[str, list[Use]] = {}
    for use in uses:
        found.setdefault(use.upstream, []).append(use)
    return found


def _member(name: str, uses: list[Use]) -> str:
    counts = {
        "cached": sum(use.cached for use in uses),
        "live": sum(use.live for use in uses),
        "stale": sum(use.stale for use in uses),
        "failed": sum(use.failed for use in uses),
        "fallback": sum(use.fallback for use in uses),
    }
    cache = name if _TOKEN.fullmatch(name) else '"' + re.sub(r'[^ -~]|["\\]', "?", name) + '"'
    if counts["cached"] and not any(counts[one] for one in ("live", "stale", "failed")):
        return f"{cache}; hit; ttl={int(min(use.fresh_for for use in uses if use.cached))}"
    detail = ", ".join(f"{what}={number}" for what, number in counts.items() if number)
    return f'{cache}; fwd={_why(counts)}; detail="{detail}"'


def _why(counts: Mapping[str, int]) -> str:
    if counts["stale"]:
        return "stale"
    return "partial" if counts["cached"] else "miss"
