"""What a `[upstreams.<name>]` table of kind `nightly` may hold."""

import codecs
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from upstream.config import BaseUrl, UpstreamConfig

StockField = Literal[
    "sku",
    "warehouse",
    "warehouse_name",
    "country",
    "on_hand",
    "reserved",
    "available",
    "unit",
    "incoming",
    "incoming_on",
    "lead_time_days",
    "as_of",
]
PriceField = Literal["sku", "customer", "minimum_quantity", "price", "currency", "as_of"]
STOCK_FIELDS: tuple[str, ...] = get_args(StockField)
PRICE_FIELDS: tuple[str, ...] = get_args(PriceField)


def _pattern(text: str) -> str:
    if text in {"", ".", ".."} or any(sign in text for sign in "/\\\0"):
        raise ValueError("must be the name of a file, * and ? in it, without a directory")
    return text


def _encoding(name: str) -> str:
    try:
        "".encode(codecs.lookup(name).name)
    except (LookupError, UnicodeError) as unknown:
        raise ValueError("must be a text encoding such as utf-8 or cp1252") from unknown
    return name


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError("must be a time zone of the IANA database, such as UTC") from unknown
    return name


FilePattern = Annotated[str, AfterValidator(_pattern)]


class NightlyConfig(UpstreamConfig):
    """Where the files lie and how they are written."""

    base_url: BaseUrl = Field(
        default="http://localhost", description="Not used: files are read from `directory`."
    )
    directory: Path = Field(description="Directory that the export drops its files in.")
    stock_file: FilePattern | None = Field(
        default=None, description="File of stock (`stock-*.csv`: the newest); else none is served."
    )
    price_file: FilePattern | None = Field(
        default=None, description="File of prices (`prices.csv`); else none are served."
    )
    format: Literal["csv", "jsonl"] = Field(
        default="csv", description="`csv` with a header line, or `jsonl`: an object a line."
    )
    encoding: Annotated[str, AfterValidator(_encoding)] = Field(
        default="utf-8-sig", description="Encoding of the files."
    )
    delimiter: str = Field(
        default=",", pattern=r'^[^"\r\n]$', description="What stands between columns of a CSV file."
    )
    decimal_sign: Literal[".", ","] = Field(
        default=".", description="Sign before the decimals of numbers that are text."
    )
    stock_columns: Mapping[StockField, str] = Field(
        default_factory=dict,
        description="Column of each value of stock, where it is not the value's own name.",
    )
    price_columns: Mapping[PriceField, str] = Field(
        default_factory=dict,
        description="Column of each value of prices, where it is not the value's own name.",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC", description="Time zone of moments in `as_of` that have no offset."
    )
    warehouse: str = Field(
        default="MAIN", min_length=1, description="Warehouse of rows that name none."
    )
    low_stock: Decimal = Field(
        default=Decimal(0), ge=0, description="Up to this quantity stock counts as low."
    )
    currency: str = Field(
        default="EUR", pattern="^[A-Z]{3}$", description="Currency of prices that name none."
    )
    money_digits: int = Field(default=2, ge=0, le=4, description="Decimals that totals have.")
    list_prices_for_customers: bool = Field(
        default=False,
        description="Customers without prices of their own are told the list price; else none.",
    )
    oldest_hours: float = Field(
        default=36, gt=0, le=8760, description="What was written before is served no more."
    )
    look_seconds: float = Field(
        default=5, ge=0, le=3600, description="How often at most a newer file is looked for."
    )
    settle_seconds: float = Field(
        default=5, ge=0, le=3600, description="A file changed so lately may be half-written."
    )
    minimum_rows: int = Field(
        default=1, ge=0, description="A file with fewer rows is taken for a failed export."
    )
    last_line_may_be_open: bool = Field(
        default=False, description="The last line needs no line end; else the file counts as cut."
    )
    file_limit_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1024, description="Larger files are refused."
    )

    @model_validator(mode="after")
    def _serves_something(self) -> "NightlyConfig":
        if self.stock_file is None and self.price_file is None:
            raise ValueError("needs stock_file or price_file")
        return self

    @classmethod
    def example(cls) -> dict[str, object]:
        """The least that serves both."""
        return {
            "kind": "nightly",
            "directory": "/srv/nightly",
            "stock_file": "stock.csv",
            "price_file": "prices.csv",
        }
