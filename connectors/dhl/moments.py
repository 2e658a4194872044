"""When something happened, from what DHL writes: with an offset, without one, or a day only."""

from datetime import UTC, datetime, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

# Countries that keep one time on all of their mainland; Express tells local times bare.
_ZONES = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "CH": "Europe/Zurich",
    "CN": "Asia/Shanghai",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "EE": "Europe/Tallinn",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HK": "Asia/Hong_Kong",
    "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IN": "Asia/Kolkata",
    "IT": "Europe/Rome",
    "JP": "Asia/Tokyo",
    "KR": "Asia/Seoul",
    "LT": "Europe/Vilnius",
    "LU": "Europe/Luxembourg",
    "LV": "Europe/Riga",
    "MA": "Africa/Casablanca",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SG": "Asia/Singapore",
    "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava",
    "TN": "Africa/Tunis",
    "TR": "Europe/Istanbul",
    "TW": "Asia/Taipei",
}


def moment(text: str | None, country: str | None, fallback: tzinfo) -> datetime | None:
    """The moment in UTC; None when there is none, or none that can be read.

    Without an offset it is taken for local time in `country`, else in `fallback`.
    """
    if not text:
        return None
    try:
        told = datetime.fromisoformat(text.strip())
        if told.tzinfo is None:
            told = told.replace(tzinfo=_zone(country) or fallback)
        return told.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


@cache
def _zone(country: str | None) -> tzinfo | None:
    name = _ZONES.get(country or "")
    return ZoneInfo(name) if name else None
