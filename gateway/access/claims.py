"""From what an issuer says of somebody to a caller, by the paths of `[access.claims]`."""

from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from gateway.access.errors import RefusedTokenError
from gateway.settings.access import ClaimsSettings
from ports.caller import Caller, CallerKind

# Longer is no name of anything, and would fill logs and caches.
_LONGEST = 255

log = structlog.get_logger(__name__)


def caller_of(claims: Mapping[str, Any], where: ClaimsSettings, prefix: str = "") -> Caller:
    """`prefix` stands before the subject. Raises RefusedTokenError where there is none to use."""
    staff = where.staff is not None and _is(at(claims, where.staff), wanted=where.staff_value)
    customer, customers = _customers(claims, where)
    return Caller(
        subject=prefix + _subject(claims, where),
        kind=_kind(claims, staff=staff),
        customer=customer,
        customers=None if staff else customers,
        scopes=_scopes(claims, where),
        name=_word(at(claims, where.name)),
        email=_word(at(claims, where.email)),
    )


def at(claims: Mapping[str, Any], path: str) -> object:
    """The claim at a path, None where there is none. The longest name that fits is taken first."""
    names = path.split(".")
    for taken in range(len(names), 0, -1):
        name = ".".join(names[:taken])
        if name not in claims:
            continue
        found = claims[name]
        if taken == len(names):
            return found
        if isinstance(found, Mapping):
            return at(found, ".".join(names[taken:]))
    return None


def is_application(claims: Mapping[str, Any]) -> bool:
    """Whether a client speaks for itself, with nobody behind it (RFC 9068 §2.2, and dialects)."""
    subject = claims.get("sub")
    for name in ("client_id", "azp", "appid"):
        client = claims.get(name)
        if not isinstance(client, str):
            continue
        if subject in {client, f"{client}@clients"}:
            return True
        if claims.get("preferred_username") == f"service-account-{client.lower()}":
            return True
    return claims.get("gty") == "client-credentials" or claims.get("idtyp") == "app"


def _subject(claims: Mapping[str, Any], where: ClaimsSettings) -> str:
    found = at(claims, where.subject)
    subject = _word(claims.get("client_id") if found is None else found)
    if subject is None:
        raise RefusedTokenError("has no usable subject")
    return subject


def _kind(claims: Mapping[str, Any], *, staff: bool) -> CallerKind:
    if staff:
        return CallerKind.STAFF
    return CallerKind.APPLICATION if is_application(claims) else CallerKind.USER


def _customers(
    claims: Mapping[str, Any], where: ClaimsSettings
) -> tuple[str | None, frozenset[str]]:
    """The customer acted for, and all that may be. A single one needs no choosing."""
    own = tuple(_numbers(at(claims, where.customer), where.customer))
    granted = frozenset((*own, *_numbers(at(claims, where.customers), where.customers)))
    chosen = own or tuple(granted)
    return (chosen[0] if len(chosen) == 1 else None), granted


def _numbers(told: object, path: str) -> Iterator[str]:
    """Customer numbers, of which directories make text, integers and lists."""
    for one in told if isinstance(told, list) else [told]:
        number = _word(str(one) if type(one) is int else one)
        if number is not None:
            yield number
        elif one is not None:
            log.warning("claim has no customer number", path=path, type=type(one).__name__)


def _scopes(claims: Mapping[str, Any], where: ClaimsSettings) -> frozenset[str]:
    found = (at(claims, path) for path in where.scopes)
    told = next((value for value in found if value is not None), ())
    words = told.split() if isinstance(told, str) else told
    if not isinstance(words, list | tuple):
        return frozenset()
    known = where.scope_map
    return frozenset(
        scope for word in words if isinstance(word, str) for scope in known.get(word, (word,))
    )


def _is(told: object, *, wanted: str | bool) -> bool:
    """Equal, or in a list; `true` is not `"true"`, and no part of a text counts."""
    values = told if isinstance(told, list) else [told]
    return any(type(value) is type(wanted) and value == wanted for value in values)


def _word(told: object) -> str | None:
    """Text that can be shown and logged; nothing invisible, and no half of a character."""
    if isinstance(told, str) and 0 < len(told) <= _LONGEST and told.isprintable() and told.strip():
        return told
    return None
