"""What every upstream is configured with; a connector's own keys are added by its subclass."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address with a host")
    if parts.username or parts.password:
        raise ValueError("must not contain credentials; use the connector's own keys for them")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    return text.rstrip("/")


BaseUrl = Annotated[str, AfterValidator(_http_url)]
"An http(s) address without trailing slash, credentials, query or fragment."

Seconds = Annotated[float, Field(gt=0, le=600)]


class UpstreamConfig(BaseModel):
    """Keys that each `[upstreams.<name>]` table may hold, whatever its kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: str = Field(description="Connector name (`odoo`) or import path (`company.sage:Sage`).")
    base_url: BaseUrl = Field(description="Root address of the system's API.")
    connect_timeout_seconds: Seconds = Field(
        default=2.0, description="Longest wait for a connection to be made."
    )
    timeout_seconds: Seconds = Field(default=5.0, description="Longest wait for one try.")
    tries: int = Field(default=3, ge=1, le=5, description="Tries of one read, the first included.")
    concurrency: int | None = Field(
        default=None, ge=1, le=1000, description="Calls at once; else the connector's own limit."
    )
    rate_per_second: float | None = Field(
        default=None, gt=0, description="Calls per second; else the connector's own limit."
    )
    answer_limit_bytes: int = Field(
        default=10 * 1024 * 1024, ge=1024, description="Longer answers are refused."
    )
    verify_tls: bool = Field(default=True, description="Check the system's certificate.")
    ca_file: str | None = Field(
        default=None, description="PEM file of the authority that signed the system's certificate."
    )
