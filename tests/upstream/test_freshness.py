"""What was not read now says so wherever it tells its freshness, however deep."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from ports.common import Freshness, FreshnessState, SystemName
from upstream.freshness import marked

if TYPE_CHECKING:
    from collections.abc import Sequence

LIVE = Freshness(SystemName.ERP, "erp", datetime(2026, 1, 1, tzinfo=UTC))
CACHED = msgspec.structs.replace(LIVE, state=FreshnessState.CACHED)


class Line(msgspec.Struct, frozen=True):
    kind: Literal["a", "b"]
    number: int | None
    names: tuple[str, ...] = ()
    read: Freshness | None = None


class Paper(msgspec.Struct, frozen=True):
    lines: tuple[Line, ...]
    extra: object = None


class Foreign(msgspec.Struct, frozen=True):
    """Its annotations are its type checker's only."""

    names: "Sequence[str]"
    read: Freshness


def test_it_is_marked_at_any_depth() -> None:
    quiet = Line("a", 1, ("x",))
    told = marked(Paper((Line("b", None, read=LIVE), quiet), (LIVE,)), FreshnessState.CACHED)

    assert told == Paper((Line("b", None, read=CACHED), quiet), (CACHED,))
    assert told.lines[1] is quiet


def test_what_tells_none_stays_the_same() -> None:
    for value in (Paper((Line("a", 1),), {"a": 1}), "text", None, (1, "a"), Line("b", 2)):
        assert marked(value, FreshnessState.CACHED) is value


def test_records_of_unknown_annotations_are_looked_through() -> None:
    assert marked(Foreign(("a",), LIVE), FreshnessState.CACHED) == Foreign(("a",), CACHED)
