"""Conditions on dates: the format of properties, the operators both dates and moments know."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.akeneo.answers import Refusal, unprocessable
from sandbox.akeneo.grammar import Condition

_FORMAT = "%Y-%m-%d %H:%M:%S"


def predicate(condition: Condition, now: datetime) -> Callable[[datetime], bool]:
    """Holds for the moments that the condition tells."""
    operator = condition.operator
    if operator == "SINCE LAST N DAYS":
        days = condition.value
        if not isinstance(days, int) or isinstance(days, bool):
            raise condition.wants("a numeric")
        since = now - timedelta(days=days)
        return lambda moment: moment >= since
    if operator in {"BETWEEN", "NOT BETWEEN"}:
        if not isinstance(condition.value, list) or len(condition.value) != 2:  # noqa: PLR2004 - from, to
            raise condition.wants("an array with 2 strings")
        first, last = (_moment(condition, text) for text in condition.value)
        inside = operator == "BETWEEN"
        return lambda moment: (first <= moment <= last) is inside
    return _compared(condition, _moment(condition, condition.value))


def _compared(condition: Condition, wanted: datetime) -> Callable[[datetime], bool]:
    operator = condition.operator
    if operator == ">":
        return lambda moment: moment > wanted
    if operator == "<":
        return lambda moment: moment < wanted
    if operator == "=":
        return lambda moment: moment.replace(microsecond=0) == wanted
    if operator == "!=":
        return lambda moment: moment.replace(microsecond=0) != wanted
    raise condition.unsupported()


def _moment(condition: Condition, text: Any) -> datetime:
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        raise _malformed(condition, text) from None


def _malformed(condition: Condition, text: Any) -> Refusal:
    return unprocessable(
        f'Property "{condition.name}" expects a string with the format "yyyy-mm-dd H:i:s" as data,'
        f' "{text}" given.'
    )
