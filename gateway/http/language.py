"""The language that a client reads, from `Accept-Language` (RFC 9110 §12.5.4)."""

import re

_RANGE = re.compile(
    r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*"
)
# Nobody reads more languages than this; what follows is not looked at.
_MOST_RANGES = 20


def preferred(header: str | None, default: str) -> str:
    """The tag with the highest weight, the first of equals; `default` for none, `*` or nonsense."""
    best, weight = default, 0.0
    for part in (header or "").split(",", _MOST_RANGES)[:_MOST_RANGES]:
        found = _RANGE.fullmatch(part)
        if found is None:
            continue
        tag, given = found.group(1), float(found.group(2) or 1)
        if given > weight:
            best, weight = (default if tag == "*" else tag), given
    return best
