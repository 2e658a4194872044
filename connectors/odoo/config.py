"""What `[upstreams.<name>]` holds for an Odoo database."""

from decimal import Decimal
from typing import Literal

from pydantic import Field, SecretStr

from upstream.config import UpstreamConfig

_LANGUAGES = {
    "en": "en_US",
    "fr": "fr_FR",
    "de": "de_DE",
    "es": "es_ES",
    "it": "it_IT",
    "nl": "nl_NL",
    "pt": "pt_PT",
    "pl": "pl_PL",
}


class OdooConfig(UpstreamConfig):
    """One Odoo database, as one user with an API key sees it."""

    api_key: SecretStr = Field(description="API key of the user that the gateway reads as.")
    next_api_key: SecretStr | None = Field(
        default=None,
        description="The key that follows: tried when `api_key` is refused (Odoo's keys expire).",
    )
    database: str | None = Field(
        default=None, description="Database name, needed when one address serves several."
    )
    company_id: int | None = Field(
        default=None, ge=1, description="Odoo company to read as; else the user's own."
    )
    languages: dict[str, str] = Field(
        default_factory=lambda: dict(_LANGUAGES),
        description="Language tag (`fr`, `fr-CH`) to Odoo's language code (`fr_FR`).",
    )
    pricing: Literal["rules", "dry-run"] = Field(
        default="rules",
        description="`rules` evaluates price lists here; `dry-run` asks Odoo line by line.",
    )
    public_pricelist: int | str | None = Field(
        default=None,
        description="Price list (id or name) of callers without a customer; else the list price.",
    )
    agreement_pricelists: tuple[int | str, ...] = Field(
        default=(),
        description="Price lists (ids or names) that are one customer's agreement.",
    )
    discounts_shown: bool = Field(
        default=True,
        description="Odoo's setting `Discounts` is on: a percentage shows on the line, to 0.01 %.",
    )
    low_stock: Decimal = Field(
        default=Decimal(5), ge=0, description="At or below this quantity stock counts as low."
    )

    hold_words: tuple[str, ...] = Field(
        default=("on hold", "blocked"),
        description="Words in a customer's sales warning that mean: no orders accepted.",
    )
    carriers: dict[str, str] = Field(
        default_factory=dict,
        description="Delivery method's name or type to the carrier code of `[roles.tracking]`; "
        "else the code follows from Odoo's integration type or the method's name.",
    )

    @classmethod
    def example(cls) -> dict[str, object]:
        """The least that an Odoo upstream needs."""
        return {
            "kind": "odoo",
            "base_url": "https://erp.example.com",
            "api_key": "0123456789abcdef",
        }
