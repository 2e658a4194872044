"""Pages by key rather than by offset, and what a client's text may become in a domain.

A page continues behind the last record's (moment, id), so that nothing is lost or shown twice
while new documents arrive.
"""

import base64
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeAlias

import msgspec

from ports.errors import BadInputError

Condition: TypeAlias = str | list[Any]
"An operator (`&`, `|`, `!`) or `[field, operator, value]`."
Domain: TypeAlias = list[Condition]
Specification: TypeAlias = dict[str, dict[str, Any]]

_SECOND = timedelta(seconds=1)
_LONGEST_CURSOR = 200
_LAST_YEAR = 9000
_RecordId = Annotated[int, msgspec.Meta(gt=0, lt=2**31)]


class Key(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a list stands that is sorted by a moment (or a day: its midnight), then by id."""

    at: datetime
    id: _RecordId


def cursor(key: Key) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key_of(text: str) -> Key:
    """Raises BadInputError for a text that `cursor` did not give."""
    try:
        raw = base64.b64decode(
            text[:_LONGEST_CURSOR].encode("ascii") + b"=" * (-len(text) % 4),
            altchars=b"-_",
            validate=True,
        )
        key = msgspec.json.decode(raw, type=Key)
    except (msgspec.DecodeError, ValueError) as problem:
        raise BadInputError("`after` is not a cursor that this list gave.") from problem
    odd = key.at.tzinfo is not None or key.at.microsecond or key.at.year > _LAST_YEAR
    if odd or cursor(key) != text:
        raise BadInputError("`after` is not a cursor that this list gave.")
    return key


def behind_moment(field: str, key: Key) -> Domain:
    """What follows `key` in the order `field desc, id desc`.

    Odoo shows seconds of what its database keeps finer: the same second is a span of time here.
    """
    start, end = written(key.at), written(key.at + _SECOND)
    same: Domain = ["&", "&", [field, ">=", start], [field, "<", end], ["id", "<", key.id]]
    return ["|", [field, "<", start], *same]


def behind_day(field: str, key: Key) -> Domain:
    """What follows `key` in the order `field desc, id desc`, `field` being a date."""
    day = key.at.date().isoformat()
    return ["|", [field, "<", day], "&", [field, "=", day], ["id", "<", key.id]]


def written(moment: datetime) -> str:
    """The moment as Odoo writes one (naive UTC), a part of a second counting as a whole one."""
    try:
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        if moment.microsecond:
            moment = moment.replace(microsecond=0) + _SECOND
    except OverflowError as problem:
        raise BadInputError("A moment is beyond what a calendar holds.") from problem
    return moment.isoformat(" ")


def storable(text: str) -> bool:
    """Whether a database can hold this text at all; where not, no record has it."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def searchable(keys: Iterable[str]) -> list[str]:
    """The keys, once each, that a record can have."""
    return [key for key in dict.fromkeys(keys) if key and storable(key)]


def literally(text: str) -> str:
    """The text as a pattern that matches itself: Odoo leaves `%` and `_` their SQL meaning."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def any_of(alternatives: Sequence[Domain]) -> Domain:
    """At least one of these domains, of which there is at least one."""
    joined = [item for domain in alternatives for item in conjoined(domain)]
    return ["|"] * (len(alternatives) - 1) + joined


def conjoined(domain: Domain) -> Domain:
    """One operand made of a domain whose top-level conditions are joined by an implied `&`."""
    operands, needed = 0, 1
    for item in domain:
        if isinstance(item, str):
            needed += item != "!"
            continue
        needed -= 1
        if not needed:
            operands, needed = operands + 1, 1
    return ["&"] * (operands - 1) + domain


def known(specification: Specification, fields: frozenset[str]) -> Specification:
    """The specification without fields that this database lacks (modules not installed)."""
    return {name: wish for name, wish in specification.items() if name in fields}
