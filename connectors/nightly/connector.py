"""Stock and prices as last night's export tells them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from connectors.nightly import mapping
from connectors.nightly.client import Export, Kept
from connectors.nightly.config import PRICE_FIELDS, STOCK_FIELDS, NightlyConfig
from connectors.nightly.mapping import Prices, Stocks
from connectors.nightly.rows import Layout, rows
from connectors.nightly.values import BadValueError
from ports.caller import Call
from ports.common import Answers, Freshness
from ports.errors import MalformedError, UnavailableError, UpstreamError
from ports.pricing import Price, PriceQuestion, Pricing
from ports.stock import Availability, Stock
from upstream.connector import Connector, Upstream

T = TypeVar("T")

_STOCK = "stock.availability"
_PRICES = "pricing.prices"


class Nightly:
    """Serves `ports.stock.Stock` and `ports.pricing.Pricing`."""

    offline = True

    def __init__(self, upstream: Upstream, config: NightlyConfig) -> None:
        self._upstream = upstream
        self._config = config
        stock = Layout(STOCK_FIELDS, ("sku",), config.stock_columns)
        prices = Layout(PRICE_FIELDS, ("sku", "price"), config.price_columns)
        self._stock = self._export(
            _STOCK,
            config.stock_file,
            lambda content: mapping.stock_table(rows(content, stock, config), config),
        )
        self._prices = self._export(
            _PRICES,
            config.price_file,
            lambda content: mapping.price_table(rows(content, prices, config), config),
        )

    def ports(self) -> Mapping[str, object]:
        return {"stock": self, "pricing": self}

    async def check(self, *, call: Call) -> None:
        if self._stock is not None:
            self._refuse_old((await self._stock.check(call)).written_at, _STOCK)
        if self._prices is not None:
            self._refuse_old((await self._prices.check(call)).written_at, _PRICES)

    async def aclose(self) -> None:
        exports = (self._stock, self._prices)
        await asyncio.gather(*(export.aclose() for export in exports if export is not None))

    async def availability(
        self, skus: Sequence[str], /, *, call: Call
    ) -> Answers[str, Availability]:
        kept = await self._kept(self._stock, _STOCK, call)
        found = {sku: self._stock_of(kept, sku) for sku in skus}
        return {sku: one for sku, one in found.items() if one is not None}

    async def prices(
        self, questions: Sequence[PriceQuestion], /, *, call: Call
    ) -> Answers[PriceQuestion, Price]:
        kept = await self._kept(self._prices, _PRICES, call)
        found = {question: self._price_of(kept, question) for question in questions}
        return {question: one for question, one in found.items() if one is not None}

    async def _kept(self, export: Export[T] | None, operation: str, call: Call) -> Kept[T]:
        if export is None:
            raise self._error(UnavailableError, operation, "no file of it is configured")
        kept = await export.get(call)
        self._refuse_old(kept.written_at, operation)
        return kept

    def _stock_of(self, kept: Kept[Stocks], sku: str) -> Availability | UpstreamError | None:
        told = kept.table.get(sku)
        if told is None:
            return None
        if isinstance(told, BadValueError):
            return self._error(MalformedError, _STOCK, str(told))
        freshness = self._freshness(kept.written_at, (row.as_of for row in told))
        if self._is_old(freshness.as_of):
            return self._too_old(_STOCK)
        return mapping.availability(told, freshness, self._config.low_stock)

    def _price_of(
        self, kept: Kept[Prices], question: PriceQuestion
    ) -> Price | UpstreamError | None:
        told = kept.table.get((question.sku, question.customer))
        if told is None and self._config.list_prices_for_customers:
            told = kept.table.get((question.sku, None))
        if told is None:
            return None
        if isinstance(told, BadValueError):
            return self._error(MalformedError, _PRICES, str(told))
        freshness = self._freshness(kept.written_at, (row.as_of for row in told))
        if self._is_old(freshness.as_of):
            return self._too_old(_PRICES)
        return mapping.price(question, told, freshness, self._config.money_digits)

    def _freshness(self, written_at: datetime, told: Iterable[datetime | None]) -> Freshness:
        """As old as the oldest row; none is younger than the file."""
        as_of = min(moment or written_at for moment in told)
        system, name = self._upstream.manifest.system, self._upstream.name
        return Freshness(system, name, min(as_of, written_at))

    def _refuse_old(self, written_at: datetime, operation: str) -> None:
        if self._is_old(written_at):
            raise self._too_old(operation)

    def _is_old(self, moment: datetime) -> bool:
        return moment < datetime.now(UTC) - timedelta(hours=self._config.oldest_hours)

    def _too_old(self, operation: str) -> UpstreamError:
        hours = self._config.oldest_hours
        return self._error(UnavailableError, operation, f"the export is more than {hours:g} h old")

    def _error(self, kind: type[UpstreamError], operation: str, detail: str) -> UpstreamError:
        system, name = self._upstream.manifest.system.value, self._upstream.name
        return kind(system=system, upstream=name, operation=operation, detail=detail)

    def _export(
        self, operation: str, pattern: str | None, parse: Callable[[bytes], T]
    ) -> Export[T] | None:
        if pattern is None:
            return None
        return Export(self._upstream, operation, self._config, pattern, parse)


if TYPE_CHECKING:
    _connector: type[Connector] = Nightly
    _stock: type[Stock] = Nightly
    _pricing: type[Pricing] = Nightly
