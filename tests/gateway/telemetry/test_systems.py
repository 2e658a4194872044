import pytest

from connectors.registry import manifests
from gateway.telemetry.systems import Watched, status, systems
from ports.systems import SystemStatus
from upstream.connector import Upstream
from upstream.exchanges import Exchange, Exchanges, Summary


def summary(calls: int, failed: int) -> Summary:
    return Summary(calls, failed, 1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("calls", "failed", "failing", "expected"),
    [
        (0, 0, False, SystemStatus.UNKNOWN),
        (10, 0, False, SystemStatus.UP),
        (10, 10, True, SystemStatus.DOWN),
        (10, 6, True, SystemStatus.DOWN),
        (10, 6, False, SystemStatus.DEGRADED),
        (10, 2, True, SystemStatus.DEGRADED),
        (100, 5, False, SystemStatus.UP),
        (100, 6, False, SystemStatus.DEGRADED),
    ],
)
def test_how_a_system_does(
    calls: int, failed: int, *, failing: bool, expected: SystemStatus
) -> None:
    assert status(summary(calls, failed), failing=failing) is expected


def test_a_system_tells_its_last_error() -> None:
    exchanges = Exchanges()
    watched = Watched(Upstream("erp", manifests()["odoo"], exchanges), ("orders",))
    exchanges.record(Exchange("orders.search", 0.1, 200, None, "r1"))
    exchanges.record(Exchange("orders.search", 0.2, 503, "UPSTREAM_UNAVAILABLE", "-"), "It is not.")

    (system,) = systems([watched])

    assert (system.upstream, system.connector, system.roles) == ("erp", "odoo", ("orders",))
    assert system.error_rate == 0.5
    assert system.last_error is not None
    assert (system.last_error.message, system.last_error.request_id) == ("It is not.", None)


def test_a_system_that_was_never_called() -> None:
    (system,) = systems([Watched(Upstream("erp", manifests()["odoo"], Exchanges()), ())])

    assert (system.status, system.error_rate, system.last_error) == (SystemStatus.UNKNOWN, 0, None)
