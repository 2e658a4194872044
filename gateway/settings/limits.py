"""How large operations may be."""

from pydantic import BaseModel, ConfigDict, Field

from gateway.operations.documents import DocumentLimits
from gateway.operations.limits import OperationLimits


class LimitsSettings(BaseModel):
    """Refused before any system is called; counted as if fragments were written out."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    tokens: int = Field(default=2_000, ge=10, le=100_000, description="Tokens of a document.")
    depth: int = Field(default=12, ge=1, le=60, description="Levels of nested fields.")
    introspection_depth: int = Field(
        default=15, ge=1, le=60, description="Levels of nested fields below `__schema`."
    )
    aliases: int = Field(default=30, ge=0, le=10_000, description="Aliases in an operation.")
    root_fields: int = Field(default=20, ge=1, le=1_000, description="Fields at the root.")
    directives: int = Field(default=50, ge=0, le=10_000, description="Directives in an operation.")
    operations: int = Field(default=50, ge=1, le=1_000, description="Operations of a document.")
    cost: int = Field(
        default=5_000,
        ge=1,
        le=10**9,
        description="Objects that an operation may make, lists by their size.",
    )
    body_bytes: int = Field(
        default=100 * 1024, ge=1024, le=16 * 1024 * 1024, description="Bytes of a request's body."
    )

    def documents(self) -> DocumentLimits:
        return DocumentLimits(
            max_tokens=self.tokens,
            operation=OperationLimits(
                self.depth,
                self.introspection_depth,
                self.aliases,
                self.root_fields,
                self.directives,
                self.operations,
            ),
        )
