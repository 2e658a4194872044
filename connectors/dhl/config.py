"""What a `[upstreams.<name>]` table of kind `dhl` may hold."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr

from upstream.config import UpstreamConfig

Service = Literal[
    "dgf",
    "dsc",
    "ecommerce",
    "ecommerce-europe",
    "express",
    "freight",
    "parcel-de",
    "parcel-nl",
    "parcel-pl",
    "parcel-uk",
    "post-de",
    "sameday",
]


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError("must be a time zone of the IANA database, such as UTC") from unknown
    return name


class DhlConfig(UpstreamConfig):
    """One application of DHL's developer portal."""

    api_key: SecretStr = Field(description="Consumer key of the application (DHL-API-Key).")
    service: Service | None = Field(
        default=None, description="Division that carries all parcels; else DHL searches them all."
    )
    requester_country: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = Field(
        default=None, description="ISO 3166 country of the shop; DHL searches faster with it."
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC",
        description="Time zone of moments that DHL tells without offset, where the country of "
        "the event does not settle it.",
    )

    @classmethod
    def example(cls) -> dict[str, object]:
        """The least that a DHL upstream needs."""
        return {
            "kind": "dhl",
            "base_url": "https://api-eu.dhl.com",
            "api_key": "0123456789abcdef",
        }
