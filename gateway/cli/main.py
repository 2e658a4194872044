"""`passerelle`: the commands and their options, nothing else.

What a command runs is imported within it, so that help is there at once.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import cache as kept_answers
from gateway.cli import journal as exchanges
from gateway.cli import keys as api_keys

if TYPE_CHECKING:
    from gateway.settings import Settings

CONFIG = Path("passerelle.toml")

app = typer.Typer(
    name="passerelle",
    help="One GraphQL API in front of a company's information system.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
schema = typer.Typer(help="The graph.", no_args_is_help=True, rich_markup_mode=None)
config = typer.Typer(help="The configuration file.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(schema, name="schema")
app.add_typer(config, name="config")
app.add_typer(api_keys.app, name="keys")
app.add_typer(kept_answers.app, name="cache")
app.add_typer(exchanges.app, name="journal")

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="PASSERELLE_CONFIG", help="The TOML file.")
]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")]
HostOption = Annotated[str | None, typer.Option(help="Address to listen on.")]


def main() -> None:
    """The entry point. Ends by SystemExit, on Ctrl-C with 130 and no traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)


@app.command()
def serve(
    config: ConfigOption = CONFIG,
    host: HostOption = None,
    port: PortOption = None,
    workers: Annotated[
        int,
        typer.Option(min=1, max=256, envvar="PASSERELLE_WORKERS", help="Processes; one a core."),
    ] = 1,
) -> None:
    """Serve the systems that the configuration names."""
    _let_all_live()
    from gateway.cli.serving import serve as run

    run(_settings_of(config, host, port), workers)


@app.command()
def check(config: ConfigOption = CONFIG) -> None:
    """Check the configuration, then every system's address, credentials and rights."""
    from gateway.cli.checking import check as run

    raise typer.Exit(run(_settings_of(config)))


@app.command()
def doctor(  # noqa: PLR0913, PLR0917 - one parameter an option
    upstreams: Annotated[
        list[str] | None, typer.Argument(help="Names of upstreams; all of them if none is given.")
    ] = None,
    config: ConfigOption = CONFIG,
    sample: Annotated[
        int, typer.Option(min=1, max=1000, help="Records that coverage is told from.")
    ] = 50,
    reads: Annotated[
        int, typer.Option(min=0, max=1000, help="Reads that latency is told from; 0: none.")
    ] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    junit: Annotated[Path | None, typer.Option(help="JUnit XML file to write.")] = None,
    html: Annotated[Path | None, typer.Option(help="HTML report to write.")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Folder to record the shape of all answers in.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="Folder of recordings to hold all answers against.")
    ] = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="A system that holds nothing yet is no failure.")
    ] = False,
) -> None:
    """Prove every connection, step by step, with a remedy for what fails. Writes to no system."""
    from gateway.cli.doctor import Outputs
    from gateway.cli.doctor import doctor as run
    from gateway.doctor.examination import Wishes

    names = tuple(dict.fromkeys(upstreams or ()))
    wishes = Wishes(names, sample, reads, allow_empty, record, against)
    raise typer.Exit(run(_settings_of(config), wishes, Outputs(as_json, junit, html)))


@app.command()
def demo() -> None:
    """Serve an invented company: the sandbox and the gateway together.

    Ports are PASSERELLE_PORT (8000) and PASSERELLE_SANDBOX_PORT (8100).
    """
    _let_all_live()
    from gateway.cli.demo import Demo

    Demo.of(os.environ).run()


@app.command()
def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=1, max=65535, envvar="PASSERELLE_SANDBOX_PORT", help="Port.")
    ] = 8100,
    until_input_ends: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Serve the invented company's systems alone."""
    from gateway.cli.sandbox import run

    run(host, port, until_input_ends=until_input_ends)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as of

    typer.echo(of("passerelle"))


@schema.command()
def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
) -> None:
    """Print the schema of the subgraph as SDL."""
    from schema.build import sdl

    _give(sdl(), output)


@schema.command()
def diff(
    against: Annotated[
        str, typer.Option(help="SDL file, address of one (.graphql), or of a GraphQL endpoint.")
    ],
    fail_on: Annotated[
        str | None, typer.Option(help="End with 1 from here on: breaking, dangerous or safe.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """List what changed since another schema, and which recorded operations would break.

    PASSERELLE_API_KEY or PASSERELLE_TOKEN goes to the endpoint.
    """
    from gateway.cli.usage import diff as run

    raise typer.Exit(run(against, config, fail_on, json=as_json))


@app.command()
def explain(  # noqa: PLR0913, PLR0917 - one parameter an option
    query: Annotated[str, typer.Argument(help="Text of an operation, a file with one, or -.")],
    variables: Annotated[str, typer.Option(help="Its variables, a JSON object.")] = "{}",
    operation: Annotated[
        str | None, typer.Option(help="Which operation, where the text holds several.")
    ] = None,
    config: ConfigOption = CONFIG,
    url: Annotated[
        str | None, typer.Option(help="Endpoint of a gateway that is to run it and tell.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell which systems an operation asks: in which order, how often, at which cost.

    PASSERELLE_API_KEY or PASSERELLE_TOKEN goes to the endpoint. Ends with 1 for an operation
    that costs too much.
    """
    from gateway.cli.explain import Question, explain_by
    from gateway.cli.explain import explain as run

    question = Question(query, variables, operation)
    if url is not None:
        raise typer.Exit(explain_by(url, question, as_json=as_json))
    raise typer.Exit(run(_settings_of(config), question, as_json=as_json))


@app.command()
def usage(
    deprecated: Annotated[
        bool, typer.Option("--deprecated", help="Only what the schema says is to go.")
    ] = False,
    since: exchanges.SinceOption = "30d",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, an object a line.")] = False,
    config: ConfigOption = CONFIG,
) -> None:
    """List which client used which fields by which operations."""
    import time

    from gateway.cli.usage import usage as run

    back = time.time() - exchanges.seconds_of(since)
    raise typer.Exit(run(config, back, deprecated=deprecated, json=as_json))


@config.command("schema")
def config_schema(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
) -> None:
    """Print the JSON Schema of the configuration file."""
    import json

    from gateway.settings import json_schema

    _give(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", output)


@config.command()
def example(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
) -> None:
    """Print a configuration file with every key and its default."""
    from gateway.settings.reference import example

    _give(example(), output)


@config.command()
def keys(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write.")] = None,
) -> None:
    """Print the tables of keys that the documentation has."""
    from gateway.settings.reference import key_tables

    _give(key_tables(), output)


def _settings_of(config: Path, host: str | None = None, port: int | None = None) -> "Settings":
    """Options win over the environment. Lists what is wrong and ends with 2."""
    from gateway.settings import SettingsError, load

    options = {"PASSERELLE_SERVER__HOST": host, "PASSERELLE_SERVER__PORT": port and str(port)}
    given = {name: text for name, text in options.items() if text}
    environ = {**os.environ, **given}
    # Other people's connectors may stand beside the file instead of being installed.
    sys.path.append(str(config.resolve().parent))
    try:
        return load(config, environ)
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(2) from error


def _let_all_live() -> None:
    """What is made from here on, until the gateway serves, lives as long as the process.

    To look for garbage among it takes a tenth of the start; `serving` begins with that again.
    """
    import gc

    gc.disable()


def _give(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")
