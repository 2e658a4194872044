"""Which media type an answer has, by the request's `Accept` (RFC 9110, 12.5.1).

A client that names `application/graphql-response+json` gets it; everybody else gets
`application/json`, whose clients expect status 200 for all that reached the graph.
"""

from enum import Enum

MAX_ACCEPT_CHARACTERS = 2_000


class MediaType(Enum):
    """The value is the whole `Content-Type`."""

    JSON = b"application/json; charset=utf-8"
    GRAPHQL_RESPONSE = b"application/graphql-response+json; charset=utf-8"


_COMMON = {
    "": MediaType.JSON,
    "*/*": MediaType.JSON,
    "application/json": MediaType.JSON,
    "application/graphql-response+json": MediaType.GRAPHQL_RESPONSE,
}
# Specificity of a range, and the media types it covers.
_RANGES = {
    "*/*": (0, (MediaType.JSON,)),
    "application/*": (1, (MediaType.JSON,)),
    "application/json": (2, (MediaType.JSON,)),
    "application/graphql-response+json": (2, (MediaType.GRAPHQL_RESPONSE,)),
}


def negotiate(accept: str) -> MediaType | None:
    """The acceptable media type of the highest weight, of equals the first named; None: 406."""
    if accept in _COMMON:
        return _COMMON[accept]
    found: dict[MediaType, tuple[int, float]] = {}
    for item in accept[:MAX_ACCEPT_CHARACTERS].split(","):
        media_range, *parameters = item.split(";")
        specificity, covered = _RANGES.get(media_range.strip().lower(), (0, ()))
        weight = _weight(parameters)
        for media_type in covered:
            if weight is not None and specificity >= found.get(media_type, (0, 0.0))[0]:
                found[media_type] = (specificity, weight)
    best = max(found, key=lambda media_type: found[media_type][1], default=None)
    return best if best is not None and found[best][1] > 0 else None


def _weight(parameters: list[str]) -> float | None:
    """None for a range of another charset, or for a weight that is no number."""
    weight = 1.0
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                weight = float(value)
            except ValueError:
                return None
        elif name.lower() == "charset" and value.strip('"').lower() not in {"utf-8", "utf8"}:
            return None
    return weight
