"""What the ERP holds on a company: terms, credit, addresses."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Address, Answers, Freshness, Money
from ports.operation import batch


class CreditStatus(msgspec.Struct, frozen=True, gc=False):
    """`limit` None: no limit is kept. `available` = limit - outstanding, never below zero."""

    outstanding: Money
    freshness: Freshness
    limit: Money | None = None
    available: Money | None = None
    overdue: Money | None = None


class CustomerAccount(msgspec.Struct, frozen=True, gc=False):
    currency: str
    blocked: bool
    price_list: str | None = None
    payment_terms: str | None = None
    delivery_terms: str | None = None
    credit: CreditStatus | None = None


class Accounts(Protocol):
    """Keys are customer numbers; one that the ERP does not know is absent."""

    @batch(varies_on=(), max_age=60, stale_if_error=3_600)
    async def accounts(
        self, customers: Sequence[str], /, *, call: Call
    ) -> Answers[str, CustomerAccount]: ...

    @batch(varies_on=(), max_age=60, stale_if_error=3_600)
    async def addresses(
        self, customers: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Address, ...]]: ...
