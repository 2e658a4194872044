"""Changes of a contract are told, chance is not, and nothing waits for it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.upstream.loopback import IDENTITY, call, config, good, serving
from upstream.drift import (
    Drift,
    Recording,
    RecordingError,
    drifts,
    new_recording,
    read,
    route,
    write,
)
from upstream.drift_sampling import Sample, Sampled, Sampler, Sampling
from upstream.exchanges import Exchanges
from upstream.http import HttpClient, Request

ORDER = {"number": "SO1", "state": "sale", "total": 10.5, "ref": "PO-1", "note": False, "due": True}


def recorded(*records: Any, operation: str = "orders.search") -> Recording:
    recording = new_recording("erp", "odoo")
    for one in records:
        assert recording.learn(operation, json.dumps({"records": one}).encode())
    return recording


def told(known: list[Any], seen: list[Any]) -> list[tuple[str, str]]:
    return [(one.change, one.place) for one in drifts(recorded(known), recorded(seen))]


def test_the_same_is_no_drift() -> None:
    assert told([ORDER] * 50, [ORDER] * 50) == []


CHANGES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "missing": ({"ref": ...}, [("missing", "$.records[].ref")]),
    "emptied": ({"ref": None}, [("emptied", "$.records[].ref")]),
    "emptied by Odoo": ({"ref": False}, [("emptied", "$.records[].ref")]),
    "retyped": ({"total": "10.5"}, [("retyped", "$.records[].total")]),
    "new field": ({"extra": 1}, [("new field", "$.records[].extra")]),
    "new value": ({"state": "held"}, [("new value", "$.records[].state")]),
    "filled at last": ({"note": "text"}, []),
    "switched on": ({"note": True}, []),
    "switched off": ({"due": False}, []),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told(name: str) -> None:
    change, expected = CHANGES[name]
    changed = {key: value for key, value in {**ORDER, **change}.items() if value is not ...}

    assert told([ORDER] * 50, [changed] * 20) == expected


def test_what_is_mostly_absent_may_be_absent() -> None:
    rare = [ORDER] * 45 + [{**ORDER, "gift": "yes"}] * 5

    assert told(rare, [ORDER] * 20) == []


def test_what_goes_with_a_kind_of_record_may_be_absent_of_many() -> None:
    """Half of the records are of a kind that has it; twenty of the other kind are no change."""
    kinds = [ORDER] * 50 + [{**ORDER, "gift": "yes"}] * 50

    assert told(kinds, [ORDER] * 20) == []
    assert told(kinds, [ORDER] * 1_000) == [("missing", "$.records[].gift")]


def test_little_seen_proves_nothing() -> None:
    other = {"state": "new", "extra": 1}

    assert told([ORDER] * 4, [other] * 50) == []


def test_a_text_that_is_sometimes_false_is_not_retyped() -> None:
    assert told([ORDER] * 50, [ORDER] * 19 + [{**ORDER, "ref": False}]) == []


def test_a_recording_is_written_and_read(tmp_path: Path) -> None:
    known = recorded([ORDER] * 50)

    path = write(known, tmp_path / "new")

    assert drifts(read(tmp_path / "new", "erp"), recorded([ORDER] * 50)) == []
    assert "PO-1" not in path.read_text(encoding="utf-8")
    assert '"sale"' in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff", b'{"operations": 1}'])
def test_a_recording_that_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "erp.json").write_bytes(content)

    with pytest.raises(RecordingError):
        read(tmp_path, "erp")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/json/2/sale.order/web_search_read", "/json/2/sale.order/web_search_read"),
        ("/api/track/v1/details/1Z12345E0205271688", "/api/track/v1/details/{}"),
        ("/crm/v3/owners?limit=5", "/crm/v3/owners"),
        ("/media/a%2Fb/download", "/media/{}/download"),
    ],
)
def test_keys_in_paths_are_no_part_of_a_route(path: str, expected: str) -> None:
    assert route("a.b", path) == f"a.b {expected}"


def body(record: Any, number: int = 20) -> bytes:
    return json.dumps({"records": [record] * number}).encode()


async def watched(
    known: Recording, bodies: list[bytes], sampling: Sampling, **options: Any
) -> list[Drift]:
    heard: list[Drift] = []
    async with Sampler(known, heard.append, sampling, **options) as sampler:
        for one in bodies:
            sampler.observe("orders.search", one)
            await sampler.settled()
    return heard


async def test_a_live_change_is_told_once_with_its_place() -> None:
    changed = body({**ORDER, "total": "10.5"})

    heard = await watched(recorded([ORDER] * 50), [changed] * 5, Sampling(every=1))

    assert [(one.change, one.place) for one in heard] == [("retyped", "$.records[].total")]


async def test_a_change_that_ended_and_comes_again_is_told_again() -> None:
    good_one, changed = body(ORDER), body({**ORDER, "total": "10.5"})

    bodies = [changed, good_one, good_one, good_one, changed, changed]
    heard = await watched(recorded([ORDER] * 50), bodies, Sampling(every=1, window=2))

    assert [one.place for one in heard] == ["$.records[].total"] * 2


async def test_operations_that_are_not_recorded_are_learned() -> None:
    known, added = new_recording("erp", "odoo"), list[Recording]()
    bodies = [body(ORDER)] * 3 + [body({**ORDER, "total": "1"})]

    heard = await watched(known, bodies, Sampling(every=1, learned=3), learned=added.append)

    assert len(added) == 1
    assert [one.change for one in heard] == ["retyped"]


async def test_little_that_is_recorded_is_learned_on() -> None:
    known = recorded([ORDER] * 3)
    others = [body({**ORDER, "kind": f"k{one}", "extra": one}, 1) for one in range(30)]

    assert await watched(known, others, Sampling(every=1, learned=30)) == []
    assert known.operations["orders.search"].seen == 31


async def test_a_full_queue_and_long_answers_are_passed_over() -> None:
    known = recorded([ORDER] * 50)
    async with Sampler(known, lambda _: None, Sampling(every=1, queued=1)) as sampler:
        sampler.observe("orders.search", b" " * 3_000_000)
        for _ in range(100):
            sampler.observe("orders.search", body(ORDER))
        await sampler.settled()


async def test_one_answer_in_many_is_looked_at() -> None:
    known, sampling = new_recording("erp", "odoo"), Sampling(every=50, queued=1000)
    async with Sampler(known, lambda _: None, sampling) as sampler:
        for _ in range(1000):
            sampler.observe("orders.search", b"1")
        await sampler.settled()

    assert 10 <= known.operations["orders.search"].seen <= 60


async def test_answers_that_are_no_json_are_nothing_to_learn_from() -> None:
    known = new_recording("erp", "odoo")

    heard = await watched(known, [b"<html>", b"\xff", b""], Sampling(every=1))

    assert (heard, known.operations) == ([], {})


async def test_good_answers_of_a_client_are_sampled() -> None:
    heard: list[Drift] = []
    known = recorded([ORDER] * 50, operation="orders.search /a")
    changed = body({**ORDER, "total": "10.5"})
    async with (
        Sampler(known, heard.append, Sampling(every=1)) as sampler,
        serving(good(changed), good(b"{}", "500 Oops"), good(changed)) as peer,
    ):
        exchanges = Exchanges(sink=Sampled(sampler, None))
        client = HttpClient(IDENTITY, config(peer.url, tries=2), exchanges=exchanges)
        for _ in range(2):
            await client.send(Request("orders.search", "/a"), call=call())
        await client.aclose()
        await sampler.settled()

    assert len(peer.received) == 3
    assert [one.place for one in heard] == ["$.records[].total"]


async def in_part(
    known: Recording, records: list[Any], *, sampling: Sampling | None = None, **request: Any
) -> list[tuple[str, str]]:
    """The changes that are told of answers where only numbers and references were wanted."""
    heard: list[Drift] = []
    asked = Request("orders.search", "/a", **request)
    async with Sampler(known, heard.append, sampling or Sampling(every=1)) as sampler:
        for one in records:
            wanted = frozenset({"number", "purchase_order_number"})
            sampler.put(Sample("orders.search", "/a", body(one), wanted, asked))
            await sampler.settled()
    assert {one.operation for one in heard} <= {"orders.search /a"}
    return [(one.change, one.place) for one in heard]


NAMED = {
    "in the body": {"method": "POST", "json": {"specification": {"number": {}, "ref": {}}}},
    "in raw bytes": {"method": "POST", "body": b'{"properties": ["number", "ref"]}'},
    "in parameters": {"params": {"attributes": "number,ref"}},
}
WHOLE = "orders.search /a"


@pytest.mark.parametrize("name", NAMED)
async def test_of_answers_in_part_only_what_was_asked_for_is_missing(name: str) -> None:
    part = {"number": "SO1", "ref": "PO-1"}

    assert await in_part(recorded([ORDER] * 50, operation=WHOLE), [part], **NAMED[name]) == []
    assert await in_part(
        recorded([ORDER] * 50, operation=WHOLE), [{"number": "SO1"}], **NAMED[name]
    ) == [("missing", "$.records[].ref")]


async def test_values_in_answers_in_part_are_looked_at() -> None:
    part = {"number": 1, "ref": "PO-1", "state": "held", "extra": 1}

    told = await in_part(recorded([ORDER] * 50, operation=WHOLE), [part])

    assert sorted(told) == [
        ("new field", "$.records[].extra"),
        ("new value", "$.records[].state"),
        ("retyped", "$.records[].number"),
    ]


async def test_where_no_whole_answer_is_known_those_in_part_are_learned() -> None:
    known = new_recording("erp", "odoo")
    part, without = {"number": "SO1", "ref": "PO-1"}, {"number": "SO1", "kind": "b2b"}

    told = await in_part(
        known, [part] * 3 + [without], sampling=Sampling(every=1, learned=3), **NAMED["in the body"]
    )

    assert list(known.operations) == [f"{WHOLE} (only number, purchase_order_number)"]
    assert told == [("missing", "$.records[].ref")]


async def test_what_nobody_asked_for_is_not_missing() -> None:
    heard: list[Drift] = []
    known = recorded([ORDER] * 50, operation="orders.search /a")
    part = body({"number": "SO1"})
    async with (
        Sampler(known, heard.append, Sampling(every=1)) as sampler,
        serving(good(part), good(part)) as peer,
    ):
        exchanges = Exchanges(sink=Sampled(sampler, None))
        client = HttpClient(IDENTITY, config(peer.url), exchanges=exchanges)
        wanted = msgspec.structs.replace(call(), wanted=frozenset({"number"}))
        await client.send(Request("orders.search", "/a"), call=wanted)
        await sampler.settled()
        assert heard == []

        await client.send(Request("orders.search", "/a"), call=call())
        await client.aclose()
        await sampler.settled()

    assert "missing" in {one.change for one in heard}
