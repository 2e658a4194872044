"""JSON whose meaning nobody can dispute: no key twice, no NaN, nothing that cannot be written."""

import json
from typing import Any


class DisputableError(ValueError):
    """Not an object, or one that two readers could read differently."""


def strict_object(text: bytes) -> dict[str, Any]:
    """Raises DisputableError."""
    try:
        value = json.loads(
            text.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_constant
        )
    except DisputableError:
        raise
    except (ValueError, RecursionError) as problem:
        raise DisputableError("is no JSON") from problem
    if not isinstance(value, dict):
        raise DisputableError("is no JSON object")
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DisputableError("has a key twice")
    return found


def _no_constant(_: str) -> Any:
    raise DisputableError("has a number that is none")
