"""What monitoring may read, and where traces are sent."""

from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from gateway.telemetry.tracing.otlp import Exporter
from upstream.config import BaseUrl

if TYPE_CHECKING:
    from gateway.telemetry.metrics.otlp import Push
    from gateway.telemetry.metrics.otlp_points import Gauge, Points


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _plain(headers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
    for name, value in headers.items():
        if not name.replace("-", "").isalnum() or not value.get_secret_value().isprintable():
            raise ValueError("must be names and values of HTTP headers")
    return headers


Headers = Annotated[Mapping[str, SecretStr], AfterValidator(_plain)]


class MetricsSettings(_Table):
    """Figures for Prometheus at `/metrics`, and pushed by OTLP over HTTP."""

    enabled: bool = Field(default=True, description="Count, and serve the figures at `/metrics`.")
    allow: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(),
        description="Networks (`10.0.0.0/8`) that may read them without credentials; all others "
        "need the scope `systems:read`.",
    )
    operations: int = Field(
        default=100,
        ge=2,
        le=10_000,
        description="Names of GraphQL operations that are told apart; all others are `other`.",
    )
    endpoint: BaseUrl | None = Field(
        default=None,
        description="Base address of an OpenTelemetry collector (`http://localhost:4318`) that the "
        "figures are pushed to; none pushes nothing.",
    )
    headers: Headers = Field(
        default_factory=dict, description="Headers for the collector, an authorization perhaps."
    )
    every_seconds: float = Field(
        default=60, ge=1, le=3600, description="How often figures are pushed."
    )
    temporality: Literal["cumulative", "delta"] = Field(
        default="cumulative",
        description="Whether pushes tell all since the start, or what is new since the last one.",
    )

    def push(
        self,
        service: str,
        points: "Callable[[], Iterable[Points]]",
        gauges: "Callable[[], list[Gauge]]",
    ) -> "Push | None":
        """Nothing is sent before it is entered."""
        if self.endpoint is None:
            return None
        from gateway.telemetry.metrics.otlp import Place, Push

        resource = {
            "service.name": service,
            "service.version": version("passerelle"),
            "service.instance.id": str(uuid4()),
        }
        headers = {name: value.get_secret_value() for name, value in self.headers.items()}
        place = Place(self.endpoint, headers, self.every_seconds, self.temporality, resource)
        return Push(place, points, gauges)


class TracingSettings(_Table):
    """Distributed traces: W3C Trace Context, and spans by OTLP over HTTP."""

    propagate: bool = Field(
        default=True, description="Tell systems the trace that a call belongs to (`traceparent`)."
    )
    endpoint: BaseUrl | None = Field(
        default=None,
        description="Base address of an OpenTelemetry collector (`http://localhost:4318`); "
        "none sends no spans.",
    )
    headers: Headers = Field(
        default_factory=dict, description="Headers for the collector, an authorization perhaps."
    )
    sample: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="Share of traces that are sampled, of those that clients have not decided on.",
    )
    service: str = Field(
        default="passerelle", min_length=1, description="`service.name` of the spans."
    )

    def open(self) -> Exporter | None:
        """Nothing is sent before it is entered."""
        if self.endpoint is None:
            return None
        headers = {name: value.get_secret_value() for name, value in self.headers.items()}
        return Exporter(self.endpoint, headers, self.service)

    @property
    def share(self) -> float:
        return self.sample if self.endpoint is not None else 0.0
