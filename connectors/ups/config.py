"""What a `[upstreams.<name>]` table of kind `ups` may hold."""

from typing import Annotated

from pydantic import Field, SecretStr

from upstream.config import UpstreamConfig

Locale = Annotated[str, Field(pattern="^[a-z]{2}_[A-Z]{2}$")]

_LOCALES = {
    "da": "da_DK",
    "de": "de_DE",
    "de-AT": "de_AT",
    "de-CH": "de_CH",
    "en": "en_US",
    "en-CA": "en_CA",
    "en-GB": "en_GB",
    "es": "es_ES",
    "es-MX": "es_MX",
    "fi": "fi_FI",
    "fr": "fr_FR",
    "fr-BE": "fr_BE",
    "fr-CA": "fr_CA",
    "fr-CH": "fr_CH",
    "it": "it_IT",
    "ja": "ja_JP",
    "nl": "nl_NL",
    "nl-BE": "nl_BE",
    "pl": "pl_PL",
    "pt": "pt_PT",
    "pt-BR": "pt_BR",
    "sv": "sv_SE",
}


class UpsConfig(UpstreamConfig):
    """One application of UPS's developer portal."""

    client_id: str = Field(min_length=1, description="Client ID of the application.")
    client_secret: SecretStr = Field(description="Client secret of the application.")
    transaction_source: str = Field(
        default="passerelle",
        pattern="^[!-~]{1,512}$",
        description="What UPS is told as the calling application (transactionSrc).",
    )
    locales: dict[str, Locale] = Field(
        default_factory=lambda: dict(_LOCALES),
        description="Language tag (`fr`, `fr-CH`) to UPS's locale (`fr_FR`).",
    )
    default_locale: Locale = Field(
        default="en_US", description="Locale of languages that `locales` does not name."
    )

    @classmethod
    def example(cls) -> dict[str, object]:
        """The least that a UPS upstream needs."""
        return {
            "kind": "ups",
            "base_url": "https://onlinetools.ups.com",
            "client_id": "passerelle",
            "client_secret": "0123456789abcdef",
        }
