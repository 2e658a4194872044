"""From rows of an export to what is kept of them, and from that to records of the ports."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from connectors.nightly.config import NightlyConfig
from connectors.nightly.rows import Row, UnreadableError
from connectors.nightly.values import BadValueError, currency, day, moment, number, text
from ports.common import Freshness, Money, TaxedMoney
from ports.pricing import Price, PriceOrigin, PriceQuestion, PriceTier
from ports.stock import Availability, AvailabilityStatus, IncomingStock, StockLevel, Warehouse

K = TypeVar("K")
R = TypeVar("R")
_NONE = Decimal(0)
_ONE = Decimal(1)


class StockRow(NamedTuple):
    level: StockLevel
    unit: str | None
    lead_time_days: int | None
    as_of: datetime | None


class PriceRow(NamedTuple):
    origin: PriceOrigin
    tier: PriceTier
    as_of: datetime | None


Table: TypeAlias = Mapping[K, tuple[R, ...] | BadValueError]
"By key its rows, or what is wrong with one of them."
Stocks: TypeAlias = Table[str, StockRow]
Prices: TypeAlias = Table[tuple[str, str | None], PriceRow]
"By SKU and customer; list prices by SKU and None."


def stock_table(numbered: Iterable[tuple[int, Row]], config: NightlyConfig) -> Stocks:
    """Raises UnreadableError when there are fewer good rows than there must be."""
    zone = ZoneInfo(config.time_zone)
    warehouses: dict[tuple[str | None, ...], Warehouse] = {}

    def warehouse(row: Row) -> Warehouse:
        told = (text(row, "warehouse"), text(row, "warehouse_name"), text(row, "country"))
        if told not in warehouses:
            code = told[0] or config.warehouse
            warehouses[told] = Warehouse(code, told[1] or code, _country(told[2]))
        return warehouses[told]

    def read(row: Row) -> tuple[str, StockRow]:
        lead = number(row, "lead_time_days", config.decimal_sign)
        level = _level(row, warehouse(row), config.decimal_sign)
        return level.warehouse.code, StockRow(
            level,
            text(row, "unit"),
            None if lead is None else int(lead),
            moment(row, "as_of", zone),
        )

    return _table(numbered, _sku, read, config.minimum_rows)


def price_table(numbered: Iterable[tuple[int, Row]], config: NightlyConfig) -> Prices:
    """Raises UnreadableError when there are fewer good rows than there must be."""
    zone, sign = ZoneInfo(config.time_zone), config.decimal_sign

    def key(row: Row) -> tuple[str, str | None]:
        return _sku(row), text(row, "customer")

    def read(row: Row) -> tuple[Decimal, PriceRow]:
        amount = number(row, "price", sign)
        if amount is None or amount < 0:
            raise BadValueError("price is missing or negative")
        unit = Money(amount, currency(row) or config.currency)
        least = number(row, "minimum_quantity", sign)
        tier = PriceTier(_ONE if least is None else least, unit)
        origin = PriceOrigin.CUSTOMER_AGREEMENT if "customer" in row else PriceOrigin.LIST
        return tier.minimum_quantity, PriceRow(origin, tier, moment(row, "as_of", zone))

    return _table(numbered, key, read, config.minimum_rows)


def availability(rows: Sequence[StockRow], freshness: Freshness, low: Decimal) -> Availability:
    levels = tuple(row.level for row in rows)
    available = sum((level.available for level in levels), _NONE)
    return Availability(
        status=_status(available, low, coming=any(level.incoming for level in levels)),
        available=available,
        freshness=freshness,
        unit=next((row.unit for row in rows if row.unit), None),
        locations=levels,
        lead_time_days=next(
            (row.lead_time_days for row in rows if row.lead_time_days is not None), None
        ),
    )


def price(
    question: PriceQuestion, rows: Sequence[PriceRow], freshness: Freshness, digits: int
) -> Price | None:
    """The price of the question's quantity by these rows, which are tiers of one price."""
    tiers = sorted((row.tier for row in rows), key=lambda tier: tier.minimum_quantity)
    unit = _at(tiers, question.quantity)
    if unit is None:
        return None
    total = (unit.amount * question.quantity).quantize(_ONE.scaleb(-digits), ROUND_HALF_UP)
    return Price(
        unit=TaxedMoney(unit),
        total=TaxedMoney(Money(total, unit.currency)),
        quantity=question.quantity,
        origin=rows[0].origin,
        freshness=freshness,
        tiers=tuple(tiers) if len(tiers) > 1 else (),
    )


def _at(tiers: Sequence[PriceTier], quantity: Decimal) -> Money | None:
    """The price from one on holds for parts of one too."""
    at = max(quantity, _ONE)
    return next((one.unit for one in reversed(tiers) if one.minimum_quantity <= at), None)


def _level(row: Row, warehouse: Warehouse, sign: str) -> StockLevel:
    on_hand, available = number(row, "on_hand", sign), number(row, "available", sign)
    reserved = number(row, "reserved", sign) or _NONE
    if on_hand is None and available is None:
        raise BadValueError("on_hand and available are missing")
    if on_hand is None:
        on_hand = (available or _NONE) + reserved
    if available is None:
        available = on_hand - reserved
    coming, expected = number(row, "incoming", sign), day(row, "incoming_on")
    return StockLevel(
        warehouse, on_hand, reserved, max(available, _NONE), _incoming(coming, expected)
    )


def _incoming(quantity: Decimal | None, expected: date | None) -> tuple[IncomingStock, ...]:
    if quantity is None or quantity <= 0 or expected is None:
        return ()
    return (IncomingStock(quantity, expected),)


def _status(available: Decimal, low: Decimal, *, coming: bool) -> AvailabilityStatus:
    if available > low:
        return AvailabilityStatus.IN_STOCK
    if available > 0:
        return AvailabilityStatus.LOW_STOCK
    return AvailabilityStatus.BACKORDER if coming else AvailabilityStatus.OUT_OF_STOCK


def _country(told: str | None) -> str | None:
    code = (told or "").upper()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None  # noqa: PLR2004


def _table(
    numbered: Iterable[tuple[int, Row]],
    key: Callable[[Row], K],
    read: Callable[[Row], tuple[object, R]],
    least: int,
) -> Table[K, R]:
    """`read` gives with what is read of a row its place among those of the same key.

    A row that cannot be read costs its key, and so do two of one place, which contradict each
    other.
    """
    table: dict[K, dict[object, R] | BadValueError] = {}
    problem, good = "it has none", 0
    for line, row in numbered:
        of: K | None = None
        try:
            of = key(row)
            place, one = read(row)
            known = table.setdefault(of, {})
            if isinstance(known, BadValueError):
                continue
            if known.setdefault(place, one) is not one:
                problem = f"line {line}: the same is told twice"
                table[of] = BadValueError(problem)
            good += 1
        except BadValueError as error:
            problem = f"line {line}: {error}"
            if of is not None:
                table[of] = BadValueError(problem)
    if good < least:
        raise UnreadableError(f"has {good} good rows, fewer than {least}; {problem}")
    return {
        of: told if isinstance(told, BadValueError) else tuple(told.values())
        for of, told in table.items()
    }


def _sku(row: Row) -> str:
    sku = text(row, "sku")
    if sku is None:
        raise BadValueError("sku is missing")
    return sku
