"""From `[webhooks]` of the settings to who may send: a connector's own way, or the signed one."""

from collections.abc import Mapping
from typing import Literal, Protocol

from pydantic import SecretStr

from connectors import registry
from gateway.http.webhooks import Sender
from upstream.signed_webhooks import SignedWebhooks
from upstream.webhooks import Terms, WebhookVerifier

_ATTRIBUTE = "webhooks"
_MODULE, _NAME = "webhooks", "WEBHOOKS"


class WebhookConfigured(Protocol):
    """What `[webhooks.<name>]` of the settings holds."""

    @property
    def scheme(self) -> Literal["vendor", "signed"] | None: ...
    @property
    def secret(self) -> SecretStr: ...
    @property
    def next_secret(self) -> SecretStr | None: ...
    @property
    def window_seconds(self) -> float | None: ...
    @property
    def url(self) -> str | None: ...
    @property
    def body_bytes(self) -> int: ...
    @property
    def requests_per_second(self) -> float: ...
    @property
    def signature_header(self) -> str: ...
    @property
    def timestamp_header(self) -> str: ...
    @property
    def id_header(self) -> str: ...
    @property
    def signature_prefix(self) -> str: ...
    @property
    def encoding(self) -> Literal["base64", "hex"]: ...


class NoWebhooksError(ValueError):
    """The vendor's way is configured for an upstream whose connector has none."""


def senders(
    configured: Mapping[str, WebhookConfigured],
    kinds: Mapping[str, str],
    root: str | None = None,
) -> list[Sender]:
    """`kinds`: the kind of each upstream by name; `root`: the gateway's public root, if it is known.

    Raises NoWebhooksError, naming the upstream.
    """
    return [
        Sender(
            name=name,
            verifier=_verifier(name, settings, kinds.get(name)),
            terms=Terms(_secrets(settings), settings.window_seconds),
            url=settings.url,
            root=root,
            body_bytes=settings.body_bytes,
            requests_per_second=settings.requests_per_second,
        )
        for name, settings in configured.items()
    ]


def declared(kind: str) -> WebhookVerifier | None:
    """What the connector of a kind says of its system's messages; None: nothing.

    Ours have a module `webhooks` in their folder with a `WEBHOOKS`; a class from elsewhere has it
    as its attribute `webhooks`.
    """
    found = registry.find(kind)
    package, _, module = found.manifest.connector.partition(":")[0].rpartition(".")
    own = getattr(found.connector(), _ATTRIBUTE, None)
    if own is not None or module != "connector":
        verifier: WebhookVerifier | None = own
        return verifier
    try:
        verifier = registry.load(f"{package}.{_MODULE}:{_NAME}")
    except registry.UnknownKindError:
        return None
    return verifier


def _verifier(name: str, settings: WebhookConfigured, kind: str | None) -> WebhookVerifier:
    own = declared(kind) if kind is not None and settings.scheme != "signed" else None
    if own is not None:
        return own
    if settings.scheme == "vendor":
        raise NoWebhooksError(f"webhooks.{name}: its connector knows no messages of its system")
    return SignedWebhooks(
        signature_header=settings.signature_header.lower(),
        timestamp_header=settings.timestamp_header.lower() or None,
        id_header=settings.id_header.lower() or None,
        signature_prefix=settings.signature_prefix,
        encoding=settings.encoding,
    )


def _secrets(settings: WebhookConfigured) -> tuple[str, ...]:
    both = (settings.secret, settings.next_secret)
    return tuple(one.get_secret_value() for one in both if one is not None)
