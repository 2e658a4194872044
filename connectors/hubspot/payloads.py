"""The parts of HubSpot's answers that are read here.

A record's properties are texts or null; they are checked one by one, so that one bad record
does not cost the others.
"""

import msgspec


class Record(msgspec.Struct, gc=False):
    """A company or a contact."""

    id: str
    properties: dict[str, object]


class BatchError(msgspec.Struct, rename="camel", gc=False):
    category: str = ""
    message: str = ""
    sub_category: object = None
    context: dict[str, list[str]] | None = None


class Batch(msgspec.Struct, gc=False):
    """`errors` are told with status 207; the results are good all the same."""

    results: list[Record]
    errors: list[BatchError] | None = None


class Next(msgspec.Struct, gc=False):
    after: str


class Paging(msgspec.Struct, gc=False):
    next: Next | None = None


class Found(msgspec.Struct, gc=False):
    """A page of a search."""

    total: int
    results: list[Record]


class Source(msgspec.Struct, gc=False):
    id: str


class Target(msgspec.Struct, gc=False):
    """`toObjectId` is a number on the wire and text in the official client's models."""

    id: int | str = msgspec.field(name="toObjectId")


class Links(msgspec.Struct, gc=False):
    """What one record is associated with; a list too long goes on behind `paging`."""

    source: Source = msgspec.field(name="from")
    targets: list[Target] = msgspec.field(name="to")
    paging: Paging | None = None


class LinkBatch(msgspec.Struct, gc=False):
    results: list[Links]
    errors: list[BatchError] | None = None


class Owner(msgspec.Struct, rename="camel", gc=False):
    id: str
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Owners(msgspec.Struct, gc=False):
    results: list[Owner]
    paging: Paging | None = None


class Property(msgspec.Struct, rename="camel", gc=False):
    name: str
    has_unique_value: bool | None = None


class Properties(msgspec.Struct, gc=False):
    results: list[Property]


class Refusal(msgspec.Struct, rename="camel", gc=False):
    """The body of an error. `policyName` tells which limit was reached."""

    policy_name: str = ""
    message: str = ""
