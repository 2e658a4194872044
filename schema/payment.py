"""Payments, from the payment provider."""

from datetime import datetime

from ports import payments
from ports.payments import PaymentStatus
from schema.common import ID, Money, global_id
from schema.directives import PAYMENT
from schema.fields import plain, view


@view(payments.Payment, "A payment for an order.", directives=[PAYMENT])
class Payment:
    id: ID = global_id("Payment", "key")
    provider: str = plain("The configured payment provider.")
    status: PaymentStatus = plain("How far it is.")
    amount: Money = plain("What is paid.")
    refunded: Money = plain("What of it was given back.")
    method: str | None = plain("How it is paid, in the provider's words.")
    created_at: datetime = plain("When it was started.")
