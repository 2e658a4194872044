"""The watch on the systems: what changed is told once, and since when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from connectors.registry import manifests
from gateway.telemetry.impact_watch import ImpactWatch
from gateway.telemetry.systems import Watched
from ports.systems import System, SystemStatus
from tests.gateway.telemetry.journal.made import entry
from tests.gateway.telemetry.test_impact import written
from upstream.connector import Upstream
from upstream.exchanges import Exchange, Exchanges

GOOD = Exchange("orders.search", 0.1, 200, None, "r1")
BAD = Exchange("orders.search", 0.1, 503, "UPSTREAM_UNAVAILABLE", "r2")


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges()


def watch_on(exchanges: Exchanges, journal: Path | None = None) -> ImpactWatch:
    upstream = Upstream("erp", manifests()["odoo"], exchanges)
    return ImpactWatch([Watched(upstream, ("orders",))], journal)


async def test_a_change_is_a_line_of_the_log_and_no_change_is_none(
    exchanges: Exchanges, tmp_path: Path
) -> None:
    now = datetime.now(UTC).timestamp()
    touched = entry(at=now, asked="orders.search", error="X", customer="C1", client="shop")
    watch = watch_on(exchanges, written(tmp_path, touched))
    with capture_logs() as told:
        exchanges.record(GOOD)
        await watch.look()
        exchanges.record(BAD)
        await watch.look()
        await watch.look()
        for _ in range(60):
            exchanges.record(GOOD)
        await watch.look()

    assert [(one["before"], one["after"]) for one in told] == [
        ("UP", "DEGRADED"),
        ("DEGRADED", "UP"),
    ]
    assert (told[0]["customers"], told[0]["clients"], told[0]["log_level"]) == (
        1,
        ["shop"],
        "warning",
    )


async def test_since_is_when_the_status_began(exchanges: Exchanges) -> None:
    watch = watch_on(exchanges)
    for one in (GOOD, GOOD, BAD):
        exchanges.record(one)
    await watch.look()
    (first,) = watch.seen
    exchanges.record(GOOD)
    exchanges.record(BAD)
    exchanges.changed_at += timedelta(seconds=90)
    await watch.look()

    assert first.status is SystemStatus.DEGRADED
    assert watch.seen[0].since == watch.now()[0].since == first.since


async def test_a_listener_that_fails_does_not_keep_others_from_hearing(
    exchanges: Exchanges,
) -> None:
    heard: list[Sequence[System]] = []

    def broken(_: Sequence[System]) -> None:
        raise RuntimeError("broken")

    watch = watch_on(exchanges)
    watch.tell(broken)
    watch.tell(heard.append)
    with capture_logs():
        await watch.look()

    assert [one.upstream for one in heard[0]] == ["erp"]


async def test_a_system_that_is_down_has_its_impact_without_a_journal(
    exchanges: Exchanges,
) -> None:
    watch = watch_on(exchanges)
    exchanges.record(BAD)
    await watch.look()

    impact = watch.now()[0].impact
    assert impact is not None
    assert "Query.orders" in impact.fields
