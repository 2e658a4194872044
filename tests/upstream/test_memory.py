"""What one process remembers: how much of it, which of two answers, and what a tag finds."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ports.common import Freshness, FreshnessState, Money, SystemName
from ports.customers import Customer
from ports.invoices import Invoice, InvoiceKind, InvoiceStatus
from ports.orders import Order, OrderStatus
from ports.shipments import Shipment
from ports.tracking import Parcel
from upstream.freshness import marked
from upstream.memory import Entry, Memory
from upstream.tags import tags

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ZERO = Money(Decimal(0), "EUR")


def entry(value: str, *, born: float = 0.0, encoded: int = 100, about: str = "product:a") -> Entry:
    return Entry(value, born, 10.0, born, encoded, (about,), ("upstream:erp",))


def test_what_was_used_last_goes_last() -> None:
    memory = Memory(entries=2, size=10**6)
    memory.put(("s", "a"), entry("a"))
    memory.put(("s", "b"), entry("b"))
    memory.get(("s", "a"))
    memory.put(("s", "c"), entry("c"))

    assert [memory.get(("s", key)) is not None for key in "abc"] == [True, False, True]


def test_a_younger_answer_is_not_replaced_by_an_older_one() -> None:
    memory = Memory(entries=2, size=10**6)
    memory.put(("s", "a"), entry("young", born=2.0))
    memory.put(("s", "a"), entry("old", born=1.0))

    found = memory.get(("s", "a"))
    assert found is not None
    assert found.value == "young"


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 5000), st.sampled_from("xyz"))))
def test_it_is_bounded_whatever_comes(course: list[tuple[int, int, str]]) -> None:
    memory = Memory(entries=8, size=60_000)
    for key, encoded, about in course:
        if encoded < 500:
            memory.purge([f"product:{about}"])
        memory.put(("s", key), entry("v", encoded=encoded, about=f"product:{about}"))
        assert len(memory) <= 8
        assert 0 <= memory.size <= 60_000

    memory.purge(["upstream:erp"])
    assert (len(memory), memory.size, memory._tagged) == (0, 0, {})


def test_an_answer_larger_than_all_memory_is_not_kept() -> None:
    memory = Memory(entries=8, size=1000)
    memory.put(("s", "a"), entry("v", encoded=1000))

    assert (len(memory), memory.size) == (0, 0)


def test_a_tag_finds_its_own_only() -> None:
    memory = Memory(entries=8, size=10**6)
    memory.put(("s", "a"), entry("a"))
    memory.put(("t", "a"), entry("a"))
    memory.put(("s", "b"), entry("b", about="product:b"))

    assert memory.purge(["product:a", "order:a"]) == 2
    assert memory.purge(["upstream:other"]) == 0
    assert memory.purge(["product:b", "upstream:erp"]) == 1


ORDER = Order("S1", OrderStatus.CONFIRMED, "sale", NOW, ZERO, ZERO, ZERO, "C-1")
INVOICE = Invoice(
    "F1", InvoiceKind.INVOICE, InvoiceStatus.OPEN, NOW.date(), ZERO, ZERO, None, order="S1"
)


@pytest.mark.parametrize(
    ("name", "key", "value", "told"),
    [
        ("orders.orders", "S1", ORDER, {"order:S1", "customer:C-1"}),
        ("invoices.invoices", "F1", INVOICE, {"order:S1"}),
        ("invoices.of_orders", "S2", (INVOICE,), {"order:S1", "order:S2"}),
        ("customers.search", b"", (Customer("C-2", "x"),), {"customer:C-2"}),
        ("tracking.track", Parcel("dhl", "00340"), None, {"shipment:00340"}),
        (
            "shipments.shipments",
            "OUT/1",
            Shipment("OUT/1", "C-1", "S1", tracking_number="00340"),
            {"shipment:OUT/1", "shipment:00340", "order:S1", "customer:C-1"},
        ),
    ],
)
def test_tags_tell_whom_an_answer_is_about(
    name: str, key: object, value: object, told: set[str]
) -> None:
    assert set(tags(name, key, value)) == told


def test_what_came_from_the_second_source_stays_so() -> None:
    first = Freshness(SystemName.ERP, "erp", NOW)
    second = Freshness(SystemName.ERP, "file", NOW, FreshnessState.FALLBACK)

    told = marked((first, second), FreshnessState.CACHED)
    assert [one.state for one in told] == [FreshnessState.CACHED, FreshnessState.FALLBACK]
