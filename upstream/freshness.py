"""How a record tells that it was not read now."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache, partial
from types import NoneType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec

from ports.common import Freshness, FreshnessState

Mark: TypeAlias = Callable[[Any, FreshnessState], Any]

_PLAIN = (NoneType, bool, int, float, str, bytes, Decimal, date, datetime, time, timedelta, Enum)


def marked(value: Any, state: FreshnessState) -> Any:
    """The same record with this state wherever it tells its freshness. FALLBACK stays."""
    mark = _marker(type(value))
    return value if mark is None else mark(value, state)


def _marker_of(kind: type) -> Mark | None:
    """What marks values of a type; None where there is nothing to mark."""
    if issubclass(kind, Freshness):
        return _marked_itself
    if issubclass(kind, tuple):
        return _marked_each
    fields = _telling(kind) if issubclass(kind, msgspec.Struct) else ()
    return partial(_marked_record, fields) if fields else None


_marker: Callable[[Any], Mark | None] = lru_cache(maxsize=1024)(_marker_of)


def _marked_itself(value: Freshness, state: FreshnessState) -> Freshness:
    if value.state is FreshnessState.FALLBACK:
        return value
    return msgspec.structs.replace(value, state=state)


def _marked_each(value: tuple[Any, ...], state: FreshnessState) -> tuple[Any, ...]:
    several, changed = [], False
    for old in value:
        mark = _marker(type(old))
        new = old if mark is None else mark(old, state)
        changed = changed or new is not old
        several.append(new)
    return tuple(several) if changed else value


def _marked_record(fields: tuple[str, ...], value: Any, state: FreshnessState) -> Any:
    changed = {}
    for name in fields:
        old = getattr(value, name)
        mark = _marker(type(old))
        if mark is not None and (new := mark(old, state)) is not old:
            changed[name] = new
    return msgspec.structs.replace(value, **changed) if changed else value


def _telling(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """The fields of a record that may be more than plain values."""
    try:
        told = get_type_hints(kind)
    except NameError:  # annotations of others may name what only their type checker knows
        told = {}
    return tuple(name for name in kind.__struct_fields__ if not _is_plain(told.get(name)))


def _is_plain(annotation: Any) -> bool:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return issubclass(annotation, _PLAIN)
    if get_origin(annotation) is Literal:
        return True
    parts = [one for one in get_args(annotation) if one is not Ellipsis]
    return bool(parts) and all(map(_is_plain, parts))
