"""Who watches hears of each call that is made to a system for it, in the portions it was made in."""

from typing import Any

import msgspec
import pytest

from ports.errors import UnavailableError
from tests.upstream.loopback import call
from tests.upstream.test_guard import Fake, guarded
from upstream.cache import Cache
from upstream.uses import Portion


def watching(heard: list[Any]) -> Any:
    return msgspec.structs.replace(call(), watch=heard.append)


async def test_each_portion_is_told_with_its_keys() -> None:
    heard: list[Portion] = []

    await guarded(Fake(), max_keys=2).things(("a", "bb", "ccc"), call=watching(heard))

    assert sorted((one.operation, one.keys, one.error) for one in heard) == [
        ("stock.things", 1, None),
        ("stock.things", 2, None),
    ]
    assert all(one.began <= one.ended for one in heard)


async def test_what_is_known_already_is_no_call() -> None:
    heard: list[Portion] = []
    port = guarded(Fake(), cache=Cache())

    await port.things(("a",), call=watching([]))
    await port.things(("a", "bb"), call=watching(heard))

    assert [one.keys for one in heard] == [1]


async def test_a_call_that_fails_is_told_with_its_code() -> None:
    heard: list[Portion] = []

    with pytest.raises(UnavailableError):
        await guarded(Fake()).count("down", call=watching(heard))

    assert [(one.keys, one.error) for one in heard] == [(None, "UPSTREAM_UNAVAILABLE")]
