"""Whether and where it is kept what was asked of the systems."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gateway.telemetry.journal.masking import Masking
from gateway.telemetry.journal.writer import Journal, JournalRules

_DAY = 86_400


class JournalSettings(BaseModel):
    """The exchange journal: every call to a system, whom it was for, and what came of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = Field(default=True, description="Keep a journal of calls to systems.")
    file: Path = Field(
        default=Path("var/journal.db"),
        description="The SQLite file, one for each machine. A broken one is set aside.",
    )
    max_age_seconds: float = Field(
        default=7 * _DAY,
        ge=60,
        le=3660 * _DAY,
        description="Older entries are forgotten.",
    )
    max_bytes: int = Field(
        default=256 * 1024 * 1024,
        ge=1024 * 1024,
        le=1024**4,
        description="Beyond this size the oldest entries are forgotten.",
    )
    usage_seconds: float = Field(
        default=90 * _DAY,
        ge=_DAY,
        le=3660 * _DAY,
        description="How long it is kept who used which fields.",
    )
    mask: tuple[str, ...] = Field(
        default=(),
        description="Further names of fields in systems' bodies that hold personal data.",
    )

    def rules(self) -> JournalRules:
        return JournalRules(self.file, self.max_age_seconds, self.max_bytes, self.usage_seconds)

    def open(self) -> Journal | None:
        """Nothing is written before it is entered; None where it is disabled."""
        return Journal(self.rules(), Masking(self.mask)) if self.enabled else None
