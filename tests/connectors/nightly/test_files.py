"""Which file is read, when, and what keeps the former one in place."""

import asyncio
import os
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectors.nightly.connector import Nightly
from ports.errors import MalformedError, RefusedError, TimedOutError, UnavailableError
from ports.stock import Availability
from tests.connectors.nightly.conftest import STOCK, Denied, Drop, Make
from upstream.exchanges import Exchanges
from upstream.reference import own_call

HEADER = "sku,on_hand\n"


async def amount(nightly: Nightly, sku: str = "bolt") -> Any:
    told = (await nightly.availability([sku], call=own_call())).get(sku)
    return told.available if isinstance(told, Availability) else told


async def refused(nightly: Nightly, kind: type[Exception]) -> str:
    """What the log is told of the failure."""
    with pytest.raises(kind) as told:
        await amount(nightly)
    detail: str = told.value.detail  # type: ignore[attr-defined]
    return detail


async def test_the_moment_of_stock_is_that_of_the_file(make: Make, drop: Drop) -> None:
    file = drop("stock.csv", STOCK, age=7200)

    found = (await make().availability(["bolt"], call=own_call()))["bolt"]

    assert isinstance(found, Availability)
    assert found.freshness.upstream == "nightly"
    assert found.freshness.as_of == datetime.fromtimestamp(file.stat().st_mtime, UTC)


async def test_a_newer_file_is_read(make: Make, drop: Drop) -> None:
    drop("stock.csv", HEADER + "bolt,1\n")
    nightly = make()
    before = await amount(nightly)
    drop("stock.csv", HEADER + "bolt,2\n", age=60)

    assert (before, await amount(nightly)) == (1, 2)


async def test_an_unchanged_file_is_not_read_again(make: Make, drop: Drop) -> None:
    file = drop("stock.csv", HEADER + "bolt,1\n")
    nightly = make()
    await amount(nightly)
    seen = file.stat()
    file.write_text(HEADER + "bolt,2\n", encoding="utf-8")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))

    assert await amount(nightly) == 1


async def test_a_newer_file_is_looked_for_only_so_often(make: Make, drop: Drop) -> None:
    drop("stock.csv", HEADER + "bolt,1\n")
    nightly = make(look_seconds=3600)
    await amount(nightly)
    drop("stock.csv", HEADER + "bolt,2\n", age=60)

    assert await amount(nightly) == 1


async def test_of_several_files_the_newest_is_read(make: Make, drop: Drop) -> None:
    drop("stock-1.csv", HEADER + "bolt,1\n", age=60)
    drop("stock-2.csv", HEADER + "bolt,2\n", age=7200)
    drop("prices.csv", HEADER + "bolt,3\n", age=30)
    (drop.directory / "stock-3.csv").mkdir()

    assert await amount(make(stock_file="stock-*.csv")) == 1


KEPT = {
    "cut in a row": HEADER + "bolt,2\nnut,",
    "cut at the end of a row": HEADER + "bolt,2\nnut,3",
    "cut in quotes": HEADER + 'bolt,2\nnut,"3\n',
    "too few columns": HEADER + "bolt,2\nnut\n",
    "too many columns": HEADER + "bolt,2\nnut,3,4\n",
    "no header": "bolt,2\n",
    "another header": "article,on_hand\nbolt,2\n",
    "nothing": "",
    "a header alone": HEADER,
    "bad rows alone": HEADER + "bolt,many\n,3\n",
    "another encoding": (HEADER + "bölt,2\n").encode("cp1252"),
    "too large": HEADER + "bolt,2\n" * 1000,
}


@pytest.mark.parametrize("content", KEPT.values(), ids=list(KEPT))
async def test_a_file_that_cannot_be_read_keeps_the_former_one(
    make: Make, drop: Drop, content: str | bytes
) -> None:
    drop("stock.csv", HEADER + "bolt,1\n")
    nightly, fresh = make(file_limit_bytes=1024), make(file_limit_bytes=1024)
    await amount(nightly)
    drop("stock.csv", content, age=60)

    assert await amount(nightly) == 1
    await refused(fresh, MalformedError)
    with pytest.raises(MalformedError):
        await nightly.check(call=own_call())


async def test_a_file_that_is_mended_is_read(make: Make, drop: Drop) -> None:
    drop("stock.csv", KEPT["too few columns"])
    nightly = make()
    await refused(nightly, MalformedError)
    drop("stock.csv", HEADER + "bolt,2\n", age=60)

    assert await amount(nightly) == 2


async def test_a_file_just_changed_may_be_half_written(make: Make, drop: Drop) -> None:
    drop("stock.csv", HEADER + "bolt,1\n")
    nightly = make(settle_seconds=600)
    before = await amount(nightly)
    drop("stock.csv", HEADER + "bolt,2\n", age=1)

    assert (before, await amount(nightly)) == (1, 1)
    detail = await refused(make(settle_seconds=600), UnavailableError)
    assert detail == "stock.csv is still being written"


async def test_a_dated_file_just_changed_leaves_the_one_before(make: Make, drop: Drop) -> None:
    drop("stock-1.csv", HEADER + "bolt,1\n")
    drop("stock-2.csv", HEADER + "bolt,2\n", age=1)

    assert await amount(make(stock_file="stock-?.csv", settle_seconds=600)) == 1


async def test_a_file_that_grows_while_it_is_read_is_not_believed(make: Make, drop: Drop) -> None:
    """A pipe's other end could do so; a file of another size than was listed stands for it."""
    file = drop("stock.csv", HEADER + "bolt,1\n")
    nightly = make()
    reading = nightly._stock._parsed  # type: ignore[union-attr]
    mark = nightly._stock._newest()  # type: ignore[union-attr]
    file.write_text(HEADER + "bolt,12345\n", encoding="utf-8")

    with pytest.raises(Exception, match="is still being written"):
        reading(mark)


async def test_a_file_that_is_gone_serves_on(make: Make, drop: Drop) -> None:
    file = drop("stock.csv", HEADER + "bolt,1\n")
    nightly = make()
    await amount(nightly)
    file.unlink()

    assert await amount(nightly) == 1
    assert await refused(make(), UnavailableError) == "stock.csv is not there"


async def test_a_missing_directory_is_told(make: Make, tmp_path: Path) -> None:
    detail = await refused(make(directory=tmp_path / "nobody"), UnavailableError)

    assert detail == "stock.csv: No such file or directory"


async def test_what_may_not_be_read_is_told(make: Make) -> None:
    detail = await refused(make(place=Denied()), RefusedError)

    assert detail == "stock.csv: the gateway may not read it"


async def test_an_export_that_stopped_is_served_no_more(make: Make, drop: Drop) -> None:
    drop("stock.csv", STOCK, age=37 * 3600)

    assert await refused(make(), UnavailableError) == "the export is more than 36 h old"
    assert await amount(make(oldest_hours=48)) == Decimal("13.5")
    with pytest.raises(UnavailableError):
        await make().check(call=own_call())


async def test_the_limit_is_told_in_numbers(make: Make, drop: Drop) -> None:
    drop("stock.csv", HEADER + "bolt,2\n" * 1000)

    detail = await refused(make(file_limit_bytes=1024), MalformedError)

    assert detail == "stock.csv has 7012 bytes, more than file_limit_bytes allows (1024)"


async def test_trouble_is_told_without_what_the_file_says(make: Make, drop: Drop) -> None:
    drop("stock.csv", HEADER + "bolt,confidential\n")

    with capture_logs() as logs:
        detail = await refused(make(), MalformedError)

    assert detail == "stock.csv has 0 good rows, fewer than 1; line 2: on_hand is no number"
    assert "confidential" not in str(logs)


async def test_the_same_trouble_is_logged_once(make: Make, drop: Drop) -> None:
    drop("stock.csv", HEADER + "bolt,1\n")
    nightly = make()
    await amount(nightly)
    drop("stock.csv", KEPT["nothing"], age=60)

    with capture_logs() as logs:
        for _ in range(3):
            await amount(nightly)

    assert [one["event"] for one in logs] == ["export not read"]


async def test_looks_count_as_calls_of_the_upstream(
    make: Make, drop: Drop, exchanges: Exchanges
) -> None:
    nightly = make()
    await refused(nightly, UnavailableError)
    drop("stock.csv", STOCK)
    await amount(nightly)

    assert (exchanges.summary().calls, exchanges.summary().failed) == (2, 1)
    assert exchanges.last_failure is not None
    assert exchanges.last_failure.code == "UPSTREAM_UNAVAILABLE"
    assert not exchanges.failing


async def test_all_who_ask_at_once_wait_for_one_look(
    make: Make, drop: Drop, exchanges: Exchanges
) -> None:
    drop("stock.csv", STOCK)
    nightly = make()

    told = await asyncio.gather(*(amount(nightly) for _ in range(50)))

    assert set(told) == {Decimal("13.5")}
    assert exchanges.summary().calls == 1


async def test_a_check_without_trouble_says_nothing(make: Make, drop: Drop) -> None:
    drop("stock.csv", STOCK)
    drop("prices.csv", "sku,price\nbolt,1\n")

    await make(price_file="prices.csv").check(call=own_call())


async def test_a_check_tells_of_prices_that_are_too_old(make: Make, drop: Drop) -> None:
    drop("prices.csv", "sku,price\nbolt,1\n", age=37 * 3600)

    with pytest.raises(UnavailableError):
        await make(stock_file=None, price_file="prices.csv").check(call=own_call())


class Slow:
    """A directory on a disk that answers when it is told to."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.awake = threading.Event()

    def __fspath__(self) -> str:
        assert self.awake.wait(30)
        return str(self.directory)


async def test_who_asks_does_not_wait_for_a_slow_disk_beyond_its_time(
    make: Make, drop: Drop
) -> None:
    drop("stock.csv", HEADER + "bolt,1\n")
    disk = Slow(drop.directory)
    nightly = make(place=disk)
    with pytest.raises(TimedOutError):
        await nightly.availability(["bolt"], call=own_call(seconds=0.05))
    disk.awake.set()
    first = await amount(nightly)
    disk.awake.clear()
    drop("stock.csv", HEADER + "bolt,2\n", age=60)

    former = await nightly.availability(["bolt"], call=own_call(seconds=0.1))
    disk.awake.set()

    assert first == 1
    assert former["bolt"].available == 1  # type: ignore[union-attr]
    assert await amount(nightly) == 2


async def test_a_look_under_way_ends_with_the_connector(make: Make, drop: Drop) -> None:
    disk = Slow(drop.directory)
    nightly = make(place=disk)
    with pytest.raises(TimedOutError):
        await nightly.availability(["bolt"], call=own_call(seconds=0.05))

    await nightly.aclose()
    disk.awake.set()


async def test_a_mistake_of_ours_is_told_as_an_outage(make: Make) -> None:
    class Broken:
        def __fspath__(self) -> str:
            raise ZeroDivisionError

    detail = await refused(make(place=Broken()), UnavailableError)

    assert detail == "cannot be read: ZeroDivisionError"
