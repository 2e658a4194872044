"""What UPS's codes mean.

Status codes come first: an access point's parcel has the type D of a delivered one. What neither
code nor type tells is UNKNOWN.
"""

from connectors.ups.client import Status
from ports.tracking import ShipmentStatus

_CODES = {
    ShipmentStatus.PREPARING: "003 007 043 044 045 065",
    ShipmentStatus.HANDED_OVER: "038",
    ShipmentStatus.IN_TRANSIT: "005 006 010 014 018 019 020 025 027 028 032 039 041 042 052 057 063",
    ShipmentStatus.CUSTOMS: "012 058",
    ShipmentStatus.OUT_FOR_DELIVERY: "021",
    ShipmentStatus.AVAILABLE_FOR_PICKUP: "016 017 040",
    ShipmentStatus.DELIVERED: "011 026",
    ShipmentStatus.EXCEPTION: (
        "013 022 023 024 029 030 046 047 048 049 050 051 059 060 061 062 064 066 068 069"
    ),
    ShipmentStatus.RETURNED: "033 034 035 036 037 067",
}
_BY_CODE = {code: status for status, codes in _CODES.items() for code in codes.split()}

# Kinds of scan that say more than the type they come with.
_BY_SCAN = {
    "OT": ShipmentStatus.OUT_FOR_DELIVERY,
    "OF": ShipmentStatus.OUT_FOR_DELIVERY,
    "2Q": ShipmentStatus.AVAILABLE_FOR_PICKUP,
    "ZP": ShipmentStatus.AVAILABLE_FOR_PICKUP,
}
_BY_TYPE = {
    "M": ShipmentStatus.PREPARING,
    "MV": ShipmentStatus.PREPARING,
    "P": ShipmentStatus.HANDED_OVER,
    "I": ShipmentStatus.IN_TRANSIT,
    "W": ShipmentStatus.IN_TRANSIT,
    "DO": ShipmentStatus.IN_TRANSIT,
    "DD": ShipmentStatus.IN_TRANSIT,
    "O": ShipmentStatus.OUT_FOR_DELIVERY,
    "D": ShipmentStatus.DELIVERED,
    "X": ShipmentStatus.EXCEPTION,
    "RS": ShipmentStatus.RETURNED,
}


def status_of(status: Status | None) -> ShipmentStatus:
    if status is None:
        return ShipmentStatus.UNKNOWN
    scan = _bare(status.code)
    return (
        _BY_CODE.get(_bare(status.status_code))
        or _BY_CODE.get(scan)
        or _BY_SCAN.get(scan)
        or _BY_TYPE.get(_bare(status.type))
        or ShipmentStatus.UNKNOWN
    )


def word_of(status: Status | None) -> str:
    """UPS's own word, in the language asked for where it has one."""
    if status is None:
        return "unknown"
    told = (
        status.description,
        status.simplified_text_description,
        status.status_code,
        status.code,
        status.type,
    )
    return next((word.strip() for word in told if word and word.strip()), "unknown")


def _bare(code: str | None) -> str:
    return (code or "").strip().upper()
