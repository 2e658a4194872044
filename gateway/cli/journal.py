"""`passerelle journal`: what was asked of the systems, looked up, grouped, repeated, exported.

Only `[journal]` of the configuration is read, but for a replay. Ends with 1 when there is no
journal or nothing is found where something was named, with 2 for wrong options.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from gateway.settings.journal import JournalSettings
    from gateway.telemetry.journal.query import Query
    from gateway.telemetry.journal.search import Reader

CONFIG = Path("passerelle.toml")
LONGEST_CAPTURE = 24 * 3600.0

T = TypeVar("T")

app = typer.Typer(help="Calls to the systems.", no_args_is_help=True, rich_markup_mode=None)

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="PASSERELLE_CONFIG", help="The TOML file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")]


def seconds_of(text: str) -> float:
    """`90s`, `10m`, `1h`, `7d`. Raises typer.BadParameter."""
    from gateway.cli.keys import duration

    found = duration(text)
    if found is None:
        raise typer.BadParameter("must be like 10m, 1h or 7d")
    return found.total_seconds()


def _since(text: str) -> str:
    seconds_of(text)
    return text


SinceOption = Annotated[str, typer.Option(help="How far back: 10m, 1h, 7d.", callback=_since)]
UpstreamOption = Annotated[str | None, typer.Option(help="Name of the upstream.")]


@app.command()
def search(  # noqa: PLR0913, PLR0917 - each is an option
    order: Annotated[str | None, typer.Option(help="Number of an order.")] = None,
    sku: Annotated[str | None, typer.Option(help="SKU of a product.")] = None,
    customer: Annotated[
        str | None, typer.Option(help="Number of a customer who asked, or was asked about.")
    ] = None,
    tracking: Annotated[str | None, typer.Option(help="Tracking number.")] = None,
    upstream: UpstreamOption = None,
    operation: Annotated[
        str | None, typer.Option(help="Of the upstream or the port: catalog.products.")
    ] = None,
    graphql: Annotated[str | None, typer.Option(help="Name of the GraphQL operation.")] = None,
    client: Annotated[str | None, typer.Option(help="Name of the API key.")] = None,
    request: Annotated[str | None, typer.Option(help="X-Request-Id, or a trace's id.")] = None,
    errors: Annotated[bool, typer.Option("--errors", help="Failures only.")] = False,
    since: SinceOption = "1h",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most entries.")] = 100,
    json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Find calls, the latest first."""
    from gateway.telemetry.journal.query import Query

    query = Query(
        sku=sku,
        order=order,
        customer=customer,
        tracking=tracking,
        upstream=upstream,
        operation=operation,
        graphql=graphql,
        client=client,
        request_id=request,
        errors=errors,
        since=time.time() - seconds_of(since),
        limit=limit,
    )
    _print_found(config, query, json=json)


@app.command()
def errors(
    since: SinceOption = "24h",
    upstream: UpstreamOption = None,
    json: JsonOption = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Failures grouped by cause, the most frequent first."""
    import msgspec

    from gateway.cli.journal_printing import print_groups
    from gateway.telemetry.journal.grouping import grouped
    from gateway.telemetry.journal.query import Query

    query = Query(upstream=upstream, errors=True, since=time.time() - seconds_of(since))
    groups = _read(config, lambda reader: grouped(reader.entries(query)))
    if json:
        for one in groups:
            typer.echo(msgspec.json.encode(one).decode())
    else:
        print_groups(groups)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `search` has it.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Print an entry whole, with its bodies where they were kept, as JSON."""
    import msgspec

    entry = _read(config, lambda reader: reader.entry(number))
    if entry is None:
        _fail(f"there is no entry {number}", 1)
    typer.echo(msgspec.json.format(msgspec.json.encode(entry), indent=2).decode())


@app.command()
def replay(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `search` has it.")],
    config: ConfigOption = CONFIG,
) -> None:
    """Ask the system once more what an entry asked, and show what is different. Reads only."""
    import asyncio

    from gateway.cli.journal_printing import print_replayed
    from gateway.settings import SettingsError, load
    from gateway.telemetry.journal.replay import ReplayError
    from gateway.telemetry.journal.replay import replay as again

    entry = _read(config, lambda reader: reader.entry(number))
    if entry is None:
        _fail(f"there is no entry {number}", 1)
    try:
        settings = load(config, os.environ)
        replayed = asyncio.run(again(settings, entry))
    except SettingsError as error:
        _fail("\n".join(str(problem) for problem in error.problems), 2)
    except ReplayError as error:
        _fail(f"entry {number} cannot be repeated: {error}", 1)
    print_replayed(replayed)


@app.command()
def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
    since: SinceOption = "7d",
    upstream: UpstreamOption = None,
    config: ConfigOption = CONFIG,
) -> None:
    """Write all entries as JSON lines, the earliest first."""
    import msgspec

    from gateway.telemetry.journal.query import Query

    query = Query(upstream=upstream, since=time.time() - seconds_of(since))

    def write(reader: "Reader") -> int:
        stream = typer.get_binary_stream("stdout") if output is None else output.open("wb")
        count = 0
        try:
            for entry in reader.entries(query):
                stream.write(msgspec.json.encode(entry) + b"\n")
                count += 1
        finally:
            stream.flush() if output is None else stream.close()
        return count

    count = _read(config, write)
    typer.echo(f"{count} entries", err=True)


@app.command()
def capture(
    upstream: Annotated[str, typer.Argument(help="Name of the upstream.")],
    for_: Annotated[
        str, typer.Option("--for", help="How long: 10m, 1h; a day at the most.", callback=_since)
    ] = "10m",
    stop: Annotated[bool, typer.Option("--stop", help="End it now.")] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """Keep the masked bodies of all calls to an upstream for a while. Running gateways notice."""
    import sqlite3
    from contextlib import closing

    from gateway.telemetry.journal.store import Store, connect

    settings = _settings(config)
    seconds = 0.0 if stop else min(seconds_of(for_), LONGEST_CAPTURE)
    if not settings.file.is_file():
        _fail(f"{settings.file}: there is no journal; start the gateway first", 1)
    try:
        with closing(Store(connect(settings.file))) as store:
            store.capture(upstream, time.time() + seconds)
    except (sqlite3.Error, OSError) as problem:
        _fail(f"{settings.file}: {problem}", 1)
    told = "ended" if stop else f"for {seconds:g} seconds, personal data masked"
    typer.echo(f"capture of {upstream} {told}")


def _print_found(config: Path, query: "Query", *, json: bool) -> None:
    import msgspec

    from gateway.cli.journal_printing import print_entries

    entries = _read(config, lambda reader: reader.search(query))
    if json:
        for one in entries:
            typer.echo(msgspec.json.encode(one).decode())
    else:
        print_entries(entries)


def _read(config: Path, work: "Callable[[Reader], T]") -> T:
    """What came of it. Ends the command with 1 where there is no journal to read."""
    from gateway.telemetry.journal.search import Reader
    from gateway.telemetry.journal.store import JournalUnavailableError

    try:
        with Reader(_settings(config).file) as reader:
            return work(reader)
    except (JournalUnavailableError, OSError) as problem:
        _fail(str(problem), 1)


def _settings(config: Path) -> "JournalSettings":
    from gateway.settings.journal_place import JournalPlaceError, journal_settings

    try:
        return journal_settings(config, os.environ)
    except JournalPlaceError as problem:
        _fail(str(problem), 2)


def _fail(text: str, code: int) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
