"""Stock from the ERP."""

from datetime import date
from decimal import Decimal

from ports import stock
from ports.stock import AvailabilityStatus
from schema.common import Freshness
from schema.fields import plain, view
from schema.scalars import CountryCode


@view(stock.Warehouse, "A place that goods are sent from.")
class Warehouse:
    code: str = plain("The ERP's short code.")
    name: str = plain("The warehouse's name.")
    country: CountryCode | None = plain("Where it stands.")


@view(stock.IncomingStock, "Goods on their way into a warehouse.")
class IncomingStock:
    quantity: Decimal = plain("How much is coming.")
    expected_on: date = plain("The day it is expected.")


@view(stock.StockLevel, "What one warehouse holds of one product.")
class StockLevel:
    warehouse: Warehouse = plain("The warehouse.")
    on_hand: Decimal = plain("What lies there.")
    reserved: Decimal = plain("What of it is promised to others.")
    available: Decimal = plain("What can be promised: on hand less reserved.")
    incoming: list[IncomingStock] = plain("What is expected, soonest first.")


@view(stock.Availability, "Whether and where a product can be had.")
class Availability:
    status: AvailabilityStatus = plain("What can be promised.")
    available: Decimal = plain("Over all warehouses, in `unit`.")
    unit: str | None = plain("The ERP's stock unit.")
    locations: list[StockLevel] = plain("Each warehouse's share.")
    lead_time_days: int | None = plain("Days to have it, when it is not on hand.")
    freshness: Freshness = plain("When the ERP was read.")
