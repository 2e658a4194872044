"""What a `[upstreams.<name>]` table of kind `akeneo` may hold."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, SecretStr

from ports.catalog import ProductRelationKind
from upstream.config import UpstreamConfig

DocumentRole = Literal["DATASHEET", "MANUAL", "CERTIFICATE", "OTHER"]


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise ValueError("must be a time zone of the IANA database, such as UTC") from unknown
    return name


DEFAULT_ASSOCIATIONS = {
    "X_SELL": ProductRelationKind.CROSS_SELL,
    "CROSS_SELL": ProductRelationKind.CROSS_SELL,
    "UPSELL": ProductRelationKind.UPSELL,
    "SUBSTITUTION": ProductRelationKind.SUBSTITUTE,
    "SUBSTITUTE": ProductRelationKind.SUBSTITUTE,
    "ACCESSORY": ProductRelationKind.ACCESSORY,
    "ACCESSORIES": ProductRelationKind.ACCESSORY,
    "SPARE_PART": ProductRelationKind.SPARE_PART,
    "SPARE_PARTS": ProductRelationKind.SPARE_PART,
    "PACK": ProductRelationKind.PACK,
}


class AkeneoConfig(UpstreamConfig):
    """Connection, language and channel, and which attributes mean what to a shop."""

    client_id: str = Field(min_length=1, description="Client ID of the PIM's connection.")
    client_secret: SecretStr = Field(description="Secret of the PIM's connection.")
    username: str = Field(min_length=1, description="User name of the PIM's connection.")
    password: SecretStr = Field(description="Password of the PIM's connection.")
    channel: str = Field(
        default="ecommerce", min_length=1, description="Channel whose values and tree are shown."
    )
    channel_tree_only: bool = Field(
        default=False, description="Hide products that are not in the channel's category tree."
    )
    category_tree: str | None = Field(
        default=None, description="Root category of the shop; else the channel's own tree."
    )
    locales: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict,
        description="Language (`fr`, `fr-BE`) to locale of the PIM (`fr_FR`), or to several, best "
        "first. Languages not named here take the channel's locale of that language.",
    )
    default_locale: str | None = Field(
        default=None, description="Locale read last of all; else the channel's first."
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC", description="Time zone of the PIM's server, in which it reads dates."
    )
    identifier_attribute: str = Field(
        default="sku", description="Main identifier attribute; its value is the SKU."
    )
    name_attribute: str = Field(default="name", description="Attribute of the product's name.")
    model_name_attribute: str | None = Field(
        default=None, description="Attribute of a product model's name; else the product's."
    )
    description_attribute: str | None = Field(
        default="description", description="Attribute of the description."
    )
    brand_attribute: str | None = Field(default="brand", description="Attribute of the brand.")
    gtin_attribute: str | None = Field(default="gtin", description="Attribute of the GTIN or EAN.")
    image_attributes: tuple[str, ...] | None = Field(
        default=None, description="Attributes shown as images; else all of the image type."
    )
    document_attributes: tuple[str, ...] | None = Field(
        default=None, description="Attributes shown as documents; else all of the file type."
    )
    document_roles: dict[str, DocumentRole] = Field(
        default_factory=dict, description="Attribute to what its file is; else told by its code."
    )
    association_types: dict[str, ProductRelationKind] = Field(
        default_factory=lambda: dict(DEFAULT_ASSOCIATIONS),
        description="Association type of the PIM to kind of relation; types not named are hidden.",
    )

    @classmethod
    def example(cls) -> dict[str, object]:
        return {
            "kind": "akeneo",
            "base_url": "https://pim.example.com",
            "client_id": "1_example",
            "client_secret": "to-be-replaced",
            "username": "passerelle_1234",
            "password": "to-be-replaced",
        }
