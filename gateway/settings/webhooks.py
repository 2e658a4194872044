"""The keys of `[webhooks.<name>]` and `[polling.<upstream>]`: how changes become known."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from upstream.config import BaseUrl
from upstream.poller import PollTerms

SECRET_LENGTH = 8
_HEADER = re.compile(r"[A-Za-z0-9-]*")


def _long(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SECRET_LENGTH:
        raise ValueError(f"must have at least {SECRET_LENGTH} characters")
    return secret


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name):
        raise ValueError("must be the name of a header, or empty for none")
    return name


SharedSecret = Annotated[SecretStr, AfterValidator(_long)]
HeaderName = Annotated[str, AfterValidator(_header)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class WebhookSettings(_Table):
    """Who may send to `/webhooks/<name>`; the keys of headers are for `signed` alone."""

    secret: SharedSecret = Field(
        description="What messages are proven by: Akeneo's primary secret, the client secret of "
        "HubSpot's app, the credential agreed with UPS, or the secret that both sides sign with."
    )
    next_secret: SharedSecret | None = Field(
        default=None,
        description="A second secret that is accepted too: Akeneo's secondary one, or the one "
        "that follows.",
    )
    scheme: Literal["vendor", "signed"] | None = Field(
        default=None,
        description="`vendor`: as the upstream's system does it; `signed`: by headers and secret. "
        "Else `vendor` where the connector knows how, and `signed` elsewhere.",
    )
    window_seconds: float | None = Field(
        default=None,
        gt=0,
        le=604_800,
        description="How far a message's time may be off; else 300 where the moment is signed, and "
        "any time of Akeneo and UPS, which send again after hours.",
    )
    url: BaseUrl | None = Field(
        default=None,
        description="Address that was given to the sender, where it signs that (HubSpot); "
        "else `server.public_url` with the path, or the host that the request names.",
    )
    body_bytes: int = Field(
        default=1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="Longest message."
    )
    requests_per_second: float = Field(
        default=200, gt=0, le=100_000, description="More messages than this are answered 429."
    )
    known: str | None = Field(
        default=None,
        min_length=1,
        description="File that keeps over restarts which messages were taken; else "
        "`var/webhooks-<name>.db`. Where `redis.url` is set it is kept there.",
    )
    signature_header: HeaderName = Field(
        default="webhook-signature", min_length=1, description="Header of the signature."
    )
    timestamp_header: HeaderName = Field(
        default="webhook-timestamp",
        description="Header of the moment in seconds since 1970, which is signed; empty: none, and "
        "then a message can be sent again by anybody who saw it.",
    )
    id_header: HeaderName = Field(
        default="webhook-id", description="Header of the message's id, which is signed; or empty."
    )
    signature_prefix: str = Field(
        default="v1,", max_length=40, description="What stands before the signature: `sha256=`."
    )
    encoding: Literal["base64", "hex"] = Field(
        default="base64", description="How the signature is written."
    )

    @model_validator(mode="after")
    def _two_secrets(self) -> "WebhookSettings":
        if self.next_secret is not None and self.next_secret == self.secret:
            raise ValueError("`next_secret` must differ from `secret`")
        return self


class PollingSettings(_Table):
    """How an upstream that sends no messages is asked for what changed (Odoo)."""

    enabled: bool = Field(
        default=True,
        description="Ask it, where answers are kept; else changes show as lifetimes end.",
    )
    interval_seconds: float = Field(
        default=30, ge=1, le=86_400, description="From one round to the next, while it answers."
    )
    overlap_seconds: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="Longest transaction whose changes are found although it was committed late.",
    )
    page: int = Field(default=500, ge=10, le=5000, description="Rows of one answer.")
    pages: int = Field(
        default=4,
        ge=1,
        le=100,
        description="Answers of one table in a round; where more changed, all of it is purged.",
    )
    cursor: str | None = Field(
        default=None,
        min_length=1,
        description="File that keeps how far was read; else `var/changes-<upstream>.json`. "
        "Where `redis.url` is set it is kept there.",
    )

    def terms(self) -> PollTerms:
        return PollTerms(
            interval_seconds=self.interval_seconds,
            overlap_seconds=self.overlap_seconds,
            page=self.page,
            pages=self.pages,
        )
