"""`passerelle usage`: who uses which fields. `passerelle schema diff`: what a change would break."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from gateway.telemetry.schema_changes import Broken, Change
    from gateway.telemetry.usage_reading import Recorded, Use

SECONDS = 30.0
MOST_BYTES = 32 * 1024 * 1024
_WIDE = 200


def usage(config: Path, since: float, *, deprecated: bool, json: bool) -> int:
    """0, or 1 where there is no journal; `since` is in Unix time."""
    import msgspec

    from gateway.settings.journal_place import JournalPlaceError, journal_settings
    from gateway.telemetry.journal.search import Reader
    from gateway.telemetry.journal.store import JournalUnavailableError
    from gateway.telemetry.usage_reading import deprecated_uses, used_fields

    try:
        with Reader(journal_settings(config, os.environ).file) as reader:
            if deprecated:
                from schema.build import schema

                core = schema()._schema  # noqa: SLF001 - no public way
                uses = deprecated_uses(reader, since, core)
            else:
                uses = used_fields(reader, since)
    except (JournalUnavailableError, JournalPlaceError) as problem:
        typer.echo(str(problem), err=True)
        return 1
    if json:
        for one in uses:
            typer.echo(msgspec.json.encode(one).decode())
    else:
        _print_uses(uses)
    return 0


def diff(against: str, config: Path, fail_on: str | None, *, json: bool) -> int:
    """1 when something as grave as `fail_on`, or graver, is found."""
    import msgspec

    from gateway.telemetry.schema_changes import (
        BREAKING,
        SEVERITIES,
        SchemaTextError,
        broken,
        changes,
        schema_of,
    )
    from schema.build import sdl

    if fail_on is not None and fail_on not in SEVERITIES:
        _fail(f"--fail-on must be one of {', '.join(SEVERITIES)}", 2)
    try:
        old = schema_of(_text_of(against))
    except SchemaTextError as problem:
        _fail(f"{against}: is no schema: {problem}", 2)
    new = schema_of(sdl())
    found, hurt = changes(old, new), broken(new, _recorded(config))
    if json:
        told = {"changes": found, "brokenOperations": hurt}
        typer.echo(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    else:
        _print_changes(found, hurt)
    if fail_on is None:
        return 0
    grave = set(SEVERITIES[: SEVERITIES.index(fail_on) + 1])
    return int(any(one.severity in grave for one in found) or (BREAKING in grave and bool(hurt)))


def _recorded(config: Path) -> "list[Recorded]":
    """None without a journal: a build machine has none."""
    from gateway.settings.journal_place import JournalPlaceError, journal_settings
    from gateway.telemetry.journal.search import Reader
    from gateway.telemetry.journal.store import JournalUnavailableError
    from gateway.telemetry.usage_reading import recorded

    try:
        settings = journal_settings(config, os.environ)
        with Reader(settings.file) as reader:
            return recorded(reader, time.time() - settings.usage_seconds)
    except (JournalUnavailableError, JournalPlaceError):
        return []


def _text_of(against: str) -> str:
    if not against.startswith(("http://", "https://")):
        try:
            return Path(against).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            _fail(f"{against}: cannot be read: {problem}", 2)
    return _fetched(against)


def _fetched(address: str) -> str:
    """SDL as it is there, or what the GraphQL endpoint there tells of its schema."""
    import httpx2
    from graphql import get_introspection_query

    key, token = os.environ.get("PASSERELLE_API_KEY"), os.environ.get("PASSERELLE_TOKEN")
    headers = {"x-api-key": key} if key else {"authorization": f"Bearer {token}"} if token else {}
    is_text = address.rpartition(".")[2] in {"graphql", "graphqls", "gql", "sdl"}
    try:
        with httpx2.Client(timeout=SECONDS, trust_env=False, headers=headers) as client:
            if is_text and "/" in address.partition("://")[2]:
                answer = client.get(address)
            else:
                query = get_introspection_query(input_value_deprecation=True)
                answer = client.post(address, json={"query": query})
            answer.raise_for_status()
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        _fail(f"{address}: {type(problem).__name__}", 2)
    if len(answer.content) > MOST_BYTES:
        _fail(f"{address}: the answer is too long", 2)
    return answer.text


def _print_uses(uses: "list[Use]") -> None:
    from rich.table import Table

    if not uses:
        print("nothing was used")
        return
    table = Table("count", "field", "client", "operation", "last", box=None, pad_edge=False)
    if any(one.reason for one in uses):
        table.add_column("instead")
    for one in uses:
        last = time.strftime("%Y-%m-%d %H:00", time.gmtime(one.last))
        row = [str(one.count), one.field, one.client, one.operation, last]
        table.add_row(*row, *([one.reason] if one.reason else []))
    _print(table)


def _print_changes(found: "list[Change]", hurt: "list[Broken]") -> None:
    from rich.table import Table

    if not found:
        print("no changes")
    table = Table("severity", "change", "what", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.severity, one.kind, one.description)
    if found:
        _print(table)
    for broken in hurt:
        print(f"breaks {broken.operation} of {', '.join(broken.clients)} ({broken.count} times):")
        for problem in broken.problems:
            print(f"  {problem}")


def _print(table: object) -> None:
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    console.print(table)


def _fail(text: str, code: int) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
