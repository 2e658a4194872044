"""Commands that print and end, and how mistakes end them."""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import app
from schema.build import sdl

HEAVY = (
    "strawberry",
    "graphql",
    "gateway.settings",
    "httpx2",
    "aiohttp",
    "starlette",
    "uvicorn",
    "rich",
    "asyncio",
)
# Of the interpreter, typer and our own: 140 where this was written, 198 with asyncio.
MOST_MODULES = 190


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


@pytest.mark.parametrize("arguments", [[], ["config"], ["serve"], ["demo"], ["check"], ["doctor"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from gateway.cli.main import main\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *arguments, "--help"]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stderr.strip() == "[]"
    assert "Usage: " in done.stdout


def test_help_imports_little() -> None:
    code = (
        "import sys\n"
        "from gateway.cli.main import main\n"
        "try: main()\n"
        "finally: print(len(sys.modules), file=sys.stderr)"
    )
    own = {name: text for name, text in os.environ.items() if not name.startswith("COV")}
    command = [sys.executable, "-c", code, "--help"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, env=own)

    assert int(done.stderr) < MOST_MODULES


def test_what_may_not_be_needed_is_not_imported_before_the_gateway_serves() -> None:
    later = ("redis", "aiohttp", "aiocache", "pygments.lexers.python")
    code = (
        "import sys\n"
        "import gateway.cli.serving\n"
        f"print([name for name in {later!r} if name in sys.modules], len(sys.modules))"
    )
    own = {name: text for name, text in os.environ.items() if not name.startswith("COV")}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=own
    )

    names, _, count = done.stdout.strip().rpartition(" ")
    assert names == "[]"
    # 1,264 where this was written.
    assert int(count) < 1_400


def test_the_version_is_that_of_the_distribution() -> None:
    assert invoke("version").stdout.strip() == version("passerelle")


def test_the_schema_is_printed_or_written(tmp_path: Path) -> None:
    file = tmp_path / "schema.graphql"

    printed = invoke("schema", "export")
    written = invoke("schema", "export", "--output", str(file))

    assert printed.stdout == sdl()
    assert written.stdout == ""
    assert file.read_text(encoding="utf-8") == sdl()


def test_the_schema_of_the_configuration_is_printed() -> None:
    assert "upstreams" in json.loads(invoke("config", "schema").stdout)["properties"]


def test_the_example_and_the_keys_are_printed() -> None:
    assert "upstreams" in tomllib.loads(invoke("config", "example").stdout)
    assert "| `base_url` | required |" in invoke("config", "keys").stdout


@pytest.mark.parametrize("command", ["serve", "check"])
def test_wrong_settings_are_listed_and_end_with_2(command: str, config: Any) -> None:
    file = config(
        '[upstreams.erp]\nkind = "odoo"\nbase_url = "https://x"\napi_kee = "hush"\n'
        '[roles]\ncatalog = "pim"\n'
    )

    done = invoke(command, "--config", str(file))

    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "upstreams.erp.api_key: missing",
        "upstreams.erp.api_kee: unknown key; did you mean api_key?",
        "roles.catalog: no upstream 'pim'; there are erp",
    ]


def test_a_missing_file_ends_with_2(tmp_path: Path) -> None:
    done = invoke("serve", "--config", str(tmp_path / "absent.toml"))

    assert done.exit_code == 2
    assert "absent.toml: there is no such file" in done.stderr


def test_the_file_may_be_named_by_the_environment(config: Any) -> None:
    file = config("sever = 1")

    done = CliRunner().invoke(app, ["check"], env={"PASSERELLE_CONFIG": str(file)})

    assert (done.exit_code, done.stderr.strip()) == (2, "sever: unknown key; did you mean server?")


def test_an_option_that_is_wrong_ends_with_2() -> None:
    assert invoke("serve", "--port", "99999").exit_code == 2


def test_the_port_may_come_from_the_environment_by_its_whole_name(config: Any) -> None:
    environ = {"PASSERELLE_SERVER__PORT": "none"}

    done = CliRunner().invoke(app, ["serve", "--config", str(config(""))], env=environ)

    assert done.exit_code == 2
    assert "(from PASSERELLE_SERVER__PORT)" in done.stderr


@pytest.mark.parametrize("version", ["2.4", "2.12", "3.0"])
def test_a_federation_that_cannot_be_printed_is_refused(version: str, config: Any) -> None:
    file = config(f'[graphql]\nfederation_version = "{version}"\n')

    done = CliRunner().invoke(app, ["check", "--config", str(file)])

    assert done.exit_code == 2
    assert "graphql.federation_version" in done.stderr
