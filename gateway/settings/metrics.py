"""What monitoring may read, and where traces are sent."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from gateway.telemetry.tracing.otlp import Exporter
from upstream.config import BaseUrl


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class MetricsSettings(_Table):
    """Figures for Prometheus at `/metrics`."""

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


def _plain(headers: Mapping[str, SecretStr]) -> Mapping[str, SecretStr]:
    for name, value in headers.items():
        if not name.replace("-", "").isalnum() or not value.get_secret_value().isprintable():
            raise ValueError("must be names and values of HTTP headers")
    return headers


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
    headers: Annotated[Mapping[str, SecretStr], AfterValidator(_plain)] = Field(
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
