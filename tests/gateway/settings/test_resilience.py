"""The keys of `[resilience]` and what they become."""

import pytest
from pydantic import ValidationError

from gateway.http.shedding import SheddingRules
from gateway.settings.resilience import (
    CircuitSettings,
    LaneSettings,
    ResilienceSettings,
    SheddingSettings,
)
from upstream.circuit import CircuitRules
from upstream.connector import Resilience


def test_defaults_are_those_of_the_code() -> None:
    assert CircuitSettings().rules() == CircuitRules()
    assert SheddingSettings().rules() == SheddingRules()
    assert SheddingSettings().rules().most > 1000, "a thousand who ask at once are answered"
    assert CircuitSettings().enabled
    assert ResilienceSettings().queue_limit == Resilience().queue_limit


def test_what_is_configured_arrives() -> None:
    circuit = CircuitSettings(
        window_seconds=20,
        minimum=7,
        error_rate=0.25,
        open_seconds=2,
        open_seconds_max=3,
        probe_seconds=5,
        patience_seconds=0.5,
    )
    assert circuit.rules() == CircuitRules(20, 10, 7, 0.25, 2, 3, 5, 0.5)
    shedding = SheddingSettings(
        max_requests=0,
        min_requests=4,
        late_ms=50,
        patience_seconds=3,
        retry_after_seconds=9,
    )
    assert shedding.rules() == SheddingRules(0, 4, 0.05, 3, retry_after_seconds=9)


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (CircuitSettings, {"open_seconds": 5, "open_seconds_max": 4}),
        (CircuitSettings, {"error_rate": 0}),
        (LaneSettings, {"listing_cost": 10, "bulk_cost": 9}),
        (ResilienceSettings, {"circuits": {}}),
    ],
)
def test_what_cannot_be_meant_is_refused(
    model: type[CircuitSettings], table: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(table)
