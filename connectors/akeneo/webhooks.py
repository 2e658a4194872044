"""Events of the Akeneo Event Platform: proven by either of two secrets, told as what is stale.

They come at least once and in any order, the same bytes again when no answer arrived in 5 s.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import msgspec

from upstream.webhooks import (
    Change,
    Delivery,
    ForgedError,
    Terms,
    UnreadableError,
    any_same,
    aware,
    digest,
    tag,
    within,
)

_SIGNATURES = ("x-akeneo-signature-primary", "x-akeneo-signature-secondary")
_ALGORITHM = "x-akeneo-signature-algorithm"
_OF_PRODUCTS = "com.akeneo.pim.v1.product."
# Labels, options and structure show in every product; a tree shows in every category.
_EVERY_PRODUCT = ("type:Product",)
_EVERY_CATEGORY = ("type:Category",)


class _Product(msgspec.Struct, gc=False):
    uuid: str
    identifier: str | None = None


class _Coded(msgspec.Struct, gc=False):
    code: str


class _Payload(msgspec.Struct, gc=False):
    product: _Product | None = None
    product_model: _Coded | None = None


class _Event(msgspec.Struct, gc=False):
    id: str
    type: str
    time: datetime | None = None
    data: _Payload = msgspec.field(default_factory=_Payload)


_EVENT = msgspec.json.Decoder(_Event)


class AkeneoWebhooks:
    """The primary and the secondary signature, each by each secret, so that either may change."""

    def verify(self, delivery: Delivery, terms: Terms, /) -> str | None:
        algorithm = delivery.headers.get(_ALGORITHM, "HmacSHA256")
        if algorithm.lower() != "hmacsha256":
            raise ForgedError("it is signed by another algorithm")
        sent = [delivery.headers.get(name, "").strip().lower() for name in _SIGNATURES]
        expected = [digest(secret, delivery.body).hex() for secret in terms.secrets]
        if not any_same(expected, [one for one in sent if one]):
            raise ForgedError("its signature is not of our secrets")
        if terms.window_seconds is not None:
            _in_time(delivery, terms.window_seconds)
        return None

    def changes(self, delivery: Delivery, /) -> Sequence[Change]:
        return changes(delivery.body)


def changes(body: bytes) -> Sequence[Change]:
    """The one change that an event tells. Raises UnreadableError for what is no CloudEvent."""
    event = _decoded(body)
    return [Change(_tags(event), aware(event.time), event.id, event.type)]


def _decoded(body: bytes) -> _Event:
    try:
        return _EVENT.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as problem:
        raise UnreadableError(str(problem)) from problem


def _in_time(delivery: Delivery, window_seconds: float) -> None:
    """Only where an installation asks for it: Akeneo tries again for more than half an hour."""
    try:
        at = aware(_decoded(delivery.body).time)
    except UnreadableError as problem:
        raise ForgedError("it does not tell its time") from problem
    if at is None:
        raise ForgedError("it does not tell its time")
    within(str(max(0, int(at.timestamp()))), 1, window_seconds, delivery.at)


def _tags(event: _Event) -> tuple[str, ...]:
    if event.type.startswith(_OF_PRODUCTS):
        return _of_product(event.data.product)
    for start, tags in _BY_TYPE.items():
        if event.type.startswith(f"com.akeneo.pim.v1.{start}."):
            return tags(event.data)
    return ()


def _of_product(product: _Product | None) -> tuple[str, ...]:
    """The identifier is there where the subscription asks for it; what is kept knows both."""
    if product is None:
        return ()
    sku = tag("product", product.identifier) if product.identifier else ()
    return (*sku, *tag("reference", product.uuid))


def _of_model(_payload: _Payload) -> tuple[str, ...]:
    """Values of a model are values of all variants, which the event does not name."""
    return ("type:ProductModel", *_EVERY_PRODUCT)


_Tags = Callable[[_Payload], tuple[str, ...]]

_BY_TYPE: Mapping[str, _Tags] = {
    "product-model": _of_model,
    "category": lambda _payload: _EVERY_CATEGORY,
    "attribute": lambda _payload: _EVERY_PRODUCT,
    "attribute-group": lambda _payload: _EVERY_PRODUCT,
    "attribute-option": lambda _payload: _EVERY_PRODUCT,
    "family": lambda _payload: _EVERY_PRODUCT,
    "family-variant": _of_model,
    "asset": lambda _payload: _EVERY_PRODUCT,
    "reference-entity-record": lambda _payload: _EVERY_PRODUCT,
    "measurement-family": lambda _payload: _EVERY_PRODUCT,
}

WEBHOOKS = AkeneoWebhooks()
