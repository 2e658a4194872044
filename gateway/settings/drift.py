"""Whether live answers of systems are held against their recorded shape, and how many."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class DriftSettings(BaseModel):
    """Notices when a system's answers change; `passerelle doctor --record` writes the recordings."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = Field(
        default=False, description="Hold samples of live answers against the recordings."
    )
    directory: Path = Field(
        default=Path("var/drift"),
        description="Folder of the recordings, a file an upstream. Operations that are in none are "
        "learned from their first hundred samples and added.",
    )
    sample_every: int = Field(
        default=50, ge=1, le=1_000_000, description="About one answer in so many is looked at."
    )
