"""The keys of `[http]`: connections, and what may come over them."""

from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.http.server import ConnectionRules

# Beside the query string, which may be as long as a body.
PATH_BYTES = 8 * 1024


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError:
        raise ValueError("must be an IP address or a network such as 10.0.0.0/8") from None
    return text


class HttpSettings(BaseModel):
    """What every client has to keep to before it is asked who it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    header_seconds: float = Field(
        default=10, gt=0, le=600, description="Longest time to send a request's head."
    )
    body_seconds: float = Field(
        default=10, gt=0, le=600, description="Longest time to send a request's body."
    )
    write_seconds: float = Field(
        default=30, gt=0, le=600, description="Longest time that a client takes nothing in."
    )
    keep_alive_seconds: int = Field(
        default=75,
        ge=1,
        le=3600,
        description="How long an idle connection is kept; longer than the load balancer's own.",
    )
    connections: int = Field(
        default=4_000,
        ge=10,
        le=1_000_000,
        description="Connections at once; beyond them the one that is idle longest is closed, and "
        "a new one refused with 503 if none is.",
    )
    headers: int = Field(default=100, ge=10, le=1_000, description="Headers of a request.")
    header_bytes: int = Field(
        default=16 * 1024, ge=1024, le=1024 * 1024, description="Bytes of a request's headers."
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(),
        description="Addresses or networks whose `X-Forwarded-For` and `X-Forwarded-Proto` tell "
        "the client; those of others are ignored.",
    )

    def rules(self, body_bytes: int) -> ConnectionRules:
        """`body_bytes`: of a body, and so of a query string."""
        return ConnectionRules(
            head_seconds=self.header_seconds,
            body_seconds=self.body_seconds,
            write_seconds=self.write_seconds,
            connections=self.connections,
            headers=self.headers,
            header_bytes=self.header_bytes,
            target_bytes=body_bytes + PATH_BYTES,
        )
