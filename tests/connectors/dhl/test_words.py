"""Codes decide, words refine: in every language a division may speak."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.dhl.client import Event
from connectors.dhl.config import DhlConfig
from connectors.dhl.words import status_of
from ports.tracking import ShipmentStatus as S

CODES = ("pre-transit", "transit", "delivered", "failure", "unknown")
ALLOWED = {
    "pre-transit": {S.PREPARING},
    "transit": set(S) - {S.DELIVERED, S.UNKNOWN, S.PREPARING, S.EXCEPTION},
    "delivered": {S.DELIVERED, S.RETURNED},
    "failure": {S.EXCEPTION, S.RETURNED, S.AVAILABLE_FOR_PICKUP},
    "unknown": {S.UNKNOWN},
}


@pytest.mark.parametrize(
    ("code", "words", "status"),
    [
        ("transit", "customs inspection", S.CUSTOMS),
        ("transit", "CUSTOMS_CLEARANCE", S.CUSTOMS),
        ("transit", "Die Sendung ist in der Verzollung", S.CUSTOMS),
        ("transit", "En cours de dédouanement", S.CUSTOMS),
        ("transit", "Released by customs", S.IN_TRANSIT),
        ("transit", "Clearance processing complete at LYON", S.IN_TRANSIT),
        ("transit", "out-for-delivery", S.OUT_FOR_DELIVERY),
        ("transit", "With delivery courier", S.OUT_FOR_DELIVERY),
        ("transit", "The shipment has been loaded onto the delivery vehicle", S.OUT_FOR_DELIVERY),
        ("transit", "Die Sendung wurde in das Zustellfahrzeug geladen", S.OUT_FOR_DELIVERY),
        ("transit", "Votre colis est en cours de livraison", S.OUT_FOR_DELIVERY),
        ("transit", "Ready for pick-up at the service point", S.AVAILABLE_FOR_PICKUP),
        ("transit", "Awaiting collection", S.AVAILABLE_FOR_PICKUP),
        ("transit", "Die Sendung liegt zur Abholung bereit", S.AVAILABLE_FOR_PICKUP),
        ("transit", "Disponible en point relais", S.AVAILABLE_FOR_PICKUP),
        ("transit", "Shipment picked up", S.HANDED_OVER),
        ("transit", "Prise en charge de l'envoi", S.HANDED_OVER),
        ("transit", "Shipment is returned to sender", S.RETURNED),
        ("transit", "Retourné à l\u2019expéditeur", S.RETURNED),
        ("transit", "Arrived at the sorting centre", S.IN_TRANSIT),
        ("delivered", "Delivered to neighbour", S.DELIVERED),
        ("delivered", "Returned to shipper", S.RETURNED),
        ("failure", "Delivery not possible", S.EXCEPTION),
        ("failure", "Rücksendung an den Absender", S.RETURNED),
        ("failure", "Recipient absent, ready for pickup", S.AVAILABLE_FOR_PICKUP),
        ("pre-transit", "Delivered", S.PREPARING),
        ("unknown", "Delivered", S.UNKNOWN),
        ("teleported", "Delivered", S.UNKNOWN),
        (None, "Delivered", S.UNKNOWN),
        (" TRANSIT ", None, S.IN_TRANSIT),
    ],
)
def test_words(code: str | None, words: str | None, status: S) -> None:
    assert status_of(Event(status_code=code, status=words)) is status
    assert status_of(Event(status_code=code, description=words)) is status


@given(st.sampled_from(CODES), st.none() | st.text(), st.none() | st.text())
def test_no_words_get_around_the_code(code: str, status: str | None, description: str) -> None:
    assert status_of(Event(None, None, code, status, description)) in ALLOWED[code]


def test_an_unknown_time_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="IANA"):
        DhlConfig.model_validate({**DhlConfig.example(), "time_zone": "Lyon"})
