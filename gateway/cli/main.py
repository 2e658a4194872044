"""`passerelle`: the commands and their options, nothing else.

What a command runs is imported within it, so that help is there at once.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import cache as kept_answers
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
def serve(config: ConfigOption = CONFIG, host: HostOption = None, port: PortOption = None) -> None:
    """Serve the systems that the configuration names."""
    from gateway.cli.serving import serve as run

    run(_settings_of(config, host, port))


@app.command()
def check(config: ConfigOption = CONFIG) -> None:
    """Check the configuration, then every system's address, credentials and rights."""
    from gateway.cli.checking import check as run

    raise typer.Exit(run(_settings_of(config)))


@app.command()
def demo() -> None:
    """Serve an invented company: the sandbox and the gateway together.

    Ports are PASSERELLE_PORT (8000) and PASSERELLE_SANDBOX_PORT (8100).
    """
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


def _give(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")
