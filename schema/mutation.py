"""The roots that write. They answer SYSTEM_NOT_CONFIGURED until a role takes writes."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry

from ports.common import SystemName
from ports.errors import NotConfiguredError
from resolvers.context import Context
from schema.basket import BasketLineInput
from schema.common import ID, Address
from schema.fields import Argument, batched, described
from schema.order import Order
from schema.payment import Payment
from schema.returns import Return
from schema.scalars import URL, CountryCode


class ReceiptState(Enum):
    DELIVERED = "DELIVERED"
    QUEUED = "QUEUED"
    REFUSED = "REFUSED"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"


described(
    ReceiptState,
    "What became of a write.",
    {
        "DELIVERED": "The system has taken it.",
        "QUEUED": "The system is down; the write is kept and delivered later.",
        "REFUSED": "The system will not take it.",
        "UNKNOWN_OUTCOME": "It was sent and the answer was lost; it is being found out.",
    },
)


def _text(description: str) -> Any:
    return strawberry.field(description=description)


def _optional(description: str) -> Any:
    return strawberry.field(description=description, default=strawberry.UNSET)


@strawberry.type(description="Why a write was not done, for the person who asked for it.")
class UserError:
    code: str = _text("A stable code.")
    message: str = _text("A text for people.")
    field: list[str] | None = _text("The input field that it is about.")
    system: SystemName | None = _text("The system that refused.")


@strawberry.type(
    description=(
        "The durable trace of a write. QUEUED: the system is down, the write is kept and "
        "delivered later. UNKNOWN_OUTCOME: it was sent and the answer was lost; the gateway "
        "reconciles it and never repeats it blindly."
    )
)
class Receipt:
    id: ID = _text("Opaque; names the write in logs and support.")
    state: ReceiptState = _text("What became of it.")
    accepted_at: datetime = _text("When the gateway took it.")


@strawberry.input(description="An order to be placed.")
class SubmitOrderInput:
    lines: list[BasketLineInput] = _text("What is ordered.")
    purchase_order_number: str | None = _optional("The buyer's own number.")
    shipping_address: ID | None = _optional("One of the company's addresses.")
    billing_address: ID | None = _optional("One of the company's addresses.")
    requested_delivery_date: date | None = _optional("The day that the goods are wanted.")
    comment: str | None = _optional("A note for us.")


@strawberry.input(description="One article to send back.")
class ReturnLineInput:
    sku: str = _text("The article number.")
    quantity: Decimal = _text("How much.")
    reason: str = _text("Why.")


@strawberry.input(description="Goods to be sent back.")
class RequestReturnInput:
    order_number: str = _text("The order that they came with.")
    lines: list[ReturnLineInput] = _text("What is sent back.")
    comment: str | None = _optional("A note for us.")


@strawberry.input(description="An address to be kept.")
class AddressInput:
    id: ID | None = _optional("The address to change; a new one when left out.")
    label: str | None = _optional("What to call it.")
    name: str | None = _optional("The person or department.")
    company: str | None = _optional("The company's name on the label.")
    lines: list[str] = _text("Street and what belongs to it.")
    postal_code: str = _text("The postal code.")
    city: str = _text("The town.")
    region: str | None = _optional("State or province.")
    country: CountryCode = _text("The country.")
    phone: str | None = _optional("A telephone number for deliveries.")


@strawberry.type(description="What became of an order to be placed.")
class SubmitOrderPayload:
    receipt: Receipt | None = _text("The trace of the write.")
    order: Order | None = _text("The order, when the ERP has it.")
    user_errors: list[UserError] = _text("Why it was not placed.")


@strawberry.type(description="What became of an order to be called off.")
class CancelOrderPayload:
    receipt: Receipt | None = _text("The trace of the write.")
    order: Order | None = _text("The order, as it now is.")
    user_errors: list[UserError] = _text("Why it was not called off.")


@strawberry.type(description="What became of a request to send goods back.")
class RequestReturnPayload:
    receipt: Receipt | None = _text("The trace of the write.")
    return_: Return | None = strawberry.field(
        name="return", description="The return, when the OMS has it."
    )
    user_errors: list[UserError] = _text("Why it was not taken.")


@strawberry.type(description="What became of an address to be kept.")
class SaveAddressPayload:
    receipt: Receipt | None = _text("The trace of the write.")
    address: Address | None = _text("The address, as it now is.")
    user_errors: list[UserError] = _text("Why it was not kept.")


@strawberry.type(description="A payment that was started.")
class StartPaymentPayload:
    payment: Payment | None = _text("The payment.")
    redirect_url: URL | None = _text("Where the payer goes on.")
    user_errors: list[UserError] = _text("Why it was not started.")


def _no_writes(system: SystemName, role: str) -> Any:
    async def refuse(roots: Sequence[Any], *, ctx: Context, **arguments: object) -> list[Any]:
        _ = ctx, arguments
        return [NotConfiguredError(system.value, role) for _ in roots]

    return refuse


_KEY = Argument(str, "Repeating a write with the same key never does it twice.", required=True)
_orders = _no_writes(SystemName.ERP, "writing orders")


def _input(kind: Any, description: str) -> dict[str, Argument]:
    return {"input": Argument(kind, description, required=True), "idempotency_key": _KEY}


@strawberry.type(description="What can be written.")
class Mutation:
    submit_order: SubmitOrderPayload = batched(
        _orders,
        "Places an order in the ERP. Repeating it with the same idempotencyKey never places two.",
        arguments=_input(SubmitOrderInput, "The order."),
    )
    cancel_order: CancelOrderPayload = batched(
        _orders,
        "Calls an order off.",
        arguments={
            "number": Argument(str, "The ERP's order number.", required=True),
            "reason": Argument(str | None, "Why."),
            "idempotency_key": _KEY,
        },
    )
    request_return: RequestReturnPayload = batched(
        _no_writes(SystemName.OMS, "writing returns"),
        "Asks to send goods back.",
        arguments=_input(RequestReturnInput, "The goods."),
    )
    save_address: SaveAddressPayload = batched(
        _no_writes(SystemName.ERP, "writing addresses"),
        "Keeps an address of the caller's company.",
        arguments=_input(AddressInput, "The address."),
    )
    start_payment: StartPaymentPayload = batched(
        _no_writes(SystemName.PAYMENT, "starting payments"),
        "Starts the payment of an order.",
        arguments={
            "order_number": Argument(str, "The order to pay.", required=True),
            "return_url": Argument(URL, "Where the payer comes back to.", required=True),
            "idempotency_key": _KEY,
        },
    )
