"""A guarded ERP that counts what it is asked, with its cache and a clock moved by hand."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from ports.accounts import CreditStatus, CustomerAccount
from ports.caller import Call
from ports.common import Answers, Freshness, Money, Page, PageRequest, SystemName
from ports.errors import (
    UnavailableError,
    UpstreamError,
)
from ports.operation import batch, single
from ports.stock import Availability, AvailabilityStatus
from tests.upstream.loopback import call
from upstream.cache import Cache
from upstream.connector import Manifest, OperationLimits, Upstream
from upstream.exchanges import Exchanges
from upstream.guard import Guarded
from upstream.lifetimes import CachePolicy

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)


class Stock(Protocol):
    """Lifetimes of its own, so that the numbers below stand beside each other."""

    @batch(varies_on=(), max_age=10, stale_if_error=300)
    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> Answers[str, Availability]: ...

    @batch(varies_on=("language", "customer", "caller"), max_age=10, stale_if_error=300)
    async def private(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, str]: ...

    @batch(varies_on=(), max_age=10, stale_if_error=300)
    async def accounts(
        self, customers: Sequence[str], /, *, call: Call
    ) -> Answers[str, CustomerAccount]: ...

    @single(varies_on=(), max_age=10, stale_if_error=300)
    async def search(
        self, text: str | None, page: PageRequest, /, *, call: Call
    ) -> Page[Availability]: ...

    @single(varies_on=(), max_age=10, stale_if_error=300)
    async def count(self, text: str, /, *, call: Call) -> int | None: ...

    @batch(varies_on=(), max_age=0, stale_if_error=0)
    async def live(self, skus: Sequence[str], /, *, call: Call) -> Answers[str, int]: ...


class Erp:
    """Answers the number of the call that it was asked in, unless it is told to fail."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.wanted: list[frozenset[str] | None] = []
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def availability(self, skus: Sequence[str], /, *, call: Call) -> dict[str, Any]:
        self.wanted.append(call.wanted)
        number = await self._answer(*skus)
        known = [sku for sku in skus if not sku.startswith("unknown")]
        return {sku: failed() if sku == "broken" else available(number) for sku in known}

    async def private(self, skus: Sequence[str], /, *, call: Call) -> dict[str, str]:
        await self._answer(*skus)
        return dict.fromkeys(skus, f"{call.caller.subject} {call.caller.customer}")

    async def accounts(self, customers: Sequence[str], /, *, call: Call) -> dict[str, Any]:
        credit = CreditStatus(Money(Decimal(await self._answer(*customers)), "EUR"), freshness())
        return dict.fromkeys(customers, CustomerAccount("EUR", blocked=False, credit=credit))

    async def search(
        self, text: str | None, page: PageRequest, /, *, call: Call
    ) -> Page[Availability]:
        self.wanted.append(call.wanted)
        return Page((available(await self._answer(text, page)),), ("1",), has_next=False)

    async def count(self, text: str, /, *, call: Call) -> int | None:
        return await self._answer(text) if text else None

    async def live(self, skus: Sequence[str], /, *, call: Call) -> dict[str, int]:
        self.wanted.append(call.wanted)
        return dict.fromkeys(skus, await self._answer(*skus))

    async def _answer(self, *asked: Any) -> int:
        self.asked.append(asked)
        number = len(self.asked)
        await self.open.wait()
        if self.error:
            raise self.error
        return number


class Time:
    """The cache's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Shop:
    """A guarded ERP with its cache and clock."""

    def __init__(self, policy: CachePolicy | None = None, max_keys: int | None = None) -> None:
        self.erp = Erp()
        self.time = Time()
        self.cache = Cache(policy, clock=self.time, chance=lambda: 0.0)
        limits = {"stock.availability": OperationLimits(max_keys)} if max_keys else {}
        manifest = Manifest("x", "X", SystemName.ERP, ("stock",), "a:B", "a:C", operations=limits)
        self.upstream = Upstream("erp-fr", manifest, Exchanges())
        self.port: Any = Guarded("stock", Stock, self.erp, self.upstream, self.cache)

    async def ask(self, *skus: str, **terms: Any) -> dict[str, Any]:
        told = await self.port.availability(skus, call=asking(**terms))
        return {sku: seen(value) for sku, value in told.items()}


def asking(seconds: float = 10.0, **terms: Any) -> Call:
    return msgspec.structs.replace(call(seconds), **terms)


def freshness() -> Freshness:
    return Freshness(SystemName.ERP, "erp-fr", AS_OF)


def available(number: int) -> Availability:
    return Availability(AvailabilityStatus.IN_STOCK, Decimal(number), freshness())


def seen(value: Availability | UpstreamError) -> Any:
    if isinstance(value, UpstreamError):
        return value.code
    assert value.freshness.as_of == AS_OF
    return int(value.available), value.freshness.state.value


def failed(kind: type[UpstreamError] = UnavailableError) -> UpstreamError:
    return kind(system="ERP", upstream="erp-fr", operation="stock.availability")
