"""Whether answers go out compressed."""

from pydantic import BaseModel, ConfigDict, Field

from gateway.http.compression import CompressionRules


class CompressionSettings(BaseModel):
    """Answers as zstd, br or gzip, as clients accept them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    enabled: bool = Field(
        default=True, description="Compress answers; switch it off where a proxy in front does."
    )
    min_bytes: int = Field(
        default=1024, ge=256, description="Shorter answers go out as they are.", le=1024 * 1024
    )

    def rules(self) -> CompressionRules:
        return CompressionRules(self.enabled, self.min_bytes)
