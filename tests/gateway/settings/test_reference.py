"""What is written about the keys agrees with them."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connectors import registry
from gateway.settings import Settings, json_schema, read
from gateway.settings.annotations import table_of
from gateway.settings.reference import example, key_tables, sections, toml
from ports.catalog import ProductRelationKind

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_committed_schema_is_up_to_date() -> None:
    """Else: `passerelle config schema --output passerelle.schema.json`."""
    assert json.loads(text_of("passerelle.schema.json")) == json_schema()


def test_the_committed_example_is_up_to_date() -> None:
    """Else: `passerelle config example --output deploy/passerelle.example.toml`."""
    assert text_of("deploy/passerelle.example.toml") == example()


def test_the_documentation_has_every_key() -> None:
    """Else: put what `passerelle config keys` prints below the heading `Keys`."""
    assert text_of("docs/configuration.md").endswith(f"## Keys\n\n{key_tables()}")


def test_every_setting_is_described() -> None:
    for path, model in sections():
        assert model.__doc__, path
        for name, field in model.model_fields.items():
            assert field.description, f"{path}.{name}"
            if table_of(field.annotation) is None:
                assert f"| `{name}` |" in key_tables()


def test_the_example_is_valid_once_its_secrets_are_there(validator: Draft202012Validator) -> None:
    tables = tomllib.loads(example())
    secrets = {
        f"PASSERELLE_UPSTREAMS__{name}__{key}": "0123456789"
        for name in ("PIM", "ERP", "CRM", "DHL", "UPS")
        for key, of in (
            ("CLIENT_SECRET", {"PIM", "UPS"}),
            ("PASSWORD", {"PIM"}),
            ("API_KEY", {"ERP", "DHL"}),
            ("TOKEN", {"CRM"}),
        )
        if name in of
    }

    settings = read(tables, secrets)

    assert not list(validator.iter_errors(tables))
    assert {config.kind for config in settings.upstreams.values()} >= set(registry.manifests())
    assert all(value for role, value in settings.roles if role != "directory")


def test_every_key_of_the_example_is_a_key() -> None:
    """Uncommented, all of it is TOML, and nothing in it is unknown."""
    lines = example().splitlines()
    opened = [line.removeprefix("# ") if " = " in line else line for line in lines]
    tables = tomllib.loads("\n".join(opened))

    # These are tables of names of one's own.
    assert set(tables) == set(Settings.model_fields) - {"webhooks", "polling", "alerts"}
    for table in tables["upstreams"].values():
        fields = registry.find(table["kind"]).config().model_fields
        assert set(table) == set(fields)


@pytest.mark.parametrize(
    ("tables", "valid"),
    [
        ({}, True),
        ({"upstreams": {"x": {"kind": "company.sage:Sage", "anything": 1}}}, True),
        ({"upstreams": {"x": {"kind": "dhl", "base_url": "https://x"}}}, True),
        ({"upstreams": {"x": {"kind": "dhl"}}}, False),
        ({"upstreams": {"x": {"kind": "dhl", "base_url": "https://x", "apikey": ""}}}, False),
        ({"upstreams": {"x": {}}}, False),
        ({"server": {"prot": 1}}, False),
        ({"sever": {}}, False),
        ({"roles": {"tracking": {"dhl": 3}}}, False),
    ],
)
def test_the_schema_knows_right_from_wrong(
    validator: Draft202012Validator, tables: dict[str, Any], valid: bool
) -> None:
    assert validator.is_valid(tables) is valid


def test_the_schema_holds_no_text_of_the_code() -> None:
    assert "pydantic" not in json.dumps(json_schema())
    assert "writeOnly" in json.dumps(json_schema()["$defs"]["OdooConfig"])


@pytest.mark.parametrize(
    "value",
    [True, 3, 2.5, "a \"quoted\" \\ 'text'\n", [1, "x"], {"a-b": {"c d": [True]}}, {}, []],
)
def test_values_are_written_as_toml_reads_them(value: Any) -> None:
    assert tomllib.loads(f"value = {toml(value)}") == {"value": value}


def test_enumerations_are_written_as_their_values() -> None:
    assert toml(ProductRelationKind.UPSELL) == '"UPSELL"'


# ---------------------------------------------------------------- files that others start from


def assigned(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(PASSERELLE_\w+)=(.+)$", text, re.MULTILINE))


def test_the_file_of_the_containers_is_valid() -> None:
    settings = read(
        tomllib.loads(text_of("deploy/passerelle.toml")), assigned(text_of("deploy/sandbox.env"))
    )

    assert all(value for role, value in settings.roles if role != "directory")


def test_the_first_page_tells_a_file_that_works() -> None:
    readme = text_of("README.md")
    [file] = re.findall(r"```toml\n(# passerelle\.toml\n.*?)```", readme, re.DOTALL)
    variables = dict.fromkeys(re.findall(r"(PASSERELLE_UPSTREAMS__\w+)=\.\.\.", readme), "secret")

    assert read(tomllib.loads(file), variables).roles.catalog == "pim"


def test_the_tables_of_the_documentation_are_toml() -> None:
    for block in re.findall(r"```toml\n(.*?)```", text_of("docs/configuration.md"), re.DOTALL):
        assert tomllib.loads(block)
