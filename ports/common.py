"""Records that several roles share, and the shapes of batch and page answers."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

import msgspec

from ports.errors import UpstreamError

K = TypeVar("K")
T = TypeVar("T")

Answers: TypeAlias = Mapping[K, T | UpstreamError]
"""A batch answer. A key that the system does not know is absent; a key whose own call failed
(one parcel of twenty) holds the error; a failure of the whole batch is raised."""


class SystemName(Enum):
    PIM = "PIM"
    ERP = "ERP"
    CRM = "CRM"
    OMS = "OMS"
    CARRIER = "CARRIER"
    PAYMENT = "PAYMENT"
    DMS = "DMS"
    DIRECTORY = "DIRECTORY"


class FreshnessState(Enum):
    LIVE = "LIVE"
    CACHED = "CACHED"
    STALE = "STALE"
    FALLBACK = "FALLBACK"


class Freshness(msgspec.Struct, frozen=True, gc=False):
    """When a value was read in the system of record, and how it came here."""

    system: SystemName
    upstream: str
    as_of: datetime
    state: FreshnessState = FreshnessState.LIVE


class Money(msgspec.Struct, frozen=True, gc=False):
    amount: Decimal
    currency: str


class TaxedMoney(msgspec.Struct, frozen=True, gc=False):
    """`tax_rate` is a percentage: 20 means 20 %."""

    net: Money
    tax: Money | None = None
    gross: Money | None = None
    tax_rate: Decimal | None = None


class ExternalReference(msgspec.Struct, frozen=True, gc=False):
    """The object's own key in one system."""

    system: SystemName
    upstream: str
    id: str


class Address(msgspec.Struct, frozen=True, gc=False):
    """`country` is ISO 3166-1 alpha-2. `id` is the ERP's key, as text."""

    lines: tuple[str, ...]
    id: str | None = None
    label: str | None = None
    name: str | None = None
    company: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    phone: str | None = None


class PageRequest(msgspec.Struct, frozen=True, gc=False):
    """`after` is a cursor that the same port operation gave; `first` is 1 to 100."""

    first: int
    after: str | None = None


class Page(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """One page of a growing list.

    `cursors[i]` continues behind `items[i]`. They are opaque text of the connector. `total` is
    None where the system does not tell it with the page (then `count` of the port may).
    """

    items: tuple[T, ...]
    cursors: tuple[str, ...]
    has_next: bool
    total: int | None = None
