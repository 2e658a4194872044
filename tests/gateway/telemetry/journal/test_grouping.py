"""Failures of one cause are one group, whatever numbers their messages hold."""

import pytest

from gateway.telemetry.journal.grouping import grouped, pattern_of
from tests.gateway.telemetry.journal.made import AT, entry


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP 503: order S01456 is locked", "HTTP 503: order S99 is locked"),
        ("no 'VIS-8'", "no 'ECR-12'"),
        ("at 2026-01-02T03:04:05Z", "at 2027-11-12 13:14:15.123+01:00"),
        (
            "request 6f1c7a58-0d3e-4c0f-9a66-3d3b9b1f2a77 failed",
            "request 00000000-0d3e-4c0f-9a66-3d3b9b1f2a77 failed",
        ),
        ('{"code": 17, "message": "late"}', '{"code": 4, "message": "late"}'),
        (None, ""),
    ],
    ids=str,
)
def test_messages_of_one_cause(one: str | None, other: str) -> None:
    assert pattern_of(one) == pattern_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP 503: late", "HTTP 500: late"),
        ("connection refused", "connection reset"),
        ('{"code": 1, "message": "late"}', '{"code": 1, "message": "early"}'),
    ],
    ids=str,
)
def test_messages_of_different_causes(one: str, other: str) -> None:
    assert pattern_of(one) != pattern_of(other)


def test_groups_tell_whom_they_hurt() -> None:
    told = {"error": "X", "asked": "orders.orders", "graphql": "Order"}
    entries = [
        entry(1, detail="order 1 is locked", client="a", customer="C1", id=1, **told),
        entry(2, detail="order 2 is locked", client="b", customer="C1", id=2, **told),
        entry(3, detail="gone", id=3, **told),
        entry(4, id=4),
    ]
    locked, gone = grouped(entries)

    assert (locked.count, locked.clients, locked.customers) == (2, ["a", "b"], 1)
    assert (locked.first, locked.last, locked.examples) == (AT + 1, AT + 2, [1, 2])
    assert locked.graphql == ["Order"]
    assert (gone.count, gone.pattern) == (1, "gone")
