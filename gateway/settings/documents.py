"""The keys of `[trusted_documents]` and `[apq]`: documents that clients name instead of sending."""

from collections.abc import Callable
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.operations.documents import Documents
from gateway.operations.persisted import MemoryStore, PersistedDocuments, TextStore
from gateway.operations.text_redis import RedisTexts
from gateway.operations.trusted import ManifestError, Mode, TrustedDocuments, read_manifest
from gateway.redis_client import redis_client
from gateway.settings.problems import Problem, SettingsError
from gateway.settings.rates import RedisSettings

FILE = "trusted_documents.file"

log = structlog.get_logger(__name__)


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TrustedDocumentsSettings(_Table):
    """Documents known beforehand, from a manifest that the clients' build writes."""

    mode: Mode = Field(
        default="off",
        description="What becomes of documents that are not in the manifest: `off` serves them, "
        "`log` serves them and logs each once, `only` refuses them.",
    )
    file: str | None = Field(
        default=None,
        min_length=1,
        description="The manifest: Apollo's persisted query manifest, or a JSON object of "
        "identifiers and texts as Relay and GraphQL Code Generator write it.",
    )

    @model_validator(mode="after")
    def _file_where_needed(self) -> "TrustedDocumentsSettings":
        if self.mode != "off" and self.file is None:
            raise ValueError(f"`mode` {self.mode} needs a `file`")
        return self

    def read(self, documents: Documents) -> TrustedDocuments | None:
        """What cannot be served is left out and logged.

        Raises SettingsError for a file that is no manifest, and for all that is wrong with its
        documents where only those are served.
        """
        if self.file is None:
            return None
        try:
            manifest = read_manifest(Path(self.file), documents)
        except ManifestError as error:
            raise SettingsError([Problem(FILE, str(error))]) from error
        if self.mode == "only":
            self._insist(manifest.problems or (() if manifest.texts else ("holds no documents",)))
        for problem in manifest.problems:
            log.warning("trusted document left out", problem=problem)
        return TrustedDocuments(manifest.texts, self.mode)

    @staticmethod
    def _insist(problems: tuple[str, ...]) -> None:
        if problems:
            raise SettingsError([Problem(FILE, problem) for problem in problems])


class ApqSettings(_Table):
    """Automatic persisted queries: clients name a document that was sent before by its SHA-256."""

    enabled: bool = Field(
        default=True,
        description="Keep documents that clients register. Never where only trusted ones are "
        "served.",
    )
    memory_bytes: int = Field(
        default=8 * 1024 * 1024,
        ge=64 * 1024,
        le=1024 * 1024 * 1024,
        description="Memory for registered documents; the least used are forgotten beyond it.",
    )


def text_store(
    trusted: TrustedDocumentsSettings, apq: ApqSettings, redis: RedisSettings
) -> MemoryStore | RedisTexts | None:
    """Where registered documents are kept; None where none are. Touches no network yet."""
    if not apq.enabled or trusted.mode == "only":
        return None
    near = MemoryStore(apq.memory_bytes)
    if redis.url is None:
        return near
    return RedisTexts(redis_client(redis.url.get_secret_value(), redis.timeout_seconds), near)


def persisted_documents(
    documents: Documents,
    trusted: TrustedDocumentsSettings,
    store: TextStore | None,
    reads_schema: Callable[[object], bool] = lambda _: False,
) -> PersistedDocuments:
    """What finds documents for an engine. Raises SettingsError as `read` does."""
    return PersistedDocuments(documents, trusted.read(documents), store, reads_schema)
