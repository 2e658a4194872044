"""Every connector is the same folder, whoever wrote it."""

import tomllib
from pathlib import Path

import pytest

from connectors import registry
from upstream.config import UpstreamConfig

FILES = {
    "README.md",
    "client.py",
    "config.py",
    "connector.py",
    "manifest.toml",
    "mapping.py",
    "quality.toml",
}
GRADES = {"usable", "operable", "trusted"}
STATES = {"done", "todo", "exempt"}
ROOT = Path(__file__).parents[2]
FOLDERS = sorted(path.parent for path in (ROOT / "connectors").glob("*/manifest.toml"))

connector = pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)


def test_there_are_connectors() -> None:
    assert FOLDERS


@connector
def test_the_folder_holds_the_seven_files(folder: Path) -> None:
    assert not FILES - {file.name for file in folder.iterdir()}
    assert (ROOT / "tests" / "connectors" / folder.name).is_dir()


@connector
def test_the_manifest_tells_the_truth(folder: Path) -> None:
    manifest = registry.manifests()[folder.name]
    found = registry.find(manifest.name)

    assert manifest.title
    assert manifest.ports
    assert issubclass(found.config(), UpstreamConfig)
    assert callable(found.connector())
    assert not {name.partition(".")[0] for name in manifest.operations} - set(manifest.ports)
    assert all((ROOT / "ports" / f"{port}.py").is_file() for port in manifest.ports)


@connector
def test_the_example_configuration_parses(folder: Path) -> None:
    config = registry.find(folder.name).config()
    example = vars(config)["example"].__get__(None, config)()

    assert example["kind"] == folder.name
    assert config.model_validate(example).kind == folder.name


@connector
def test_every_key_is_described_and_secrets_have_their_type(folder: Path) -> None:
    for name, key in registry.find(folder.name).config().model_fields.items():
        assert key.description, f"{name} has no description"
        secret = name.endswith(("_key", "_secret", "password", "token"))
        assert not secret or "SecretStr" in str(key.annotation), f"{name} would be printed"


@connector
def test_the_readme_states_rights_and_limits(folder: Path) -> None:
    readme = (folder / "README.md").read_text(encoding="utf-8")

    assert readme.startswith("# ")
    for heading in ("rights", "limits", "configuration"):
        assert heading in readme.lower(), f"{folder.name}/README.md has nothing on {heading}"


@connector
def test_the_quality_list_is_complete(folder: Path) -> None:
    """Each rule is done, todo, or exempt with the reason in the same line."""
    quality = tomllib.loads((folder / "quality.toml").read_text(encoding="utf-8"))

    assert set(quality) == GRADES
    for rules in quality.values():
        assert rules
        for rule, state in rules.items():
            word, _, reason = state.partition(": ")
            assert word in STATES, f"{rule} = {state!r}"
            assert word != "exempt" or reason, f"{rule} is exempt for no reason"
