"""When something happened, from UPS's pairs of date and time.

The time is GMT where UPS tells it so, else local with its offset. `HHMMSS` loses its leading
zeros and gains colons, depending on the field and the day.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone

from connectors.ups.client import Activity

_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_END_OF_DAY = time(23, 59)


def happened_at(activity: Activity) -> datetime | None:
    """In UTC; None when there is no date that can be read."""
    gmt = _joined(activity.gmt_date, activity.gmt_time)
    if gmt is not None:
        return gmt.replace(tzinfo=UTC)
    local = _joined(activity.date, activity.time or "0")
    return _in_utc(local, offset_of(activity)) if local else None


def on_day(day: str | None, at: str | None, offset: timezone) -> datetime | None:
    """A local day in UTC, at its end when no time is told."""
    told = _day(day)
    if told is None:
        return None
    return _in_utc(datetime.combine(told, _clock(at) or _END_OF_DAY), offset)


def offset_of(activity: Activity) -> timezone:
    """The local offset, UTC when UPS tells none."""
    told = _OFFSET.fullmatch((activity.gmt_offset or "").strip())
    if told is None:
        return UTC
    away = timedelta(hours=int(told[2]), minutes=int(told[3]))
    if away >= timedelta(days=1):
        return UTC
    return timezone(away if told[1] == "+" else -away)


def _joined(day: str | None, at: str | None) -> datetime | None:
    told, clock = _day(day), _clock(at)
    return datetime.combine(told, clock) if told and clock else None


def _day(text: str | None) -> date | None:
    digits = (text or "").strip()
    if len(digits) != 8 or not digits.isascii() or not digits.isdigit():  # noqa: PLR2004 - YYYYMMDD
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _clock(text: str | None) -> time | None:
    digits = (text or "").strip().replace(":", "")
    if not digits or len(digits) > 6 or not digits.isascii() or not digits.isdigit():  # noqa: PLR2004
        return None
    padded = digits.zfill(6)
    try:
        return time(int(padded[:2]), int(padded[2:4]), int(padded[4:]))
    except ValueError:
        return None


def _in_utc(local: datetime, offset: timezone) -> datetime | None:
    try:
        return local.replace(tzinfo=offset).astimezone(UTC)
    except OverflowError:
        return None
