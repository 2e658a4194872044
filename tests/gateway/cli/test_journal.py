"""`passerelle journal`, `usage` and `schema diff` as their user has them."""

import json
import time
from pathlib import Path

import pytest
from graphql import get_introspection_query as introspection
from graphql import graphql_sync
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.operations.documents import Documents
from gateway.telemetry.journal.record import Entry
from gateway.telemetry.journal.store import Store, connect
from gateway.telemetry.usage import Usage
from schema.build import schema, sdl


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration whose journal knows three calls; the rest of it is not valid."""
    file = tmp_path / "journal.db"
    told = {"system": "ERP", "call": "orders", "asked": "orders.orders", "client": "shop"}
    store = Store(connect(file))
    store.add(
        [
            Entry(time.time() - 30, "erp", arguments='[["S1"]]', **told),
            Entry(time.time() - 20, "erp", arguments='[["S2"]]', error="X", detail="no 7", **told),
            Entry(time.time() - 7_200, "erp", arguments='[["S1"]]', **told),
        ]
    )
    store.close()
    path = tmp_path / "passerelle.toml"
    path.write_text(f'[journal]\nfile = "{file}"\n[nonsense]\nkey = 1\n')
    return path


def run(*arguments: str, config: Path, code: int = 0) -> str:
    result = CliRunner().invoke(app, [*arguments, "--config", str(config)])
    assert result.exit_code == code, result.output
    return result.output


def test_search(config: Path) -> None:
    found = run("journal", "search", "--order", "S1", config=config)
    assert len(found.splitlines()) == 2
    assert "orders.orders" in found
    lines = run("journal", "search", "--order", "S1", "--since", "1d", "--json", config=config)
    assert [json.loads(one)["arguments"] for one in lines.splitlines()] == ['[["S1"]]'] * 2
    assert run("journal", "search", "--sku", "S1", config=config) == "nothing found\n"


def test_errors(config: Path) -> None:
    assert "no <n>" in run("journal", "errors", config=config)
    (group,) = run("journal", "errors", "--json", config=config).splitlines()
    assert json.loads(group)["count"] == 1
    assert run("journal", "errors", "--upstream", "pim", config=config) == "no failures\n"


def test_show(config: Path) -> None:
    assert json.loads(run("journal", "show", "2", config=config))["detail"] == "no 7"
    assert "no entry 99" in run("journal", "show", "99", config=config, code=1)


def test_export(config: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    run("journal", "export", "--output", str(output), config=config)
    times = [json.loads(line)["at"] for line in output.read_text().splitlines()]
    assert times == sorted(times)
    assert len(times) == 3


def test_capture(config: Path, tmp_path: Path) -> None:
    assert "600 seconds" in run("journal", "capture", "erp", "--for", "10m", config=config)
    store = Store(connect(tmp_path / "journal.db"))
    assert store.captures(time.time()) == {"erp"}
    assert "ended" in run("journal", "capture", "erp", "--stop", config=config)
    assert store.captures(time.time()) == frozenset()
    store.close()


@pytest.mark.parametrize(
    "arguments",
    [
        ("journal", "search"),
        ("journal", "errors"),
        ("journal", "export"),
        ("journal", "replay", "1"),
        ("journal", "capture", "erp"),
        ("usage",),
    ],
    ids=" ".join,
)
def test_without_a_journal(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    config = tmp_path / "passerelle.toml"
    config.write_text(f'[journal]\nfile = "{tmp_path / "none.db"}"\n')

    assert "there is no journal" in run(*arguments, config=config, code=1)


@pytest.mark.parametrize("since", ["soon", "never", "1y", "-1h"])
def test_times_that_are_none(config: Path, since: str) -> None:
    run("journal", "search", "--since", since, config=config, code=2)


def test_a_table_that_is_not_valid(tmp_path: Path) -> None:
    config = tmp_path / "passerelle.toml"
    config.write_text("[journal]\nmax_bytes = 1\n")

    assert "[journal] is not valid" in run("journal", "search", config=config, code=2)


def test_usage(config: Path, tmp_path: Path) -> None:
    core = schema()._schema
    usage = Usage(core)
    usage.note("shop", "P", Documents(core).document('query P { product(sku: "A") { name } }'))
    store = Store(connect(tmp_path / "journal.db"))
    usage.flush(store)
    store.close()

    assert "Product.name" in run("usage", config=config)
    fields = {
        json.loads(one)["field"] for one in run("usage", "--json", config=config).splitlines()
    }
    assert fields == {"Query.product", "Query.product(sku:)", "Product.name"}
    assert run("usage", "--deprecated", config=config) == "nothing was used\n"


def test_a_schema_that_lost_a_field(config: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.graphql"
    old.write_text(sdl().replace("type Query {", "type Query {\n  gone: Int", 1))
    diff = ("schema", "diff", "--against", str(old))

    assert "Query.gone" in run(*diff, config=config)
    assert "Query.gone" in run(*diff, "--fail-on", "breaking", config=config, code=1)
    told = json.loads(run(*diff, "--json", config=config))
    assert [one["severity"] for one in told["changes"]] == ["breaking"]


def test_the_same_schema_by_its_introspection(config: Path, tmp_path: Path) -> None:
    same = tmp_path / "same.json"
    core = schema()._schema
    data = graphql_sync(core, introspection(input_value_deprecation=True)).data
    same.write_text(json.dumps({"data": data}))

    output = run("schema", "diff", "--against", str(same), "--fail-on", "dangerous", config=config)
    assert "breaking" not in output


@pytest.mark.parametrize("text", [None, "no schema {"])
def test_what_is_no_schema(config: Path, tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "other.graphql"
    if text is not None:
        file.write_text(text)
    run("schema", "diff", "--against", str(file), config=config, code=2)


def test_a_severity_that_is_none(config: Path) -> None:
    run("schema", "diff", "--against", "x", "--fail-on", "bad", config=config, code=2)
