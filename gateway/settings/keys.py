"""The keys of `[access.keys]`: where API keys are kept and what protects them there."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

SQLITE = "sqlite:"
REDIS = ("redis", "rediss", "unix")
PEPPER_LENGTH = 32


def _place(text: str) -> str:
    if text.startswith(SQLITE):
        if not text.removeprefix(SQLITE).strip("/"):
            raise ValueError("must name a file: sqlite:var/keys.db")
        return text
    # The two speak the same protocol, but the client knows one of the names only.
    address = text.replace("valkey", "redis", 1) if text.startswith("valkey") else text
    parts = urlsplit(address)
    if parts.scheme not in REDIS:
        raise ValueError("must be sqlite:<file> or a redis://, rediss:// or unix:// address")
    if parts.password or "password=" in parts.query:
        raise ValueError("must not hold the password; that is `store_password`")
    return address


def _strong(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < PEPPER_LENGTH:
        raise ValueError(f"must have at least {PEPPER_LENGTH} characters")
    return secret


PepperText = Annotated[SecretStr, AfterValidator(_strong)]


class KeySettings(BaseModel):
    """API keys of applications and partners; without a pepper none are accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    store: Annotated[str, AfterValidator(_place)] = Field(
        default="sqlite:var/keys.db",
        description="Where API keys are kept: `sqlite:<file>` on one machine, "
        "`redis://host:6379/0` (or `rediss://`, `unix://`) for several.",
    )
    store_password: SecretStr | None = Field(
        default=None, description="Password of the Redis or Valkey that keeps API keys."
    )
    pepper: PepperText | None = Field(
        default=None,
        description="Secret that API keys are stored under, from `passerelle keys pepper`. "
        "Without it no API key is accepted; with another one none of the old ones.",
    )
    previous_pepper: PepperText | None = Field(
        default=None,
        description="The pepper before, while keys that were made with it are still in use.",
    )
    grace_seconds: float = Field(
        default=60,
        ge=0,
        le=600,
        description="How long keys that were verified lately go on while their store is down.",
    )
    test_keys: bool = Field(default=True, description="Accept keys made with `--test`.")

    @model_validator(mode="after")
    def _two_peppers(self) -> "KeySettings":
        if self.previous_pepper is not None and self.previous_pepper == self.pepper:
            raise ValueError("`previous_pepper` must differ from `pepper`")
        return self
