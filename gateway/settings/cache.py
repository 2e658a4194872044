"""How long answers are reused, how many are remembered, and how they are kept in a shared store."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from gateway.http.response_cache import ReplyLimits
from upstream.cache import Cache
from upstream.lifetimes import CachePolicy, Override
from upstream.uses import Observe

_WEEK = 7 * 86_400
_SECRET_LENGTH = 16


def _strong(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _SECRET_LENGTH:
        raise ValueError(f"must have at least {_SECRET_LENGTH} characters")
    return secret


def _lifetime(meaning: str) -> float | None:
    found: float | None = Field(default=None, ge=0, le=_WEEK, description=meaning)
    return found


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LifetimeSettings(_Table):
    """How long the answers of an operation, or of a role, of one upstream are good."""

    max_age_seconds: float | None = _lifetime("Reused for so long; 0 always asks the system.")
    stale_while_revalidate_seconds: float | None = _lifetime(
        "Past that, for so long a slow system is waited for `cache.patience_seconds` only. "
        "Else as long as `max_age_seconds`."
    )
    stale_if_error_seconds: float | None = _lifetime(
        "Past that, for so long the old answer stands in when the system fails; 0 never."
    )

    def override(self) -> Override:
        return Override(
            self.max_age_seconds,
            self.stale_while_revalidate_seconds,
            self.stale_if_error_seconds,
        )


class ResponseSettings(_Table):
    """Whole answers as they were sent, for those they were made for; in the process only."""

    enabled: bool = Field(
        default=True, description="Answer a request asked again from the bytes that were sent."
    )
    max_bytes: int = Field(
        default=64 * 1024 * 1024, ge=0, le=64 * 1024**3, description="Most memory for them, about."
    )
    max_entries: int = Field(
        default=50_000, ge=1, le=10_000_000, description="Most answers that are kept."
    )
    max_entry_bytes: int = Field(
        default=2 * 1024 * 1024, ge=0, le=1024**3, description="Longer answers are not kept."
    )
    max_seconds: float = Field(
        default=300,
        gt=0,
        le=3600,
        description="Longest time for which one is reused, though its parts may hold longer.",
    )

    def limits(self) -> ReplyLimits:
        return ReplyLimits(self.max_bytes, self.max_entries, self.max_entry_bytes, self.max_seconds)


class CacheSettings(_Table):
    """Answers of the systems, in the process and, where `redis.url` is set, shared by replicas."""

    enabled: bool = Field(default=True, description="Reuse answers; else always ask the systems.")
    memory_entries: int = Field(
        default=50_000, ge=1, le=10_000_000, description="Most answers that a process remembers."
    )
    memory_bytes: int = Field(
        default=128 * 1024 * 1024,
        ge=1024 * 1024,
        le=64 * 1024**3,
        description="Most memory for them, about.",
    )
    memory_seconds: float = Field(
        default=60,
        gt=0,
        le=60,
        description="How long a process trusts its own memory where a store is shared: "
        "an invalidation that it missed ends with this.",
    )
    negative_seconds: float = Field(
        default=5, ge=0, le=3600, description="How long it is remembered that a key is not known."
    )
    patience_seconds: float = Field(
        default=0.5,
        ge=0,
        le=60,
        description="How long a system is waited for while an answer just past its lifetime "
        "could stand in.",
    )
    jitter: float = Field(
        default=0.1, ge=0, le=0.9, description="Part of a lifetime by which it may be shorter."
    )
    store_timeout_seconds: float = Field(
        default=0.05, gt=0, le=10, description="Longest wait for the shared store."
    )
    secret: Annotated[SecretStr, AfterValidator(_strong)] | None = Field(
        default=None,
        description="Encrypts what is kept in the shared store; all replicas need the same.",
    )
    responses: ResponseSettings = Field(
        default=ResponseSettings(), description="Whole answers, as they were sent."
    )
    lifetimes: Mapping[str, Mapping[str, LifetimeSettings]] = Field(
        default_factory=dict,
        description="By upstream, then by operation (`stock.availability`) or role (`stock`).",
    )

    def policy(self) -> CachePolicy:
        return CachePolicy(
            jitter=self.jitter,
            negative_seconds=self.negative_seconds,
            patience_seconds=self.patience_seconds,
            memory_entries=self.memory_entries,
            memory_bytes=self.memory_bytes,
            memory_seconds=self.memory_seconds,
            overrides={
                upstream: {name: told.override() for name, told in operations.items()}
                for upstream, operations in self.lifetimes.items()
            },
        )

    def open(self, store_url: SecretStr | None, observe: Observe | None = None) -> Cache | None:
        """The cache as configured, without touching the network; None where it is disabled."""
        if not self.enabled:
            return None
        if store_url is None:
            return Cache(self.policy(), observe=observe)
        from upstream.redis_store import RedisStore

        store = RedisStore(
            store_url.get_secret_value(),
            secret=self.secret.get_secret_value().encode() if self.secret else None,
            seconds=self.store_timeout_seconds,
        )
        return Cache(self.policy(), store, observe=observe)
