"""What a `[upstreams.<name>]` table of kind `hubspot` may hold."""

from typing import Annotated

from pydantic import Field, SecretStr

from upstream.config import UpstreamConfig

PropertyName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=100)]


class HubSpotConfig(UpstreamConfig):
    """One portal, as a private app reads it, and which properties mean what to a shop."""

    token: SecretStr = Field(description="Access token of the private app.")
    api_version: str = Field(
        default="v3",
        pattern=r"^(v3|\d{4}-\d{2})$",
        description="Version in the paths: `v3` or a dated one (`2026-09`).",
    )
    number_property: PropertyName = Field(
        default="customer_number",
        description="Company property, of unique values, that holds the customer number.",
    )
    vat_property: PropertyName | None = Field(
        default="vat_number", description="Company property of the VAT number."
    )
    segment_property: PropertyName | None = Field(
        default="segment", description="Company property of the segment."
    )
    language_property: PropertyName | None = Field(
        default="preferred_language", description="Company property of the language."
    )
    email_property: PropertyName | None = Field(
        default="email", description="Company property of the e-mail address."
    )
    phone_property: PropertyName | None = Field(
        default="phone", description="Company property of the phone number."
    )
    website_property: PropertyName | None = Field(
        default="website", description="Company property of the website."
    )
    preference_prefix: PropertyName | None = Field(
        default="pref_",
        description="Company properties whose names begin so are shown as preferences, without it.",
    )
    preference_properties: tuple[PropertyName, ...] = Field(
        default=(), description="Further company properties shown as preferences, by full name."
    )

    searches_per_second: float = Field(
        default=5.0, gt=0, description="Searches that the portal allows in a second."
    )

    @classmethod
    def example(cls) -> dict[str, object]:
        """The least that a HubSpot upstream needs."""
        return {
            "kind": "hubspot",
            "base_url": "https://api.hubapi.com",
            "token": "pat-eu1-0123456789abcdef",
        }
