"""Finding what was asked about an order, a product, a customer or a parcel."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.telemetry.journal.query import Query
from gateway.telemetry.journal.record import Entry
from gateway.telemetry.journal.search import Reader
from gateway.telemetry.journal.store import JournalUnavailableError, Store, connect
from tests.gateway.telemetry.journal.made import AT, entry, good

ENTRIES = (
    entry(
        1,
        asked="orders.orders",
        arguments='[["S1","S10"]]',
        customer="C1",
        graphql="Order",
        milliseconds=250.0,
    ),
    entry(2, asked="catalog.products", arguments='[["S1"]]', upstream="pim", request_id="r2"),
    entry(3, asked="tracking.track", arguments='[[{"number":"T1"}]]', client="shop", trace="t3"),
    entry(4, asked="pricing.prices", arguments='[[{"sku":"A","customer":"C1"}]]', error="X"),
    entry(5, asked="stock.availability", cache="failed", tried=0, keys=2, arguments=None),
    entry(6, asked="stock.availability", cache="stale", tried=0, keys=3, age=9.5, customer="C2"),
    entry(7, call="reference.fields", arguments=None, response="{}"),
)


@pytest.fixture(params=["rows", "blocks", "a block each"])
def reader(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """The same entries, kept in other ways."""
    file = tmp_path / "journal.db"
    store = Store(connect(file))
    goods = [(one, good(one)) for one in ENTRIES]
    if request.param == "rows":
        store.add(ENTRIES)
    elif request.param == "blocks":
        rows = [one for one, packed in goods if packed is None]
        store.add(rows, [packed for _, packed in goods if packed is not None])
    else:
        for one, packed in reversed(goods):
            store.add(*(([one],) if packed is None else ([], [packed])))
    store.capture("erp", AT + 60)
    store.close()
    with Reader(file) as opened:
        yield opened


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({}, [7, 6, 5, 4, 3, 2, 1]),
        ({"order": "S1"}, [1]),
        ({"order": "S"}, []),
        ({"sku": "S1"}, [2]),
        ({"sku": "A"}, [4]),
        ({"customer": "C1"}, [4, 1]),
        ({"tracking": "T1"}, [3]),
        ({"upstream": "pim"}, [2]),
        ({"operation": "reference.fields"}, [7]),
        ({"operation": "orders.orders"}, [1]),
        ({"graphql": "Order"}, [1]),
        ({"client": "shop"}, [3]),
        ({"request_id": "r2"}, [2]),
        ({"request_id": "t3"}, [3]),
        ({"errors": True}, [5, 4]),
        ({"captured": True}, [7]),
        ({"since": AT + 5, "until": AT + 7}, [6, 5]),
        ({"limit": 2}, [7, 6]),
        ({"order": '"] OR 1=1 --'}, []),
    ],
    ids=str,
)
def test_what_is_found(reader: Reader, wanted: dict[str, Any], numbers: list[int]) -> None:
    assert [int(one.at - AT) for one in reader.search(Query(**wanted))] == numbers


def test_entries_come_as_they_went_in(reader: Reader) -> None:
    def plain(one: Entry) -> dict[str, Any]:
        return {name: getattr(one, name) for name in Entry.__struct_fields__ if name != "id"}

    assert [plain(one) for one in reader.entries(Query())] == [plain(one) for one in ENTRIES]


def test_each_by_its_number(reader: Reader) -> None:
    everything = reader.search(Query())

    assert len({one.id for one in everything}) == len(ENTRIES)
    for one in everything:
        assert one.id is not None
        assert reader.entry(one.id) == one
    assert reader.entry(10**6) is None
    assert reader.entry(0) is None


def test_how_long_requests_spent_on_an_operation(reader: Reader) -> None:
    assert reader.paces("erp", "orders.orders", AT, 10) == [pytest.approx(0.25, abs=1e-6)]
    assert reader.paces("erp", "orders.orders", AT + 2, 10) == []
    assert reader.paces("erp", "stock.availability", AT, 10) == []


def test_whom_failures_and_old_answers_touched(reader: Reader) -> None:
    found = {(one.asked, one.failed, one.stale, one.oldest) for one in reader.touched(AT, "erp")}

    assert found == {("pricing.prices", 1, 0, None), ("stock.availability", 1, 3, 9.5)}
    assert reader.touched(AT, "pim") == []
    assert reader.customers(AT, "erp") == 1


def test_captures_that_still_run(reader: Reader) -> None:
    assert [one.upstream for one in reader.captures(AT)] == ["erp"]
    assert reader.captures(AT + 61) == []


@pytest.mark.parametrize("content", [None, b"", b"nothing of the kind" * 50])
def test_what_is_no_journal(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "journal.db"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(JournalUnavailableError):
        Reader(file)


def test_blocks_that_overlap_come_in_order(tmp_path: Path) -> None:
    """Those of several processes do."""
    file, store = tmp_path / "journal.db", Store(connect(tmp_path / "journal.db"))
    for first in (0, 1):
        made = (good(entry(number, asked="catalog.products")) for number in range(first, 200, 2))
        store.add([entry(first + 0.5)], [one for one in made if one is not None])  # type: ignore[arg-type]
    store.close()

    with Reader(file) as opened:
        times = [one.at - AT for one in opened.entries(Query())]
        assert times == sorted([*range(200), 0.5, 1.5])
        latest = opened.search(Query(limit=90))
        assert [one.at for one in latest] == [AT + number for number in range(199, 109, -1)]
        assert [opened.entry(one.id or 0) for one in latest] == latest


def test_a_block_that_cannot_be_read(tmp_path: Path) -> None:
    connection = connect(tmp_path / "journal.db")
    connection.execute("INSERT INTO block VALUES (1, 1, ?, ?, x'00')", (AT, AT))
    connection.close()

    with Reader(tmp_path / "journal.db") as opened:
        with pytest.raises(JournalUnavailableError):
            opened.search(Query())
        with pytest.raises(JournalUnavailableError):
            opened.entry(1)
        with pytest.raises(JournalUnavailableError):
            list(opened.entries(Query()))
