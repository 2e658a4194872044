"""The keys of `[status]`: the page that shows how the systems do, and the line for shoppers."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.telemetry.impact_banner import TEXTS, TOPICS, BannerTexts

_LANGUAGE = r"^[a-z]{2,3}(-[a-z0-9]{2,8})*$"
Language = Annotated[str, Field(pattern=_LANGUAGE)]


def _has_topics(text: str) -> str:
    if "{topics}" not in text:
        raise ValueError("must hold {topics}, where the topics go")
    return text


Line = Annotated[str, AfterValidator(_has_topics)]


def _known(topics: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[str, str]]:
    for names in topics.values():
        if unknown := sorted(names.keys() - TOPICS["en"].keys()):
            raise ValueError(f"knows {', '.join(TOPICS['en'])}; not {', '.join(unknown)}")
    return topics


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class BannerSettings(_Table):
    """`GET /status/banner`: a line for shoppers while systems do badly, open to everybody."""

    enabled: bool = Field(default=True, description="Serve it.")
    max_age_seconds: int = Field(
        default=5, ge=0, le=300, description="How long browsers and proxies may keep it."
    )
    outdated: Mapping[Language, Line] = Field(
        default_factory=dict,
        description="The line by language (`en`) while old answers stand in; `{topics}` is where "
        "the topics go. There are lines in English, French and German.",
    )
    missing: Mapping[Language, Line] = Field(
        default_factory=dict,
        description="The line by language while some answers are missing.",
    )
    topics: Annotated[Mapping[Language, Mapping[str, str]], AfterValidator(_known)] = Field(
        default_factory=dict,
        description="Words for catalog, prices, stock, account, orders, invoices, deliveries, "
        "by language.",
    )

    def texts(self, default: str) -> BannerTexts:
        """A language with one line of its own has the other in English."""
        english = TEXTS["en"]
        languages = {*TEXTS, *self.outdated, *self.missing}
        lines = {
            one: (
                self.outdated.get(one, TEXTS.get(one, english)[0]),
                self.missing.get(one, TEXTS.get(one, english)[1]),
            )
            for one in languages
        }
        topics = {
            one: {**TOPICS.get(one, TOPICS["en"]), **self.topics.get(one, {})}
            for one in {*TOPICS, *self.topics}
        }
        return BannerTexts(lines, topics, default.lower().partition("-")[0])


class StatusSettings(_Table):
    """The page at `/status`."""

    enabled: bool = Field(default=True, description="Serve the page.")
    open: bool = Field(
        default=False,
        description="Everybody may see what it shows; else callers with the scope `systems:read`.",
    )
    listeners: int = Field(
        default=50, ge=1, le=10_000, description="Pages that are kept up to date at a time."
    )
    banner: BannerSettings = Field(
        default=BannerSettings(), description="The line for shoppers while systems do badly."
    )
