from datetime import UTC, datetime, timedelta

import pytest

from connectors.registry import manifests
from gateway.telemetry.systems import DOWN_SECONDS, Watched, guarded_status, status, systems
from ports.errors import UnavailableError
from ports.systems import SystemStatus
from upstream.circuit import CircuitState
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


CLOSED, OPEN, HALF = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


@pytest.mark.parametrize(
    ("circuits", "expected"),
    [
        ((), SystemStatus.UP),
        ((CLOSED, CLOSED), SystemStatus.UP),
        ((CLOSED, OPEN), SystemStatus.DEGRADED),
        ((CLOSED, HALF), SystemStatus.DEGRADED),
        ((OPEN, HALF), SystemStatus.DOWN),
    ],
)
def test_an_open_circuit_is_trouble_although_nothing_fails_any_more(
    circuits: tuple[CircuitState, ...], expected: SystemStatus
) -> None:
    assert guarded_status(SystemStatus.UP, circuits) is expected


def test_closed_circuits_do_not_hide_what_was_seen() -> None:
    assert guarded_status(SystemStatus.DOWN, (CLOSED, OPEN)) is SystemStatus.DOWN
    assert guarded_status(SystemStatus.UNKNOWN, (CLOSED,)) is SystemStatus.UNKNOWN


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


@pytest.mark.parametrize(
    ("seconds", "expected"), [(1, SystemStatus.DEGRADED), (DOWN_SECONDS, SystemStatus.DOWN)]
)
def test_what_only_fails_for_a_while_is_down_however_well_it_was_before(
    seconds: float, expected: SystemStatus
) -> None:
    exchanges = Exchanges()
    upstream = Upstream("erp", manifests()["odoo"], exchanges)
    for _ in range(100):
        exchanges.record(Exchange("orders.search", 0.1, 200, None, "r1"))
    broken = UnavailableError(system="ERP", upstream="erp", operation="orders.search")
    for _ in range(5):
        exchanges.record(Exchange("orders.search", 0.1, 503, "UPSTREAM_UNAVAILABLE", "r1"))
        circuit = upstream.circuits.of("orders.search")
        circuit.failed(circuit.begin(), broken)
    other = upstream.circuits.of("stock.availability")
    other.succeeded(other.begin())
    assert other.state is CLOSED
    exchanges.changed_at = datetime.now(UTC) - timedelta(seconds=seconds)

    (system,) = systems([Watched(upstream, ())])

    assert system.status is expected
