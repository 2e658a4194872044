"""The world's values in the form that Odoo's rows keep: naive UTC text, floats, false for none."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any


def moment(value: datetime | None) -> Any:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if value else False


def day(value: date | None) -> Any:
    return value.isoformat() if value else False


def number(value: Decimal) -> float:
    return float(value)


def text(value: str | None) -> Any:
    return value or False


class Ids:
    """Ids of one table. What the world names keeps its id unless another row has it already."""

    def __init__(self, known: Iterable[int]) -> None:
        self._fresh: Iterator[int] = count(max(known, default=0) + 1)
        self._taken: set[int] = set()

    def claim(self, wanted: int) -> int:
        key = self.fresh() if wanted in self._taken else wanted
        self._taken.add(key)
        return key

    def fresh(self) -> int:
        return next(self._fresh)


def stamps(created: datetime, written: datetime | None = None) -> dict[str, Any]:
    """The magic fields of a row that one import user wrote."""
    return {
        "create_date": moment(created),
        "create_uid": 2,
        "write_date": moment(written or created),
        "write_uid": 2,
    }
