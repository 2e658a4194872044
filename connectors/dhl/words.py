"""What DHL's codes and words mean.

The code decides what a parcel can be; words only tell apart what one code lumps together, since
each division words its events as it likes and in several languages.
"""

import re
import unicodedata

from connectors.dhl.client import Event
from ports.tracking import ShipmentStatus

_BASE = {
    "pre-transit": ShipmentStatus.PREPARING,
    "transit": ShipmentStatus.IN_TRANSIT,
    "delivered": ShipmentStatus.DELIVERED,
    "failure": ShipmentStatus.EXCEPTION,
}

_RETURNED = re.compile(
    r"return(ed|ing|s)? to (the )?(original )?(sender|shipper)"
    r"|(ruck|rueck)(sendung|transport|gesandt)|zuruck ?gesandt|zurueck ?gesandt"
    r"|retour(nee?|ne)? (a|chez|vers) l ?expediteur|devuelto al remitente"
)
_CLEARED = re.compile(
    r"(clearance|customs).{0,40}(complete|completed|finished|released|cleared)"
    r"|(released|cleared).{0,20}customs|dedouanement (termine|effectue)"
    r"|verzollung (ist )?abgeschlossen"
)
_CUSTOMS = re.compile(r"\bcustoms\b|\bclearance\b|\bzoll|verzollung|douan|\baduan")
_OUT_FOR_DELIVERY = re.compile(
    r"out for delivery|with (the )?(delivery )?courier|on (the )?delivery vehicle"
    r"|(loaded|put) (on)?to (the )?delivery vehicle|zustellfahrzeug|in zustellung"
    r"|en cours de livraison|en cours de distribution|en reparto"
)
_PICKUP = re.compile(
    r"(ready|available|held|waiting) (for|at|to be) .{0,30}(pick ?up|picked up|collect)"
    r"|(ready|available|awaiting) (customer |recipient )?(pick ?up|collection)"
    r"|(ready|available) for (customer |recipient )?(pick ?up|collection)"
    r"|abhol(bereit|ung bereit)|zur abholung|disponible (en|au) (point|relais|retrait|agence)"
    r"|pret(e)? (a|au) (etre )?retir"
)
_HANDED_OVER = re.compile(
    r"\bpicked up\b|collected from (the )?(sender|shipper)|handed over to dhl|accepted by dhl"
    r"|abgeholt|eingeliefert|prise? en charge|recogido"
)

# Read from the top: the first that is found counts.
_REFINED: dict[ShipmentStatus, tuple[tuple[re.Pattern[str], ShipmentStatus], ...]] = {
    ShipmentStatus.IN_TRANSIT: (
        (_RETURNED, ShipmentStatus.RETURNED),
        (_CLEARED, ShipmentStatus.IN_TRANSIT),
        (_CUSTOMS, ShipmentStatus.CUSTOMS),
        (_OUT_FOR_DELIVERY, ShipmentStatus.OUT_FOR_DELIVERY),
        (_PICKUP, ShipmentStatus.AVAILABLE_FOR_PICKUP),
        (_HANDED_OVER, ShipmentStatus.HANDED_OVER),
    ),
    ShipmentStatus.DELIVERED: ((_RETURNED, ShipmentStatus.RETURNED),),
    ShipmentStatus.EXCEPTION: (
        (_RETURNED, ShipmentStatus.RETURNED),
        (_PICKUP, ShipmentStatus.AVAILABLE_FOR_PICKUP),
    ),
}


def status_of(event: Event) -> ShipmentStatus:
    """UNKNOWN for `unknown`, for a code that is not listed and for none at all."""
    code = (event.status_code or "").strip().lower()
    base = _BASE.get(code, ShipmentStatus.UNKNOWN)
    words = _plain(f"{event.status or ''} . {event.description or ''}")
    for pattern, refined in _REFINED.get(base, ()):
        if pattern.search(words):
            return refined
    return base


def _plain(text: str) -> str:
    """Lower case without accents; what joins words (`out_for-delivery`, `l'expéditeur`) is a space."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(one for one in decomposed if not unicodedata.combining(one))
    return re.sub(r"[\s_\-'\u2019]+", " ", bare)
