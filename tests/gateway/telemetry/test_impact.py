"""Whom a system that does badly touches, told from the graph and the journal."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.telemetry.impact import MINUTES, impacts, with_impact
from gateway.telemetry.journal.store import Store, connect
from ports.common import SystemName
from ports.systems import Impact, Latency, StandIn, System, SystemStatus
from tests.gateway.telemetry.journal.made import AT, entry

ERP_ROLES = ("pricing", "stock", "orders")


def system(status: SystemStatus, **more: Any) -> System:
    return System(
        **{
            "name": SystemName.ERP,
            "upstream": "erp",
            "connector": "odoo",
            "status": status,
            "since": datetime.now(UTC),
            "latency": Latency(),
            "error_rate": 0.0,
            "roles": ERP_ROLES,
            **more,
        }
    )


def written(folder: Path, *entries: Any) -> Path:
    file = folder / "journal.db"
    store = Store(connect(file))
    store.add(entries)
    store.close()
    return file


STALE: dict[str, Any] = {"cache": "stale", "tried": 0}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    old = entry(-MINUTES * 60, asked="orders.search", error="X", customer="C9", graphql="Old")
    return written(
        tmp_path,
        old,
        entry(1, asked="stock.availability", error="X", customer="C1", graphql="Listing"),
        entry(2, asked="stock.availability", **STALE, keys=3, age=50.0, customer="C1"),
        entry(3, asked="stock.availability", **STALE, keys=2, age=70.0, customer="C2"),
        entry(4, asked="stock.availability", cache="failed", tried=0, keys=4, client="partner"),
        entry(5, asked="catalog.products", upstream="pim", error="X", customer="C3"),
        entry(6, asked="stock.availability", customer="C4", client="lucky"),
    )


def test_who_was_touched_and_what_stood_in(journal: Path) -> None:
    found = impacts([system(SystemStatus.DEGRADED)], journal, AT + 10)["erp"]

    assert (found.customers, found.failed) == (2, 4)
    assert "Listing" in found.operations
    assert "Old" not in found.operations
    assert "lucky" not in found.clients
    assert "partner" in found.clients
    assert found.stand_ins == (StandIn("stock.availability", "stale", 5, 70.0),)


def test_what_a_second_system_answered_is_told_and_is_not_missing(tmp_path: Path) -> None:
    common: dict[str, Any] = {"asked": "stock.availability", "tried": 0}
    spare: dict[str, Any] = {"cache": "fallback", "detail": "nightly"}
    file = written(
        tmp_path,
        entry(1, asked="stock.availability", error="X"),
        entry(1, cache="failed", keys=5, **common),
        entry(1, keys=3, **spare, **common),
    )

    found = impacts([system(SystemStatus.DEGRADED)], file, AT + 10)["erp"]

    assert found.failed == 2
    assert found.stand_ins == (StandIn("stock.availability", "fallback", 3, None, "nightly"),)


def test_a_degraded_system_touches_the_fields_of_what_fails_and_one_that_is_down_all(
    journal: Path,
) -> None:
    degraded = impacts([system(SystemStatus.DEGRADED)], journal, AT + 10)["erp"]
    down = impacts([system(SystemStatus.DOWN)], journal, AT + 10)["erp"]

    assert "Product.availability" in degraded.fields
    assert "Query.orders" not in degraded.fields
    assert {"Product.availability", "Product.price", "Query.orders"} <= set(down.fields)
    assert "Query.products" not in down.fields


def test_without_a_cache_requests_with_failures_count(tmp_path: Path) -> None:
    tries = [
        entry(number, asked="orders.search", error="X", request_id=request)
        for number, request in enumerate(("r1", "r1", "r2"))
    ]

    found = impacts([system(SystemStatus.DOWN)], written(tmp_path, *tries), AT + 10)["erp"]

    assert found.failed == 2


@pytest.mark.parametrize("file", [None, Path("none") / "journal.db"], ids=["none", "missing"])
def test_without_a_journal_the_fields_are_known(file: Path | None) -> None:
    found = impacts([system(SystemStatus.DOWN)], file)["erp"]

    assert "Product.price" in found.fields
    assert (found.operations, found.customers) == ((), 0)


@pytest.mark.parametrize("status", [SystemStatus.UP, SystemStatus.UNKNOWN], ids=str)
def test_a_system_that_does_well_touches_nobody(journal: Path, status: SystemStatus) -> None:
    well = system(status)

    assert impacts([well], journal) == {}
    assert with_impact([well], {"erp": Impact(MINUTES, ())}) == [well]


def test_a_system_that_has_only_just_gone_down_has_its_fields_at_once() -> None:
    (told,) = with_impact([system(SystemStatus.DOWN)], {})

    assert told.impact is not None
    assert "Product.price" in told.impact.fields
    assert msgspec.structs.replace(told, impact=None).status is SystemStatus.DOWN
