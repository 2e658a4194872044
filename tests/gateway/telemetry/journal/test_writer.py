"""The journal keeps what passed, and never troubles who is served."""

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from gateway.telemetry.journal.query import Query
from gateway.telemetry.journal.record import Entry, Stood
from gateway.telemetry.journal.search import Reader
from gateway.telemetry.journal.store import JournalUnavailableError, Store, connect
from gateway.telemetry.journal.writer import RETRY_SECONDS, Journal, JournalRules
from ports.errors import UpstreamError
from tests.gateway.telemetry.journal.made import AT, call, down, entry, passed
from upstream.uses import Use


class Clock:
    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "var" / "journal.db"


def found(file: Path, **wanted: Any) -> list[Entry]:
    with Reader(file) as reader:
        return reader.search(Query(**wanted))


def test_what_passed_is_found_again(file: Path) -> None:
    with Journal(JournalRules(file)) as journal:
        journal.put(passed("A-1", "A-2", failure=down()))

    (one,) = found(file)
    assert (one.upstream, one.call, one.asked) == ("erp", "products", "catalog.products")
    assert one.arguments == '[["A-1","A-2"]]'
    assert (one.status, one.error, one.keys, one.tried) == (503, "UPSTREAM_UNAVAILABLE", 2, 1)
    assert (one.graphql, one.client, one.customer) == ("Product", "shop", "C10001")
    assert one.path == "/api/products"
    assert one.response == '{"error":"out of order"}'
    assert one.request == '{"skus":["A-1","A-2"]}'
    assert (one.sent, one.received, one.milliseconds) == (22, 42, 12.0)
    assert journal.written == 1


def test_bodies_of_what_went_well_are_not_kept(file: Path) -> None:
    with Journal(JournalRules(file)) as journal:
        journal.put(passed("A-1"))

    (one,) = found(file)
    assert one.request is None
    assert one.response is None


def test_old_answers_that_stood_in_are_kept_with_their_age(file: Path) -> None:
    use = Use("erp", "stock.availability", (), stale=3, at=100.0, born=40.0)
    with Journal(JournalRules(file)) as journal:
        journal.put(Stood(AT, "ERP", call(), use))

    (one,) = found(file)
    assert (one.cache, one.keys, one.age, one.tried) == ("stale", 3, 60.0, 0)


def test_the_file_is_its_owners_alone(file: Path) -> None:
    with Journal(JournalRules(file)):
        pass

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_oldest_makes_room(file: Path) -> None:
    journal = Journal(JournalRules(file, queue=2))
    for key in ("A", "B", "C"):
        journal.put(passed(key))
    journal.flush()

    assert {one.arguments for one in found(file)} == {'[["B"]]', '[["C"]]'}
    assert journal.dropped == {"queue": 1}


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_broken_file_is_set_aside(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    with capture_logs() as logs:
        journal = Journal(JournalRules(file), clock=Clock())
        journal.flush()
        journal.put(passed("A"))
        journal.flush()

    (aside,) = file.parent.glob("journal.db.broken-*")
    assert aside.read_bytes() == content
    assert len(found(file)) == 1
    assert [one["event"] for one in logs] == ["journal broken, set aside"]


def test_a_journal_of_another_version_is_set_aside(file: Path) -> None:
    file.parent.mkdir()
    with sqlite3.connect(file) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    journal = Journal(JournalRules(file))
    journal.flush()
    journal.put(passed("A"))
    journal.flush()

    assert len(found(file)) == 1
    assert list(file.parent.glob("journal.db.broken-*"))


class FullDisk:
    """A connection whose disk is full while `full` holds."""

    def __init__(self, real: sqlite3.Connection, full: list[bool]) -> None:
        self._real = real
        self._full = full

    def execute(self, text: str, *values: Any) -> Any:
        if self._full and text.startswith("INSERT"):
            raise sqlite3.OperationalError("database or disk is full")
        return self._real.execute(text, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_a_full_disk_stops_the_journal_for_a_while(file: Path) -> None:
    full, clock = [True], Clock()
    journal = Journal(
        JournalRules(file),
        clock=clock,
        connect=lambda path: FullDisk(connect(path), full),  # type: ignore[arg-type,return-value]
    )
    with capture_logs() as logs:
        for _ in range(3):
            journal.put(passed("lost"))
            journal.flush()
        assert not journal.is_writing
        full.clear()
        clock.now += RETRY_SECONDS
        journal.put(passed("kept"))
        journal.flush()

    assert journal.dropped == {"unavailable": 3}
    assert [one.arguments for one in found(file)] == ['[["kept"]]']
    assert [one["event"] for one in logs] == ["journal stopped", "journal is written again"]


def test_a_folder_that_cannot_be_made_stops_the_journal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(JournalRules(tmp_path / "file" / "journal.db"))
    journal.put(passed("lost"))
    journal.flush()

    assert journal.dropped == {"unavailable": 1}


def test_what_cannot_be_read_costs_itself_only(file: Path) -> None:
    journal = Journal(JournalRules(file))
    with capture_logs() as logs:
        journal.put(passed("A", exchange=None))
        journal.put(passed("B"))
        journal.flush()

    assert [one.arguments for one in found(file)] == ['[["B"]]']
    assert journal.dropped == {"unreadable": 1}
    assert [one["event"] for one in logs] == ["journal entry failed"]


def test_a_capture_is_noticed_and_ends(file: Path) -> None:
    clock = Clock()
    journal = Journal(JournalRules(file), clock=clock)
    journal.flush()
    store = Store(connect(file))
    store.capture("erp", AT + 600)
    journal.flush()
    assert journal.capturing == {"erp"}
    clock.now += 601
    journal.flush()
    store.close()

    assert journal.capturing == frozenset()


def test_listeners_hear_each_batch_and_may_fail(file: Path) -> None:
    heard: list[int] = []

    def fails(_: list[Entry]) -> None:
        raise ValueError

    journal = Journal(JournalRules(file))
    journal.also(fails)
    journal.also(lambda entries: heard.append(len(entries)))
    journal.put(passed("A"))
    with capture_logs():
        journal.flush()

    assert heard == [1]


@pytest.fixture
def store(file: Path) -> Iterator[Store]:
    made = Store(connect(file))
    yield made
    made.close()


@pytest.mark.parametrize("failure", [None, down()])
def test_what_is_old_is_forgotten(file: Path, failure: UpstreamError | None) -> None:
    clock = Clock()
    journal = Journal(JournalRules(file, max_age=100), clock=clock)
    for key, at in (("old", AT - 50), ("new", AT - 20)):
        journal.put(passed(key, at=at, failure=failure))
        journal.flush()
    clock.now += 61
    journal.flush()

    assert [one.arguments for one in found(file)] == ['[["new"]]']


def test_the_oldest_goes_while_the_file_is_too_large(store: Store, file: Path) -> None:
    most = 300_000
    journal = Journal(JournalRules(file, max_bytes=most), clock=Clock())
    for number in range(400):
        journal.put(passed(f"{number}" + "x" * 2_000, at=AT + number))
    journal.flush()

    assert store.size() <= most
    left = found(file, limit=1_000)
    assert 0 < len(left) < 400
    assert left[0].at == AT + 399


def test_a_deleted_file_is_made_anew(file: Path) -> None:
    clock = Clock()
    journal = Journal(JournalRules(file), clock=clock)
    journal.flush()
    file.unlink()
    clock.now += 61
    journal.flush()
    journal.put(passed("A"))
    journal.flush()

    assert len(found(file)) == 1


def test_a_file_that_is_too_large_is_trimmed_at_once_and_gives_back_what_lies_free(
    file: Path,
) -> None:
    clock = Clock()
    journal = Journal(JournalRules(file), clock=clock)
    for number in range(1_000):
        journal.put(passed(f"{number}" + "x" * 2_000, at=AT + number))
    journal.flush()
    before = file.stat().st_size + file.with_name("journal.db-wal").stat().st_size
    smaller = Journal(JournalRules(file, max_bytes=300_000), clock=clock)
    smaller.flush()

    assert file.stat().st_size < 500_000 < before
    for number in range(1_000):
        smaller.put(passed(f"{number}" + "x" * 2_000, at=AT + number))
    smaller.flush()
    assert len(found(file, limit=2_000)) < 200


def test_a_journal_of_the_version_before_goes_on(file: Path) -> None:
    store = Store(connect(file))
    store.add([entry(1), entry(2)])
    store.close()
    with sqlite3.connect(file) as other:
        other.executescript("DROP TABLE block; PRAGMA user_version = 1")
    other.close()
    with pytest.raises(JournalUnavailableError):
        Reader(file)
    with Journal(JournalRules(file)) as journal:
        journal.put(passed("A", at=AT + 3))

    assert [(one.id, one.at - AT) for one in found(file)] == [(3, 3), (2, 2), (1, 1)]
    assert not list(file.parent.glob("journal.db.broken-*"))


def test_a_try_in_a_block_says_all_that_a_row_would(file: Path) -> None:
    """Captured, the same try is a row with its bodies."""
    journal = Journal(JournalRules(file))
    journal.put(passed("A", "a@example.org"))
    journal.put(passed("A", "a@example.org", body=b"{}"))
    journal.flush()

    plain, captured = sorted(found(file), key=lambda one: one.response is not None)
    assert (plain.request, plain.response) == (None, None)
    assert plain.arguments == '[["A","***"]]'
    same = {"id": None, "request": None, "response": None}
    assert msgspec.structs.replace(captured, **same) == msgspec.structs.replace(plain, id=None)
