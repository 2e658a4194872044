"""Deliveries from the ERP, with the carrier's tracking."""

from datetime import datetime
from decimal import Decimal

from ports import shipments, tracking
from ports.tracking import ShipmentStatus
from resolvers import shipment as resolve
from resolvers.tracking import proof_of_delivery, tracked
from schema.common import ID, Document, ExternalReference, Freshness, global_id
from schema.directives import CARRIER, ERP, PIM, reusable
from schema.fields import Node, batched, plain, view
from schema.order import Order
from schema.product import Product
from schema.scalars import URL, CountryCode


@view(tracking.TrackingEvent, "Something that happened to a parcel.")
class TrackingEvent:
    at: datetime = plain("When.")
    status: ShipmentStatus = plain("What it means.")
    description: str = plain("The carrier's text, in the language of the request where it can.")
    location: str | None = plain("Where.")
    country: CountryCode | None = plain("In which country.")


@view(tracking.Tracking, "Where a parcel is, as its carrier tells.")
class Tracking:
    status: ShipmentStatus = plain("Where it is.")
    source_status: str = plain("The word that the carrier itself uses.")
    tracking_url: URL | None = plain("The carrier's page for people.")
    estimated_delivery: datetime | None = plain("When the carrier expects to deliver.")
    delivered_at: datetime | None = plain("When it arrived.")
    signed_by: str | None = plain("Who took it.")
    parcels: int | None = plain("How many pieces travel under this number.")
    events: list[TrackingEvent] = plain("Newest first.")
    proof_of_delivery: Document | None = batched(
        proof_of_delivery, "The carrier's proof, where it gives one."
    )
    freshness: Freshness = plain("When the carrier was asked.")


@view(shipments.Carrier, "Who carries a shipment.")
class Carrier:
    code: str = plain("Short and lower case: `dhl`.")
    name: str = plain("The carrier's name.")


@view(shipments.ShipmentLine, "What a shipment holds of one article.")
class ShipmentLine:
    sku: str = plain("The article number.")
    quantity: Decimal = plain("How much.")
    product: Product | None = batched(
        resolve.line_product,
        "The product, as the PIM has it today.",
        role="catalog",
        directives=[PIM],
    )


@view(
    shipments.Shipment,
    "A delivery that left or will leave a warehouse.",
    keys=["id", "trackingNumber"],
    directives=[ERP, reusable(60, 3_600, private=True)],
)
class Shipment(Node):
    id: ID = global_id("Shipment", "key")
    number: str | None = plain("The ERP's delivery number.")
    tracking_number: str | None = plain("The carrier's number; null until it is handed over.")
    carrier: Carrier | None = plain("Who carries it; null for our own van.")
    service: str | None = plain("The carrier's service.")
    shipped_at: datetime | None = plain("When it left.")
    references: list[ExternalReference] = plain("Its keys in the systems.")
    lines: list[ShipmentLine] = plain("What it holds.")
    order: Order | None = batched(
        resolve.order, "The order that it is for.", role="orders", reads=("order",)
    )
    tracking: Tracking | None = batched(
        tracked,
        "Live from the carrier.",
        role="tracking",
        reads=("tracking_number", "carrier", "postal_code"),
        directives=[CARRIER, reusable(120, 86_400, private=True)],
    )
