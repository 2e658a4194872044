"""A port that answers no more of its records than a call wants."""

from collections.abc import Mapping
from typing import Any

import msgspec

from ports.caller import Call
from ports.common import Page
from ports.errors import PortError


class Sparing:
    """Around a whole port: what is not wanted of a record is as if its system had never told it."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        async def spared(*arguments: Any, call: Call) -> Any:
            found = await method(*arguments, call=call)
            return found if call.wanted is None else pared(found, call.wanted)

        return spared


def pared(found: Any, wanted: frozenset[str]) -> Any:
    """An answer of a port, its records less what is not wanted of them."""
    match found:
        case Mapping():
            return {key: pared(value, wanted) for key, value in found.items()}
        case tuple():
            return tuple(pared(value, wanted) for value in found)
        case Page():
            return msgspec.structs.replace(found, items=pared(found.items, wanted))
        case msgspec.Struct():
            return _record(found, wanted)
        case PortError() | None:
            return found
        case _:
            raise TypeError(type(found).__name__)


def _record(record: Any, wanted: frozenset[str]) -> Any:
    """The same type of record, with defaults for what is left out."""
    left_out: dict[str, Any] = {}
    for field in msgspec.structs.fields(record):
        if field.required:
            assert field.name in wanted, f"{field.name} cannot be left out of a record"
            continue
        if field.name not in wanted:
            left_out[field.name] = field.default
    parts = {one.partition(".")[2] for one in wanted if one.startswith("attributes.")}
    if parts and "attributes" not in wanted:
        left_out["attributes"] = tuple(one for one in record.attributes if one.code in parts)
    return msgspec.structs.replace(record, **left_out)
