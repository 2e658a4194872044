"""Entries of the journal, groups of failures and replays, as people read them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from gateway.telemetry.journal.grouping import Group
from gateway.telemetry.journal.record import Entry
from gateway.telemetry.journal.replay import Replayed

_WIDE = 240
_KEYS = 60


def print_entries(entries: Sequence[Entry]) -> None:
    if not entries:
        print("nothing found")
        return
    heads = ("id", "time", "upstream", "call", "asked", "result", "ms", "try", "for", "request")
    table = Table(*heads, box=None, pad_edge=False)
    for one in entries:
        asked = f"{one.asked or '-'} {_short(one.arguments or '')}".strip()
        caller = " ".join(filter(None, (one.graphql, one.client, one.customer)))
        table.add_row(
            str(one.id),
            _time(one.at),
            one.upstream,
            one.call,
            asked,
            _result(one),
            f"{one.milliseconds:.0f}",
            str(one.tried or "-"),
            caller,
            one.request_id,
        )
    _console().print(table)


def print_groups(groups: Sequence[Group]) -> None:
    if not groups:
        print("no failures")
        return
    heads = ("count", "upstream", "operation", "class", "message", "last", "for", "entries")
    table = Table(*heads, box=None, pad_edge=False)
    for one in groups:
        table.add_row(
            str(one.count),
            one.upstream,
            one.operation,
            one.error,
            one.pattern,
            _time(one.last),
            f"{', '.join(one.graphql) or '-'}; {len(one.clients)} clients, "
            f"{one.customers} customers",
            " ".join(map(str, one.examples)),
        )
    _console().print(table)


def print_replayed(replayed: Replayed) -> None:
    before, now = replayed.before, replayed.now
    print(f"{before.upstream} {before.asked} {_short(before.arguments or '')}")
    print(f"then  {_time(before.at)}  {_result(before)}  {before.milliseconds:.0f} ms")
    if now is not None:
        print(f"now   {_time(now.at)}  {_result(now)}  {now.milliseconds:.0f} ms")
    print(f"      {replayed.outcome}, by {len(replayed.entries)} calls")
    differences = list(replayed.differences())
    for name, old, new in differences:
        print(f"  {name}: {old} -> {new}")
    body = replayed.body_difference()
    for line in body:
        print(f"  {line}")
    if not differences and not body:
        print("  no difference")


def _result(entry: Entry) -> str:
    if not entry.tried:
        age = "" if entry.age is None else f", {entry.age:.0f} s old"
        return f"{entry.cache} ({entry.keys} keys{age})"
    told = "-" if entry.status is None else str(entry.status)
    return told if entry.error is None else f"{told} {entry.error}"


def _short(text: str) -> str:
    return text if len(text) <= _KEYS else f"{text[:_KEYS]}..."


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _console() -> Console:
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    return console
