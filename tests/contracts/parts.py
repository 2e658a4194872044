"""What every port promises to a call that wants only parts of its records."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from ports.caller import Call


async def assert_parts_are_as_in_the_whole(
    read: Callable[[Call], Awaitable[Any]], call: Call
) -> None:
    """Each field by itself, with those that the record cannot be without; `read` gives a record."""
    whole = await read(call)
    fields = msgspec.structs.fields(whole)
    needed = frozenset(field.name for field in fields if field.required)
    assert any(getattr(whole, field.name) for field in fields if not field.required)
    for field in fields:
        wanted = needed | {field.name}
        part = await read(msgspec.structs.replace(call, wanted=wanted))
        assert type(part) is type(whole)
        for name in wanted:
            assert getattr(part, name) == getattr(whole, name), name
