"""Files of the information system, as the graph shows them."""

from enum import Enum

import msgspec


class DocumentKind(Enum):
    DATASHEET = "DATASHEET"
    MANUAL = "MANUAL"
    CERTIFICATE = "CERTIFICATE"
    INVOICE = "INVOICE"
    CREDIT_NOTE = "CREDIT_NOTE"
    DELIVERY_NOTE = "DELIVERY_NOTE"
    PROOF_OF_DELIVERY = "PROOF_OF_DELIVERY"
    OTHER = "OTHER"


class Document(msgspec.Struct, frozen=True, gc=False):
    """`url` is signed, short-lived and served by the gateway; `size` is in bytes."""

    key: str
    title: str
    kind: DocumentKind
    url: str
    mime_type: str | None = None
    size: int | None = None
