"""Payments, asked from the payment provider. No connector serves this role yet."""

from datetime import datetime
from enum import Enum

import msgspec

from ports.common import Money


class PaymentStatus(Enum):
    PENDING = "PENDING"
    REQUIRES_ACTION = "REQUIRES_ACTION"
    AUTHORIZED = "AUTHORIZED"
    CAPTURED = "CAPTURED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class Payment(msgspec.Struct, frozen=True, gc=False):
    key: str
    provider: str
    status: PaymentStatus
    amount: Money
    refunded: Money
    created_at: datetime
    method: str | None = None
