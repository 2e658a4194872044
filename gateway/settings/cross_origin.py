"""Which pages of other origins may use the gateway from a browser."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

ANY = "*"
# As a browser writes it: lower case, no path, and no port that is the scheme's own.
_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_OWN_PORTS = {("http", ":80"), ("https", ":443")}


def _origin(text: str) -> str:
    if text == ANY:
        return text
    found = _ORIGIN.fullmatch(text)
    if found is None or (found[1], found[3]) in _OWN_PORTS:
        raise ValueError(
            "must be an origin as browsers send it, like https://shop.example.com: "
            "lower case, no path, no port that goes without saying"
        )
    return text


class CorsSettings(BaseModel):
    """Pages of the gateway's own origin may always ask, and programs that are no browsers."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    allowed_origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        default=(),
        max_length=1000,
        description="Origins whose pages may ask (`https://shop.example.com`), compared exactly; "
        '`"*"` lets every page ask, without cookies.',
    )
    credentials: bool = Field(
        default=False,
        description="Pages may send cookies too, for a proxy in front that wants them. "
        "Tokens and API keys need no such leave.",
    )
    max_age_seconds: int = Field(
        default=600, ge=0, le=86_400, description="How long browsers remember what is allowed."
    )

    @model_validator(mode="after")
    def _no_credentials_for_all(self) -> "CorsSettings":
        if self.credentials and ANY in self.allowed_origins:
            raise ValueError('credentials and the origin "*" exclude each other')
        return self
