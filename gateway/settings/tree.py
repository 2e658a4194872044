"""The keys of `passerelle.toml`, each with its meaning and default.

What a table of `[upstreams]` may hold is its connector's to say.
"""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from gateway.settings.access import TokenSettings
from gateway.settings.alerts import AlertingSettings, AlertSettings, named_or_listed
from gateway.settings.cache import CacheSettings
from gateway.settings.compression import CompressionSettings
from gateway.settings.cross_origin import CorsSettings
from gateway.settings.documents import ApqSettings, TrustedDocumentsSettings
from gateway.settings.drift import DriftSettings
from gateway.settings.http import HttpSettings
from gateway.settings.ide import IdeSettings
from gateway.settings.journal import JournalSettings
from gateway.settings.keys import KeySettings
from gateway.settings.limits import LimitsSettings
from gateway.settings.metrics import MetricsSettings, TracingSettings
from gateway.settings.rates import RateSettings, RedisSettings, WatchSettings
from gateway.settings.resilience import ResilienceSettings
from gateway.settings.status import StatusSettings
from gateway.settings.webhooks import PollingSettings, WebhookSettings
from upstream.config import BaseUrl, UpstreamConfig

SECRET_LENGTH = 16


def _plain_root(address: str) -> str:
    if urlsplit(address).path:
        raise ValueError("must be the root of a host, without a path")
    return address


def _strong(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SECRET_LENGTH:
        raise ValueError(f"must have at least {SECRET_LENGTH} characters")
    return secret


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ServerSettings(_Table):
    """Where the gateway listens, and under which address clients see it."""

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    public_url: Annotated[BaseUrl, AfterValidator(_plain_root)] | None = Field(
        default=None,
        description="Root address that clients see, which links to media start with; "
        "else `http://<host>:<port>`.",
    )
    log_format: Literal["console", "json"] = Field(
        default="console", description="`console` is for people, `json` gives an object a line."
    )

    @property
    def root(self) -> str:
        """The address that clients see, without a slash at its end."""
        if self.public_url is not None:
            return self.public_url
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - read
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


class GraphQLSettings(_Table):
    """How operations are answered."""

    federation_version: str = Field(
        default="2.9",
        pattern=r"^2\.([5-9]|1[01])$",
        description="Version of Apollo Federation that the subgraph's schema links to: 2.5 (the "
        "first that knows required scopes) to 2.11.",
    )
    page_cap: int = Field(
        default=100, ge=1, le=10_000, description="Largest page (`first`) that may be asked for."
    )
    deadline_seconds: float = Field(
        default=10, gt=0, le=600, description="Longest time of one operation, all its calls in it."
    )
    default_language: str = Field(
        default="en",
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$",
        description="Language (`en`, `fr-BE`) of callers who ask for none.",
    )
    batch_size: int = Field(
        default=0,
        ge=0,
        le=50,
        description="Operations that one request may hold, as a JSON array; 0 refuses arrays.",
    )
    introspection: bool = Field(
        default=False,
        description="Everybody may read the schema; else callers with the scope `schema:read`.",
    )


class MediaSettings(_Table):
    """Images and documents of products, which the gateway serves in the PIM's place."""

    secret: Annotated[SecretStr, AfterValidator(_strong)] | None = Field(
        default=None,
        description="Signs links to media; several processes need the same. "
        "Else a random one, and links end with the process.",
    )
    lifetime_seconds: int = Field(
        default=3600, ge=60, le=31_536_000, description="How long a link to media is good."
    )


class AccessSettings(TokenSettings):
    """Who may ask."""

    keys: KeySettings = Field(
        default=KeySettings(), description="API keys of applications and partners."
    )


def _lower_keys(table: Mapping[str, str]) -> Mapping[str, str]:
    return {code.lower(): name for code, name in table.items()}


class Roles(_Table):
    """Which upstream serves which role; fields of a role that none serves answer null."""

    catalog: str | None = Field(default=None, description="Upstream of products and categories.")
    pricing: str | None = Field(default=None, description="Upstream of customers' prices.")
    stock: str | None = Field(default=None, description="Upstream of availability.")
    accounts: str | None = Field(
        default=None, description="Upstream of customers' accounts: terms, credit, addresses."
    )
    orders: str | None = Field(default=None, description="Upstream of orders.")
    invoices: str | None = Field(default=None, description="Upstream of invoices.")
    shipments: str | None = Field(default=None, description="Upstream of deliveries.")
    customers: str | None = Field(default=None, description="Upstream of companies and contacts.")
    directory: str | None = Field(
        default=None,
        description="Upstream that knows whose customer a caller is, if tokens do not.",
    )
    tracking: Annotated[Mapping[str, str], AfterValidator(_lower_keys)] = Field(
        default_factory=dict,
        description="Carrier code (`dhl`, lower case) to the upstream that tracks its parcels.",
    )


class Fallbacks(Roles):
    """Which upstream answers for a role while the one of `[roles]` is out, marked `FALLBACK`."""

    first_share: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="Share of the remaining time after which the first upstream is given up.",
    )


class Settings(_Table):
    """All of it. Made by `gateway.settings.load` or `read`, which also check what pydantic cannot."""

    server: ServerSettings = Field(
        default=ServerSettings(), description="Where the gateway listens."
    )
    http: HttpSettings = Field(
        default=HttpSettings(), description="Bounds on clients before it is asked who they are."
    )
    graphql: GraphQLSettings = Field(
        default=GraphQLSettings(), description="How operations are answered."
    )
    media: MediaSettings = Field(
        default=MediaSettings(), description="Links to images and documents of products."
    )
    access: AccessSettings = Field(default=AccessSettings(), description="Who may ask.")
    rates: RateSettings = Field(
        default=RateSettings(), description="How much each class of callers may ask."
    )
    watch: WatchSettings = Field(
        default=WatchSettings(), description="What counts as suspicious, and what follows."
    )
    cors: CorsSettings = Field(
        default=CorsSettings(), description="Pages of other origins that may ask."
    )
    redis: RedisSettings = Field(
        default=RedisSettings(), description="The store that several replicas share."
    )
    limits: LimitsSettings = Field(
        default=LimitsSettings(), description="How large an operation may be."
    )
    cache: CacheSettings = Field(
        default=CacheSettings(), description="How long answers are reused."
    )
    compression: CompressionSettings = Field(
        default=CompressionSettings(), description="Answers as zstd, br or gzip."
    )
    resilience: ResilienceSettings = Field(
        default=ResilienceSettings(), description="What protects systems and the gateway itself."
    )
    webhooks: Mapping[str, WebhookSettings] = Field(
        default_factory=dict,
        description="Upstreams that tell of changes at `/webhooks/<upstream>`, by name.",
    )
    polling: Mapping[str, PollingSettings] = Field(
        default_factory=dict,
        description="How upstreams that cannot tell are asked for changes, by name.",
    )
    journal: JournalSettings = Field(
        default=JournalSettings(), description="What is kept of every call to a system."
    )
    metrics: MetricsSettings = Field(
        default=MetricsSettings(), description="Figures for monitoring at `/metrics`."
    )
    tracing: TracingSettings = Field(default=TracingSettings(), description="Distributed traces.")
    status: StatusSettings = Field(
        default=StatusSettings(), description="The page at `/status`, and a line for shoppers."
    )
    alerts: Annotated[tuple[AlertSettings, ...], BeforeValidator(named_or_listed)] = Field(
        default=(), description="Webhooks that are told what is worth it."
    )
    alerting: AlertingSettings = Field(
        default=AlertingSettings(), description="When it is worth an alert."
    )
    ide: IdeSettings = Field(default=IdeSettings(), description="The query editor at `/`.")
    trusted_documents: TrustedDocumentsSettings = Field(
        default=TrustedDocumentsSettings(), description="Documents known beforehand."
    )
    apq: ApqSettings = Field(
        default=ApqSettings(), description="Documents that clients register by their hash."
    )
    drift: DriftSettings = Field(
        default=DriftSettings(), description="What notices that a system's answers change."
    )
    upstreams: Mapping[str, UpstreamConfig] = Field(
        default_factory=dict,
        description="The systems behind the gateway: a table each, under a name of your choice.",
    )
    roles: Roles = Field(default=Roles(), description="Which upstream serves which role.")
    fallbacks: Fallbacks = Field(
        default=Fallbacks(), description="Which second upstream answers while the first is out."
    )
