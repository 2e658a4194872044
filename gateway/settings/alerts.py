"""The keys of `[[alerts]]` and `[alerting]`: who is told, and when it is worth it."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from gateway.telemetry.alerts import EVENTS, Event
from gateway.telemetry.alerts_sending import Target


def _web_address(address: SecretStr) -> SecretStr:
    parts = urlsplit(address.get_secret_value())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// address with a host")
    return address


def _signing(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < 16:  # noqa: PLR2004 - said in the message
        raise ValueError("must have at least 16 characters")
    if text.startswith("whsec_"):
        try:
            b64decode(text.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            raise ValueError("must be base64 after `whsec_`") from None
    return secret


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def named_or_listed(told: object) -> object:
    """`[alerts.ops]` is as good as `[[alerts]]` with a name, and variables can reach it."""
    if not isinstance(told, Mapping):
        return told
    return tuple(
        {"name": name, **one} if isinstance(one, Mapping) else one for name, one in told.items()
    )


class AlertSettings(_Table):
    """A webhook that is told of alerts and of their end."""

    name: str = Field(
        default="alerts", min_length=1, max_length=100, description="What the log calls it."
    )
    url: Annotated[SecretStr, AfterValidator(_web_address)] = Field(
        description="Where alerts are sent by POST; who knows it may write there, so it is secret."
    )
    kind: Literal["generic", "slack"] = Field(
        default="generic",
        description="`generic`: the alert as JSON; `slack`: a message as Slack, Mattermost and "
        "others take it.",
    )
    events: tuple[Event, ...] = Field(
        default=EVENTS,
        min_length=1,
        description="Of what it is told: `system` (down, up again), `drift`, `errors` (many of one "
        "cause), `credentials` (near their end).",
    )
    secret: Annotated[SecretStr, AfterValidator(_signing)] | None = Field(
        default=None,
        description="Signs messages (HMAC-SHA256, headers of Standard Webhooks); none: unsigned.",
    )

    def target(self) -> Target:
        secret = None if self.secret is None else self.secret.get_secret_value()
        address = self.url.get_secret_value()
        return Target(self.name, address, self.kind, frozenset(self.events), secret)


class AlertingSettings(_Table):
    """When it is worth an alert."""

    down_seconds: float = Field(
        default=10, ge=0, le=3600, description="A system is down so long before anybody is told."
    )
    recovery_seconds: float = Field(
        default=30, ge=0, le=3600, description="It answers again so long before it counts as up."
    )
    repeat_seconds: float = Field(
        default=4 * 3600,
        ge=60,
        le=30 * 86_400,
        description="What lasts is told again after so long.",
    )
    spike_count: int = Field(
        default=20, ge=1, le=5000, description="Errors of one cause in five minutes, at the least."
    )
    spike_factor: float = Field(
        default=4, ge=1, le=1000, description="And so many times what the hour before had."
    )
    expiry_days: int = Field(
        default=14,
        ge=0,
        le=365,
        description="Days before a credential's end from which on to tell.",
    )
    expiries: Mapping[str, date] = Field(
        default_factory=dict,
        description="Last days of credentials, by a name of your choice (`ups_secret = "
        "2027-01-31`); under an upstream's name instead of what the system tells (Odoo does).",
    )
