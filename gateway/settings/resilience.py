"""What keeps one part's trouble from the others: circuits, queues before systems, shedding."""

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.http.shedding import SheddingRules
from upstream.circuit import CircuitRules


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CircuitSettings(_Table):
    """When a system that fails is left alone, by operation, and when it is tried again."""

    enabled: bool = Field(
        default=True, description="Leave a system that fails alone for a while; else always ask."
    )
    window_seconds: float = Field(
        default=10, gt=0, le=600, description="How far back calls count towards the error rate."
    )
    minimum: int = Field(
        default=5,
        ge=1,
        le=100_000,
        description="Calls within the window below which no rate is judged; "
        "as many failures in a row open the circuit at once.",
    )
    error_rate: float = Field(
        default=0.5, gt=0, le=1, description="Share of failed calls that opens the circuit."
    )
    open_seconds: float = Field(
        default=1, gt=0, le=600, description="First wait before one call may probe the system."
    )
    open_seconds_max: float = Field(
        default=4,
        gt=0,
        le=600,
        description="Longest wait; waits double from probe to probe. "
        "A system that is back is noticed within it.",
    )
    probe_seconds: float = Field(
        default=3,
        gt=0,
        le=600,
        description="After so long without an answer to a probe, another may be sent.",
    )
    patience_seconds: float = Field(
        default=1,
        gt=0,
        le=600,
        description="A client's shorter deadline that passes does not count against the system.",
    )

    @model_validator(mode="after")
    def _waits_grow(self) -> "CircuitSettings":
        if self.open_seconds_max < self.open_seconds:
            raise ValueError("open_seconds_max must not be less than open_seconds")
        return self

    def rules(self) -> CircuitRules:
        return CircuitRules(
            window_seconds=self.window_seconds,
            minimum=self.minimum,
            error_rate=self.error_rate,
            open_seconds=self.open_seconds,
            open_seconds_max=self.open_seconds_max,
            probe_seconds=self.probe_seconds,
            patience_seconds=self.patience_seconds,
        )


class SheddingSettings(_Table):
    """What the gateway refuses (503) when more is asked of it than it can answer."""

    max_requests: int = Field(
        default=2_000,
        ge=0,
        le=1_000_000,
        description="GraphQL requests under way in one process, whatever they wait for; "
        "0 refuses none, whatever the load.",
    )
    min_requests: int = Field(
        default=64,
        ge=1,
        le=1_000_000,
        description="So many may wait to be begun at the least, under overload too.",
    )
    late_ms: float = Field(
        default=25,
        gt=0,
        le=60_000,
        description="A request should not wait longer than this to be begun.",
    )
    patience_seconds: float = Field(
        default=1,
        gt=0,
        le=600,
        description="So long all must have waited longer before any is refused: bursts are worked off.",
    )
    retry_after_seconds: int = Field(
        default=1, ge=1, le=3600, description="When those refused are told to come back."
    )

    def rules(self) -> SheddingRules:
        return SheddingRules(
            most=self.max_requests,
            least=self.min_requests,
            late_seconds=self.late_ms / 1000,
            patience_seconds=self.patience_seconds,
            retry_after_seconds=self.retry_after_seconds,
        )


class LaneSettings(_Table):
    """How urgent an operation is where a system bears fewer calls than there are, by its cost."""

    listing_cost: int = Field(
        default=500, ge=1, le=10**9, description="From here on an operation is a listing."
    )
    bulk_cost: int = Field(
        default=2_500, ge=1, le=10**9, description="From here on it is bulk, which comes last."
    )

    @model_validator(mode="after")
    def _in_order(self) -> "LaneSettings":
        if self.bulk_cost < self.listing_cost:
            raise ValueError("bulk_cost must not be less than listing_cost")
        return self


class ResilienceSettings(_Table):
    """Limits of single upstreams (`concurrency`, `rate_per_second`, `tries`) are in their tables."""

    circuit: CircuitSettings = Field(
        default=CircuitSettings(), description="When a system that fails is left alone."
    )
    queue_limit: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="Calls that may wait for one upstream; "
        "beyond it, those of the caller with most waiting are refused.",
    )
    shared_limits: bool = Field(
        default=True,
        description="Replicas hold the limits of upstreams together, where `[redis]` is configured.",
    )
    lanes: LaneSettings = Field(
        default=LaneSettings(), description="Which operations come first before a system."
    )
    shedding: SheddingSettings = Field(
        default=SheddingSettings(), description="What is refused under too much load."
    )
