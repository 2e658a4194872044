"""What is looked for in the journal: as SQL for rows, for blocks that may hold it, and for one try."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.telemetry.journal.record import FAILED, Good

DEFAULT_LIMIT = 100
# Operations whose first argument holds keys of a kind, by the kind.
_ROLES = {
    "sku": ("catalog.", "stock.", "pricing."),
    "order": ("orders.", "invoices.", "shipments.", "returns.", "payments."),
    "customer": ("customers.", "accounts.", "pricing.", "orders.", "invoices.", "directory."),
    "tracking": ("tracking.", "shipments."),
}

Conditions = tuple[str, list[Any]]
"""SQL that follows WHERE, and its values."""
Test = Callable[[Good], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for; None: anything. `since` and `until` are Unix times.

    `customer` is who is asked about or who asks. `captured`: with a body.
    """

    sku: str | None = None
    order: str | None = None
    customer: str | None = None
    tracking: str | None = None
    upstream: str | None = None
    operation: str | None = None
    graphql: str | None = None
    client: str | None = None
    request_id: str | None = None
    errors: bool = False
    captured: bool = False
    since: float | None = None
    until: float | None = None
    limit: int = DEFAULT_LIMIT

    def about(self) -> Iterator[tuple[str, str]]:
        """The keys that are looked for, after their kinds."""
        for kind in _ROLES:
            key: str | None = getattr(self, kind)
            if key is not None:
                yield kind, key

    def names(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """The names that are looked for, after the fields of which one has to be it."""
        told = (
            (("upstream",), self.upstream),
            (("graphql",), self.graphql),
            (("client",), self.client),
            (("call", "asked"), self.operation),
            (("request_id", "trace"), self.request_id),
        )
        for fields, name in told:
            if name is not None:
                yield fields, name


def of_rows(query: Query) -> Conditions:
    found: list[Conditions] = [
        (f"({' OR '.join(f'{field} = ?' for field in fields)})", [name] * len(fields))
        for fields, name in query.names()
    ]
    if query.since is not None:
        found.append(("at >= ?", [query.since]))
    if query.until is not None:
        found.append(("at < ?", [query.until]))
    if query.errors:
        found.append(("(error IS NOT NULL OR cache = ?)", [FAILED]))
    if query.captured:
        found.append(("response IS NOT NULL", []))
    found += [_row_about(kind, key) for kind, key in query.about()]
    return _joined(found)


def of_blocks(query: Query) -> Conditions | None:
    """Which blocks may hold some of it; None: no try that went well is looked for."""
    if query.errors or query.captured:
        return None
    found: list[Conditions] = []
    if query.since is not None:
        found.append(("latest >= ?", [query.since]))
    if query.until is not None:
        found.append(("earliest < ?", [query.until]))
    found += [("instr(tries, ?) > 0", [name.encode()]) for _, name in query.names()]
    for kind, key in query.about():
        needles = [_quoted(key), key.encode()] if kind == "customer" else [_quoted(key)]
        text = " OR ".join(["instr(tries, ?) > 0"] * len(needles))
        found.append((f"({text})", needles))
    return _joined(found)


def test_of(query: Query) -> Test:
    """Whether a try in a block is looked for; it says what `of_rows` says in SQL."""
    tests: list[Test] = [_is_named(fields, name) for fields, name in query.names()]
    tests += [_is_about(kind, key) for kind, key in query.about()]
    since, until = query.since, query.until
    if since is not None:
        tests.append(lambda good: good.at >= since)
    if until is not None:
        tests.append(lambda good: good.at < until)
    return lambda good: all(test(good) for test in tests)


def _row_about(kind: str, key: str) -> Conditions:
    """Keys are looked for as JSON strings among the arguments of the kind's operations."""
    prefixes = _ROLES[kind]
    asked = " OR ".join(["substr(asked, 1, ?) = ?"] * len(prefixes))
    text, values = f"(instr(arguments, ?) > 0 AND ({asked}))", [_quoted(key).decode()]
    own: list[Any] = [part for one in prefixes for part in (len(one), one)]
    if kind == "customer":
        return f"({text} OR customer = ?)", [*values, *own, key]
    return text, [*values, *own]


def _is_named(fields: tuple[str, ...], name: str) -> Test:
    return lambda good: any(getattr(good, field) == name for field in fields)


def _is_about(kind: str, key: str) -> Test:
    prefixes, quoted = _ROLES[kind], _quoted(key)

    def test(good: Good) -> bool:
        if kind == "customer" and good.customer == key:
            return True
        arguments, asked = good.arguments, good.asked
        if arguments is None or asked is None:
            return False
        return quoted in arguments and asked.startswith(prefixes)

    return test


def _quoted(key: str) -> bytes:
    return msgspec.json.encode(key)


def _joined(found: list[Conditions]) -> Conditions:
    text = " AND ".join(text for text, _ in found) or "TRUE"
    return text, [value for _, values in found for value in values]
