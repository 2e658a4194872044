"""Companies and their people, asked from the CRM."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ports.caller import Call
from ports.common import Answers, ExternalReference, Page, PageRequest
from ports.operation import batch, single


class Preference(msgspec.Struct, frozen=True, gc=False):
    key: str
    value: str


class Contact(msgspec.Struct, frozen=True, gc=False):
    id: str
    name: str
    email: str | None = None
    phone: str | None = None
    role: str | None = None


class Customer(msgspec.Struct, frozen=True, gc=False):
    """`number` is the account number that ERP and CRM share; `language` a BCP 47 tag."""

    number: str
    name: str
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    vat_number: str | None = None
    segment: str | None = None
    language: str | None = None
    references: tuple[ExternalReference, ...] = ()
    preferences: tuple[Preference, ...] = ()
    representative: str | None = None
    "The CRM's key of the sales representative, for `representatives`."


class Customers(Protocol):
    """Keys are customer numbers unless said otherwise; unknown ones are absent."""

    @batch(varies_on=(), max_age=60, stale_if_error=3_600)
    async def customers(
        self, numbers: Sequence[str], /, *, call: Call
    ) -> Answers[str, Customer]: ...

    @batch(varies_on=(), max_age=60, stale_if_error=3_600)
    async def contacts(
        self, numbers: Sequence[str], /, *, call: Call
    ) -> Answers[str, tuple[Contact, ...]]: ...

    @batch(varies_on=(), max_age=300, stale_if_error=3_600)
    async def representatives(self, keys: Sequence[str], /, *, call: Call) -> Answers[str, Contact]:
        """Sales representatives by `Customer.representative`."""
        ...

    @single(varies_on=(), max_age=60, stale_if_error=3_600)
    async def search(
        self, text: str | None, numbers: tuple[str, ...] | None, page: PageRequest, /, *, call: Call
    ) -> Page[Customer]:
        """Companies whose name or number matches `text`, limited to `numbers` if given, by name."""
        ...
