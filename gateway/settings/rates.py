"""How much each class of callers may ask, what is watched, and the store that replicas share."""

import re

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

# Names are told to clients in header fields.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_SCHEMES = ("redis://", "rediss://", "unix://")


def _cost_per_second(default: float) -> float:
    found: float = Field(
        default=default, gt=0, le=1e9, description="Cost that comes back each second."
    )
    return found


def _burst(default: int) -> int:
    found: int = Field(
        default=default,
        ge=1,
        le=1_000_000_000,
        description="Cost that a rested caller may ask at once. "
        "An operation that costs more is never admitted, so keep it above `limits.cost`.",
    )
    return found


def _requests_per_second(default: float | None) -> float | None:
    found: float | None = Field(
        default=default,
        gt=0,
        le=1e6,
        description="Requests a second, whatever they cost, with bursts as long as those of cost; "
        "else only cost counts.",
    )
    return found


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class RateClass(_Table):
    """What each caller of a class may ask. The defaults are those of a key that serves many."""

    cost_per_second: float = _cost_per_second(100_000)
    burst: int = _burst(1_000_000)
    requests_per_second: float | None = _requests_per_second(None)


class AnonymousClass(RateClass):
    """Callers without credentials, each address (IPv6: each /64) for itself."""

    cost_per_second: float = _cost_per_second(1_000)
    burst: int = _burst(20_000)
    requests_per_second: float | None = _requests_per_second(50)


class UserClass(RateClass):
    """Customers' people, each for themselves."""

    cost_per_second: float = _cost_per_second(5_000)
    burst: int = _burst(100_000)
    requests_per_second: float | None = _requests_per_second(100)


class StaffClass(RateClass):
    """The company's own people, each for themselves."""

    cost_per_second: float = _cost_per_second(10_000)
    burst: int = _burst(200_000)
    requests_per_second: float | None = _requests_per_second(100)


class ApplicationClass(RateClass):
    """Applications: API keys without a class of their own, and tokens of machines."""


class RateSettings(BaseModel):
    """Other names are classes of your own, for API keys: `[rates.partner]`."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)
    __pydantic_extra__: dict[str, RateClass] = Field(init=False)

    anonymous: AnonymousClass = Field(
        default=AnonymousClass(), description="Callers without credentials."
    )
    user: UserClass = Field(default=UserClass(), description="Customers' people.")
    staff: StaffClass = Field(default=StaffClass(), description="The company's own people.")
    application: ApplicationClass = Field(
        default=ApplicationClass(), description="Applications, and keys without a class."
    )

    @model_validator(mode="after")
    def _plain_names(self) -> "RateSettings":
        for name in self.__pydantic_extra__:
            if not _NAME.fullmatch(name):
                raise ValueError("a class's name has letters, digits, dashes and underscores")
        return self

    def classes(self) -> dict[str, RateClass]:
        """All classes by name."""
        own = {name: getattr(self, name) for name in type(self).model_fields}
        return {**self.__pydantic_extra__, **own}


class RedisSettings(_Table):
    """Redis or Valkey, which replicas share; without it each counts for itself."""

    url: SecretStr | None = Field(
        default=None, description="`redis://`, `rediss://` or `unix://` address, password included."
    )
    timeout_seconds: float = Field(
        default=0.25, gt=0, le=10, description="Longest wait for an answer of the store."
    )

    @field_validator("url")
    @classmethod
    def _known_scheme(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(_SCHEMES):
            raise ValueError("must start with redis://, rediss:// or unix://")
        return url


def _threshold(default: int) -> int:
    found: int = Field(
        default=default, ge=1, le=10_000, description="How many of them make a security event."
    )
    return found


def _window_seconds(default: float) -> float:
    found: float = Field(
        default=default, gt=0, le=86_400, description="Within how many seconds they count."
    )
    return found


class Suspicion(_Table):
    """When something counts as suspicious, and what follows."""

    threshold: int = _threshold(100)
    window_seconds: float = _window_seconds(600)
    throttle_seconds: float = Field(
        default=0,
        ge=0,
        le=86_400,
        description="How long the caller is refused with 429 then; 0 only logs.",
    )


class NumberEnumeration(Suspicion):
    """Different order or tracking numbers asked for that do not exist, or are not the caller's."""

    threshold: int = _threshold(30)


class CustomerReading(Suspicion):
    """Different customers read by one caller."""

    threshold: int = _threshold(500)
    window_seconds: float = _window_seconds(3600)


class PriceScraping(Suspicion):
    """Different SKUs priced for one caller."""

    threshold: int = _threshold(5_000)
    window_seconds: float = _window_seconds(3600)


class LoginFailures(Suspicion):
    """Credentials of one address that were not accepted."""

    threshold: int = _threshold(20)


class KeyRefusals(Suspicion):
    """Uses of one API key that is revoked, expired or of another origin; of all unknown ones."""

    threshold: int = _threshold(20)


class ScopeProbing(Suspicion):
    """Fields refused to one caller for want of a scope."""

    threshold: int = _threshold(50)


class WatchSettings(_Table):
    """What is watched. A crossing is logged once a window as a `security event`."""

    number_enumeration: NumberEnumeration = Field(
        default=NumberEnumeration(), description="Unknown order or tracking numbers."
    )
    customer_reading: CustomerReading = Field(
        default=CustomerReading(), description="Many customers read by one caller."
    )
    price_scraping: PriceScraping = Field(
        default=PriceScraping(), description="Many SKUs priced for one caller."
    )
    login_failure: LoginFailures = Field(
        default=LoginFailures(), description="Credentials not accepted."
    )
    api_key_refused: KeyRefusals = Field(
        default=KeyRefusals(), description="One API key used that is not accepted."
    )
    scope_probe: ScopeProbing = Field(default=ScopeProbing(), description="Fields refused.")

    def rules(self) -> dict[str, Suspicion]:
        """All of them by name."""
        return {name: getattr(self, name) for name in type(self).model_fields}
