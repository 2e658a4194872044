"""What rows mean, however they are written."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.nightly.config import STOCK_FIELDS, NightlyConfig
from connectors.nightly.mapping import stock_table
from connectors.nightly.rows import Layout, UnreadableError, rows
from connectors.nightly.values import BadValueError, number
from ports.common import Money, TaxedMoney
from ports.errors import MalformedError, UnavailableError
from ports.pricing import Price, PriceOrigin, PriceQuestion
from ports.stock import Availability, AvailabilityStatus, IncomingStock, Warehouse
from tests.connectors.nightly.conftest import STOCK, Drop, Make
from upstream.reference import own_call

ONE = Decimal(1)


async def stock(make: Make, sku: str = "bolt", **keys: Any) -> Any:
    return (await make(**keys).availability([sku], call=own_call())).get(sku)


async def price(make: Make, question: PriceQuestion, **keys: Any) -> Any:
    nightly = make(stock_file=None, price_file="prices.csv", **keys)
    return (await nightly.prices([question], call=own_call())).get(question)


async def test_stock_by_warehouse(make: Make, drop: Drop) -> None:
    drop("stock.csv", STOCK)

    found = await stock(make)

    assert isinstance(found, Availability)
    assert (found.status, found.available, found.unit) == (
        AvailabilityStatus.IN_STOCK,
        Decimal("13.5"),
        "pcs",
    )
    paris, lyon = found.locations
    assert paris.warehouse == Warehouse("PAR", "Paris", "FR")
    assert (paris.on_hand, paris.reserved, paris.available) == (12, 2, 10)
    assert lyon.incoming == (IncomingStock(Decimal(40), date(2026, 12, 1)),)


@pytest.mark.parametrize(
    ("sku", "low_stock", "status"),
    [
        ("bolt", "13.5", AvailabilityStatus.LOW_STOCK),
        ("bolt", "13.4", AvailabilityStatus.IN_STOCK),
        ("nut", "0", AvailabilityStatus.OUT_OF_STOCK),
        ("late", "0", AvailabilityStatus.BACKORDER),
    ],
)
async def test_the_status_follows_what_is_left(
    make: Make, drop: Drop, sku: str, low_stock: str, status: AvailabilityStatus
) -> None:
    drop("stock.csv", STOCK)

    assert (await stock(make, sku, low_stock=low_stock)).status is status


async def test_a_file_in_the_manner_of_another_country(make: Make, drop: Drop) -> None:
    drop("stock.csv", "Artikel;Frei;Einheit\r\nbolt;3,25;Stück\r\n".encode("cp1252"))

    found = await stock(
        make,
        delimiter=";",
        encoding="cp1252",
        decimal_sign=",",
        stock_columns={"sku": "Artikel", "available": "Frei", "unit": "Einheit"},
        warehouse="HAM",
    )

    assert (found.available, found.unit) == (Decimal("3.25"), "Stück")
    assert found.locations[0].warehouse == Warehouse("HAM", "HAM")


async def test_objects_a_line(make: Make, drop: Drop) -> None:
    lines = (
        '{"sku": 4711, "on_hand": 7.10, "reserved": null, "lead_time_days": 3}',
        "",
        '{"sku": "nut", "available": "2.5", "more": {"than": ["needed"]}}',
    )
    drop("stock.jsonl", "\n".join([*lines, ""]))
    keys = {"format": "jsonl", "stock_file": "stock.jsonl"}

    bolt, nut = await stock(make, "4711", **keys), await stock(make, "nut", **keys)

    assert (str(bolt.available), bolt.lead_time_days) == ("7.10", 3)
    assert nut.available == Decimal("2.5")


@pytest.mark.parametrize("line", ["[1]", "{", "7", '"sku"', "[" * 100_000])
async def test_a_line_that_is_no_object_spoils_the_file(make: Make, drop: Drop, line: str) -> None:
    drop("stock.jsonl", f'{{"sku": "bolt", "on_hand": 1}}\n{line}\n')

    with pytest.raises(MalformedError) as told:
        await stock(make, format="jsonl", stock_file="stock.jsonl")
    assert told.value.detail == "stock.jsonl line 2 is no JSON object"


@pytest.mark.parametrize(
    "bad",
    [
        "bolt,many,,",
        "bolt,1e3,,",
        "bolt,,,",
        "bolt,1,,yesterday",
        "bolt,1,never,",
        "bolt,1,,\nbolt,2,,",
    ],
)
async def test_a_bad_row_costs_its_own_product(make: Make, drop: Drop, bad: str) -> None:
    drop("stock.csv", f"sku,on_hand,incoming_on,as_of\n{bad}\n\nnut,2,,\nbolt,3,,\n")

    assert isinstance(await stock(make), MalformedError)
    assert (await stock(make, "nut")).available == 2


async def test_a_row_may_tell_its_own_moment(make: Make, drop: Drop) -> None:
    drop(
        "stock.csv",
        "sku,warehouse,on_hand,as_of\n"
        f"bolt,A,1,{datetime.now(UTC).isoformat()}\nbolt,B,1,2026-01-01 03:00\n"
        "old,A,1,2001-01-01T00:00:00Z\n",
    )
    keys = {"oldest_hours": 8760, "time_zone": "Europe/Paris"}

    found, old = await stock(make, **keys), await stock(make, "old", **keys)

    assert found.freshness.as_of == datetime(2026, 1, 1, 2, tzinfo=UTC)
    assert isinstance(old, UnavailableError)


async def test_no_row_is_younger_than_its_file(make: Make, drop: Drop) -> None:
    file = drop("stock.csv", "sku,on_hand,as_of\nbolt,1,2999-01-01T00:00:00Z\n")

    found = await stock(make)

    assert found.freshness.as_of.timestamp() == pytest.approx(file.stat().st_mtime)


async def test_a_clock_that_runs_ahead_makes_no_stock_of_tomorrow(make: Make, drop: Drop) -> None:
    drop("stock.csv", STOCK, age=-3600)

    assert (await stock(make)).freshness.as_of <= datetime.now(UTC)


PRICES = """sku,customer,minimum_quantity,price,currency
bolt,,,10,
bolt,,100,8.005,
bolt,C1,,9.5,USD
nut,,10,1,
odd,,,-1,
strange,,,1,euro
"""


class TestPrices:
    @pytest.fixture(autouse=True)
    def file(self, drop: Drop) -> None:
        drop("prices.csv", PRICES)

    async def test_a_list_price(self, make: Make) -> None:
        found = await price(make, PriceQuestion("bolt", Decimal(100), None), currency="CHF")

        assert isinstance(found, Price)
        assert found.unit == TaxedMoney(Money(Decimal("8.005"), "CHF"))
        assert found.total == TaxedMoney(Money(Decimal("800.50"), "CHF"))
        assert found.origin is PriceOrigin.LIST
        assert [tier.minimum_quantity for tier in found.tiers] == [1, 100]

    async def test_a_customers_own_price(self, make: Make) -> None:
        found = await price(make, PriceQuestion("bolt", Decimal("0.5"), "C1"))

        assert found.unit.net == Money(Decimal("9.5"), "USD")
        assert (found.total.net.amount, found.tiers) == (Decimal("4.75"), ())
        assert found.origin is PriceOrigin.CUSTOMER_AGREEMENT

    async def test_the_list_price_is_told_to_customers_only_if_configured(self, make: Make) -> None:
        question = PriceQuestion("bolt", ONE, "C2")

        assert await price(make, question) is None
        found = await price(make, question, list_prices_for_customers=True)
        assert (found.unit.net.amount, found.origin) == (10, PriceOrigin.LIST)

    async def test_a_price_may_be_too_old_by_itself(self, make: Make, drop: Drop) -> None:
        drop("prices.csv", "sku,price,as_of\nbolt,1,2001-01-01\nnut,1,\n")

        old = await price(make, PriceQuestion("bolt", ONE, None))
        assert isinstance(old, UnavailableError)
        assert isinstance(await price(make, PriceQuestion("nut", ONE, None)), Price)

    async def test_below_the_first_tier_there_is_no_price(self, make: Make) -> None:
        assert await price(make, PriceQuestion("nut", ONE, None)) is None

    @pytest.mark.parametrize("sku", ["odd", "strange"])
    async def test_a_price_that_cannot_be_is_none(self, make: Make, sku: str) -> None:
        assert isinstance(await price(make, PriceQuestion(sku, ONE, None)), MalformedError)

    async def test_stock_of_a_file_that_is_not_configured_cannot_be_had(self, make: Make) -> None:
        with pytest.raises(UnavailableError):
            await make(stock_file=None, price_file="prices.csv").availability(
                ["bolt"], call=own_call()
            )


@pytest.mark.parametrize(
    "keys",
    [
        {"stock_file": None},
        {"stock_file": "../stock.csv"},
        {"stock_file": "/etc/passwd"},
        {"stock_file": ""},
        {"delimiter": ";;"},
        {"delimiter": "\n"},
        {"encoding": "utf-9"},
        {"encoding": "base64"},
        {"time_zone": "Mars"},
        {"stock_columns": {"ski": "x"}},
        {"currency": "€"},
    ],
    ids=str,
)
def test_configuration_that_cannot_be_meant(make: Make, keys: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        make(**keys)


PLAIN = some.decimals(
    min_value=-(10**14), max_value=10**14, places=4, allow_nan=False, allow_infinity=False
)


@pytest.mark.parametrize("value", [True, "1,5", [], {}, Decimal("NaN"), Decimal("1e-30"), 10**20])
def test_what_json_may_hold_instead_of_a_number_is_bad(value: object) -> None:
    with pytest.raises(BadValueError):
        number({"price": value}, "price", ".")


async def test_a_text_that_is_none_costs_its_product(make: Make, drop: Drop) -> None:
    good = '{"sku": "nut", "on_hand": 1}'
    drop("stock.jsonl", f'{{"sku": "bolt", "on_hand": 1, "unit": ["pcs"]}}\n{good}\n')

    found = await stock(make, format="jsonl", stock_file="stock.jsonl")

    assert isinstance(found, MalformedError)


@given(PLAIN)
def test_numbers_are_read_exactly(value: Decimal) -> None:
    text = format(value, "f")

    assert number({"price": text}, "price", ".") == value
    assert number({"price": text.replace(".", ",")}, "price", ",") == value


@given(some.text(max_size=20), some.sampled_from([".", ","]))
def test_any_other_text_is_a_bad_value(text: str, sign: str) -> None:
    try:
        found = number({"price": text}, "price", sign)
    except BadValueError:
        return
    assert found is not None
    assert found.is_finite()


@given(
    some.one_of(some.binary(max_size=200), some.text(max_size=200).map(lambda one: one.encode())),
    some.sampled_from(["csv", "jsonl"]),
)
def test_any_file_is_read_or_refused(content: bytes, form: str) -> None:
    config = NightlyConfig.model_validate(
        {"kind": "nightly", "directory": "/x", "stock_file": "x", "format": form}
    )
    layout = Layout(STOCK_FIELDS, ("sku",), {})

    for start in (b"", b"sku,on_hand\n", b'{"sku": "a", "on_hand": 1}\n'):
        try:
            table = stock_table(rows(start + content, layout, config), config)
        except UnreadableError:
            continue
        assert table
