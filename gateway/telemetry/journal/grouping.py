"""Errors by their cause: the system, the operation, the class, and what their messages share."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from gateway.telemetry.journal.record import Entry

_LONGEST = 160
_EXAMPLES = 3
# What differs from one message of a cause to the next, the widest first.
_VARYING = (
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b(?=\w*\d)[0-9a-fA-F]{12,}\b"), "<id>"),
    (
        re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"),
        "<time>",
    ),
    (re.compile(r"'[^':,{}\s]*\d[^':,{}\s]*'"), "'<key>'"),
    (re.compile(r'"[^":,{}\s]*\d[^":,{}\s]*"'), '"<key>"'),
    (re.compile(r"\b(?=[A-Z-]*\d)[A-Z0-9]+(?:[-_/][A-Z0-9]+)+\b"), "<key>"),
    (re.compile(r"(?<!HTTP )\b[A-Z]{0,4}\d+(?:\.\d+)?\b"), "<n>"),
)


class Group(msgspec.Struct, rename="camel"):
    """One cause. `first` and `last` are Unix times, `examples` the latest entries' numbers."""

    upstream: str
    system: str
    operation: str
    error: str
    pattern: str
    count: int = 0
    first: float = 0.0
    last: float = 0.0
    clients: list[str] = msgspec.field(default_factory=list)
    graphql: list[str] = msgspec.field(default_factory=list)
    customers: int = 0
    examples: list[int] = msgspec.field(default_factory=list)


@dataclass(slots=True)
class _Gathered:
    group: Group
    clients: set[str] = field(default_factory=set)
    graphql: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)


def pattern_of(detail: str | None) -> str:
    """What messages of one cause have in common."""
    told = " ".join((detail or "").split())[: _LONGEST * 2]
    for varying, name in _VARYING:
        told = varying.sub(name, told)
    return told[:_LONGEST]


def grouped(entries: Iterable[Entry]) -> list[Group]:
    """The most frequent first; entries without an error are passed over."""
    found: dict[tuple[str, str, str, str], _Gathered] = {}
    for entry in entries:
        if entry.error is None:
            continue
        operation, pattern = entry.asked or entry.call, pattern_of(entry.detail)
        key = (entry.upstream, operation, entry.error, pattern)
        if key not in found:
            group = Group(entry.upstream, entry.system, operation, entry.error, pattern)
            found[key] = _Gathered(group)
        _add(found[key], entry)
    for one in found.values():
        one.group.clients = sorted(one.clients)
        one.group.graphql = sorted(one.graphql)
        one.group.customers = len(one.customers)
    return sorted((one.group for one in found.values()), key=lambda one: -one.count)


def _add(gathered: _Gathered, entry: Entry) -> None:
    group = gathered.group
    group.count += 1
    group.first = min(group.first or entry.at, entry.at)
    group.last = max(group.last, entry.at)
    gathered.clients.add(entry.client)
    if entry.graphql is not None:
        gathered.graphql.add(entry.graphql)
    if entry.customer is not None:
        gathered.customers.add(entry.customer)
    if entry.id is not None:
        group.examples = sorted([*group.examples, entry.id])[-_EXAMPLES:]
