"""What the values of the records' enums mean. Imported first, so that no view names one bare."""

from ports.caller import CallerKind
from ports.catalog import ProductRelationKind, ProductSort
from ports.common import FreshnessState, SystemName
from ports.documents import DocumentKind
from ports.invoices import InvoiceKind, InvoiceStatus
from ports.orders import OrderStatus
from ports.payments import PaymentStatus
from ports.pricing import PriceOrigin
from ports.returns import ReturnStatus
from ports.stock import AvailabilityStatus
from ports.systems import SystemStatus
from ports.tracking import ShipmentStatus
from resolvers.basket import BasketProblem
from schema.fields import described

described(
    SystemName,
    "A kind of system behind the gateway.",
    {
        "PIM": "Product information.",
        "ERP": "Stock, prices, orders, deliveries, invoices.",
        "CRM": "Customers and their contacts.",
        "OMS": "Returns.",
        "CARRIER": "Parcels on their way.",
        "PAYMENT": "Payments.",
        "DMS": "Documents.",
        "DIRECTORY": "People who may log in.",
    },
)
described(
    AvailabilityStatus,
    "What can be promised of a product.",
    {
        "IN_STOCK": "There is enough on hand.",
        "LOW_STOCK": "There is some, near the warning level.",
        "BACKORDER": "Nothing on hand, more is coming in.",
        "MADE_TO_ORDER": "Made or bought when ordered; no stock is kept.",
        "OUT_OF_STOCK": "Nothing on hand, nothing coming in.",
        "DISCONTINUED": "No longer sold.",
        "UNKNOWN": "The ERP tells something that has no word here.",
    },
)
described(
    BasketProblem,
    "Why a line cannot be ordered as it is.",
    {
        "UNKNOWN_SKU": "The catalogue has no such article.",
        "NOT_SELLABLE": "It is switched off or no longer sold.",
        "BELOW_MINIMUM": "Less than the smallest quantity.",
        "NOT_A_MULTIPLE": "Not a multiple of the quantity step.",
        "INSUFFICIENT_STOCK": "There is not enough of it.",
        "NO_PRICE": "The ERP has no price for this company.",
        "PRICE_UNAVAILABLE": "The ERP could not be asked for the price; try again.",
        "STOCK_UNAVAILABLE": "The ERP could not tell the stock; try again.",
    },
)
described(
    FreshnessState,
    "How a value came here.",
    {
        "LIVE": "Read from the system for this answer.",
        "CACHED": "Reused within its lifetime.",
        "STALE": "Past its lifetime; the system could not be read in time.",
        "FALLBACK": "From the configured second source.",
    },
)
described(
    DocumentKind,
    "What a file is for.",
    {
        "DATASHEET": "Technical data of a product.",
        "MANUAL": "How to use or mount a product.",
        "CERTIFICATE": "A conformity or material certificate.",
        "INVOICE": "An invoice as issued.",
        "CREDIT_NOTE": "A credit note as issued.",
        "DELIVERY_NOTE": "What was sent in a delivery.",
        "PROOF_OF_DELIVERY": "The carrier's proof that a parcel arrived.",
        "OTHER": "Anything else.",
    },
)
described(
    InvoiceKind,
    "What an invoice document is.",
    {"INVOICE": "Money is owed to us.", "CREDIT_NOTE": "Money is given back."},
)
described(
    InvoiceStatus,
    "How far an invoice is.",
    {
        "DRAFT": "Not issued yet.",
        "OPEN": "Issued and not due yet.",
        "PARTIALLY_PAID": "Paid in part.",
        "PAID": "Paid in full.",
        "OVERDUE": "Past its due date and not paid.",
        "CANCELLED": "Called off or reversed.",
    },
)
described(
    PaymentStatus,
    "How far a payment is.",
    {
        "PENDING": "Started; nothing is certain.",
        "REQUIRES_ACTION": "The payer must do something.",
        "AUTHORIZED": "The money is set aside.",
        "CAPTURED": "The money is ours.",
        "PARTIALLY_REFUNDED": "Some of it was given back.",
        "REFUNDED": "All of it was given back.",
        "FAILED": "It did not work.",
        "CANCELLED": "It was called off.",
    },
)
described(
    PriceOrigin,
    "What gave a price.",
    {
        "LIST": "The public list.",
        "CUSTOMER_GROUP": "A price list that several companies share.",
        "CUSTOMER_AGREEMENT": "An agreement with this company alone.",
        "PROMOTION": "A rule that holds for a limited time.",
    },
)
described(
    ProductRelationKind,
    "How another product belongs to this one.",
    {
        "CROSS_SELL": "Bought together.",
        "UPSELL": "A better one.",
        "SUBSTITUTE": "Can stand in for it.",
        "ACCESSORY": "Goes with it.",
        "SPARE_PART": "A part of it.",
        "PACK": "The same in another quantity.",
    },
)
described(
    ProductSort,
    "The order of a listing.",
    {
        "RELEVANCE": "As the PIM gives them.",
        "NAME": "By name, in the language of the request.",
        "SKU": "By article number.",
        "UPDATED_AT_DESC": "Latest changed first.",
    },
)
described(
    ReturnStatus,
    "How far a return is.",
    {
        "REQUESTED": "Asked for.",
        "APPROVED": "Goods may be sent back.",
        "REJECTED": "Not accepted.",
        "IN_TRANSIT": "Goods are on their way back.",
        "RECEIVED": "Goods are back.",
        "REFUNDED": "Money was given back.",
        "CLOSED": "Done.",
    },
)
described(
    OrderStatus,
    "How far an order is. `sourceStatus` holds the ERP's own word.",
    {
        "DRAFT": "Being written; nobody is bound.",
        "SUBMITTED": "Sent or offered, not yet confirmed.",
        "CONFIRMED": "Accepted; nothing is picked yet.",
        "PROCESSING": "Goods are being picked.",
        "PARTIALLY_SHIPPED": "Some goods have left.",
        "SHIPPED": "All goods have left.",
        "DELIVERED": "All parcels have arrived.",
        "CANCELLED": "Called off.",
        "ON_HOLD": "Waits for a decision.",
        "UNKNOWN": "The ERP tells something that has no word here.",
    },
)
described(
    ShipmentStatus,
    "Where a parcel is. `sourceStatus` holds the carrier's own word.",
    {
        "PREPARING": "Announced; the carrier does not have it yet.",
        "HANDED_OVER": "The carrier has it.",
        "IN_TRANSIT": "On its way.",
        "CUSTOMS": "With customs.",
        "OUT_FOR_DELIVERY": "In the van, to arrive today.",
        "AVAILABLE_FOR_PICKUP": "To be fetched.",
        "DELIVERED": "Arrived.",
        "EXCEPTION": "Something went wrong.",
        "RETURNED": "On its way back or back.",
        "UNKNOWN": "The carrier tells something that has no word here.",
    },
)
described(
    SystemStatus,
    "How an upstream does.",
    {
        "UP": "It answers.",
        "DEGRADED": "Some calls fail.",
        "DOWN": "No call succeeds.",
        "UNKNOWN": "It was not called lately.",
    },
)
described(
    CallerKind,
    "What kind of caller.",
    {
        "ANONYMOUS": "Nobody in particular.",
        "USER": "A person of a customer.",
        "STAFF": "One of us.",
        "APPLICATION": "A program, by API key or client credentials.",
    },
)
