"""Operators of one condition: values brought to the field's form, comparisons, SQL patterns."""

import operator as compare
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.odoo.faults import value_error
from sandbox.odoo.schema import TEXTUAL, Field

NEGATIVE = {
    "!=": "=",
    "not in": "in",
    "not like": "like",
    "not ilike": "ilike",
    "not =like": "=like",
    "not =ilike": "=ilike",
}
"Operators that also pass rows where the field is empty, and what they negate."

_PATTERNS = frozenset(
    f"{prefix}{operator}"
    for prefix in ("", "not ")
    for operator in ("like", "ilike", "=like", "=ilike")
)
_WILDCARDS = "\\%_"
_INEQUALITIES: dict[str, Callable[[Any, Any], bool]] = {
    "<": compare.lt,
    "<=": compare.le,
    ">": compare.gt,
    ">=": compare.ge,
}
OPERATORS = (
    _PATTERNS
    | _INEQUALITIES.keys()
    | {"=", "!=", "=?", "in", "not in", "any", "not any", "child_of", "parent_of"}
)


def is_by_name(operator: str, value: Any) -> bool:
    """Whether a condition on a relation compares display names rather than ids."""
    if operator in _PATTERNS:
        return True
    values = value if isinstance(value, list) else [value]
    return operator in {"=", "!=", "in", "not in"} and any(isinstance(v, str) for v in values)


def wanted_values(field: Field, value: Any) -> frozenset[Any]:
    """The values of `=` or `in`, in the form that rows keep; False and '' mean "not set"."""
    values = value if isinstance(value, list) else [value]
    return frozenset(_normal(field, each) for each in values)


def _normal(field: Field, value: Any) -> Any:
    if value is None or value is False:
        return field.null if field.null != () else False
    if field.type == "boolean":
        return bool(value)
    if field.type in TEXTUAL or field.type == "selection":
        return value or False
    if field.type == "datetime":
        return moment(value)[0]
    if field.type == "date":
        return moment(value)[0][:10]
    return value


def moment(value: Any) -> tuple[str, bool]:
    """A date or datetime of a condition as rows keep it, and whether it is a whole day."""
    if not isinstance(value, str):
        raise value_error(f"Failed to cast {value!r} into a datetime")
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise value_error(str(error)) from error
    if parsed.tzinfo is not None:
        parsed = parsed.astimezone(UTC)
    return _text(parsed), len(value) == len("YYYY-MM-DD")


def _text(value: datetime) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S")


def comparison(field: Field, operator: str, value: Any) -> Callable[[Any], bool]:
    """The test of a field's value by any operator but membership and relations."""
    if operator == "=":
        wanted = wanted_values(field, value)
        return lambda found: found in wanted
    if operator in _PATTERNS:
        return _pattern(operator, value)
    if field.type in {"date", "datetime"}:
        return _inequality_of_time(field, operator, value)
    test = _INEQUALITIES[operator]
    if field.type in {"integer", "float", "monetary", "many2one"}:
        number = value or 0
        return lambda found: test(found or 0, number)
    return lambda found: found is not False and test(found, value)


def _inequality_of_time(field: Field, operator: str, value: Any) -> Callable[[Any], bool]:
    if not value:
        return lambda _found: False
    bound, whole_day = moment(value)
    if field.type == "date":
        bound = bound[:10]
    elif whole_day and operator in {">", "<="}:
        # A day without a time means the whole day: "after it", "up to its end".
        bound = _text(datetime.fromisoformat(bound) + timedelta(days=1))
        operator = ">=" if operator == ">" else "<"
    test = _INEQUALITIES[operator]
    return lambda found: found is not False and test(found, bound)


def _pattern(operator: str, value: Any) -> Callable[[Any], bool]:
    negative = operator.startswith("not ")
    positive = operator.removeprefix("not ")
    found = _sql_like(positive, value)
    return (lambda text: not found(text)) if negative else found


def _sql_like(operator: str, value: Any) -> Callable[[Any], bool]:
    if not value:
        # An empty text: contained in anything, equal to nothing that is set.
        return (lambda text: not text) if "=" in operator else (lambda _text: True)
    literal = str(value)
    if "=" not in operator and not any(mark in literal for mark in _WILDCARDS):
        return _contains(literal, folded="ilike" in operator)
    pattern = literal if "=" in operator else f"%{literal}%"
    flags = re.DOTALL | (re.IGNORECASE if "ilike" in operator else 0)
    match = re.compile(_as_regex(pattern), flags).fullmatch
    return lambda text: text is not False and match(str(text)) is not None


def _contains(literal: str, *, folded: bool) -> Callable[[Any], bool]:
    """The common case without wildcards; several times cheaper than a regular expression."""
    if not folded:
        return lambda text: text is not False and literal in str(text)
    lowered = literal.lower()
    return lambda text: text is not False and lowered in str(text).lower()


def _as_regex(pattern: str) -> str:
    parts, escaped = [], False
    for character in pattern:
        if escaped or character not in _WILDCARDS:
            parts.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            parts.append(".*" if character == "%" else ".")
    return "".join(parts)
