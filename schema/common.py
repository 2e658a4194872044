"""Shapes that many types share: money, freshness, references, addresses, files, pages."""

from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

import strawberry

from ports import common, documents
from ports.common import FreshnessState, SystemName
from ports.documents import DocumentKind
from resolvers import connection
from resolvers.ids import encode
from schema.fields import computed, plain, view
from schema.scalars import URL, CountryCode, CurrencyCode

ID = strawberry.ID


def global_id(kind: str, key: str) -> Any:
    """The `id` field of a type whose natural key is the attribute `key`."""
    natural = attrgetter(key)
    return computed(
        lambda record: encode(kind, natural(record)),
        "Opaque, global, and the same after a change of vendor.",
        reads=(key,),
    )


@view(connection.PageInfo, "Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = plain("Whether more follows behind `endCursor`.")
    has_previous_page: bool = plain("Whether this page was asked behind a cursor.")
    start_cursor: str | None = plain("The cursor of the first entry; null on an empty page.")
    end_cursor: str | None = plain("Give it as `after` to read on; null on an empty page.")


@view(common.Money, "An exact amount in one currency.")
class Money:
    amount: Decimal = plain("The amount, in units of the currency (not cents).")
    currency: CurrencyCode = plain("The currency of the amount.")


@view(
    common.TaxedMoney,
    "Net is what B2B trades in; tax and gross are null where the ERP does not tell.",
)
class TaxedMoney:
    net: Money = plain("Without tax.")
    tax: Money | None = plain("The tax on `net`.")
    gross: Money | None = plain("With tax.")
    tax_rate: Decimal | None = plain("In percent: 20 means 20 %.")


def _age(freshness: common.Freshness) -> int:
    return max(0, int((datetime.now(UTC) - freshness.as_of).total_seconds()))


@view(common.Freshness, "When a value was read in its system of record, and how it came here.")
class Freshness:
    system: SystemName = plain("The kind of system that is the value's record.")
    upstream: str = plain("The configured upstream that answered, e.g. `erp-fr`.")
    as_of: datetime = plain("When the system was read.")
    age: int = computed(_age, "Seconds between `asOf` and this answer.")
    state: FreshnessState = plain("Whether it is live, cached, stale or a fallback.")


@view(common.ExternalReference, "The object's own key in one system, for support and integration.")
class ExternalReference:
    system: SystemName = plain("The kind of system.")
    upstream: str = plain("The configured upstream.")
    id: str = plain("The key as that system writes it.")


@view(common.Address, "A postal address.")
class Address:
    id: ID | None = plain("The ERP's key of the address, to be named in an order.")
    label: str | None = plain("What the company calls this address.")
    name: str | None = plain("The person or department.")
    company: str | None = plain("The company's name on the label.")
    lines: list[str] = plain("Street and what belongs to it, in order.")
    postal_code: str | None = plain("The postal code.")
    city: str | None = plain("The town.")
    region: str | None = plain("State or province.")
    country: CountryCode | None = plain("The country.")
    phone: str | None = plain("A telephone number for deliveries.")


@view(
    documents.Document,
    "A file held by the SI. `url` is signed, short-lived and served by the gateway; bytes never "
    "travel in JSON.",
)
class Document:
    id: ID = computed(lambda one: encode("Document", one.key), "Opaque and global.")
    title: str = plain("A title for people.")
    kind: DocumentKind = plain("What the file is for.")
    mime_type: str | None = plain("The media type, where known.")
    size: int | None = plain("In bytes, where known.")
    url: URL = plain("Where to read it; expires within the hour.")


def nodes_field() -> Any:
    return plain("The entries of this page, without their cursors.")


def edges_field() -> Any:
    return plain("The entries of this page, each with its cursor.")


def page_info_field() -> Any:
    return plain("Where this page lies in the list.")


def cursor_field() -> Any:
    return plain("Give it as `after` to read on behind this entry.")
