"""What `scripts/new-connector` makes passes the checks before anybody has touched it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ("wms", "nordic_warehouse_management_system")


@pytest.fixture(params=NAMES)
def scaffold(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> tuple[Path, str]:
    """A copy of the checkout's code with a connector just made."""
    for folder in ("connectors", "ports", "upstream"):
        skip = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / folder, tmp_path / folder, ignore=skip)
    shutil.copy(root / "pyproject.toml", tmp_path)
    make(root, tmp_path, request.param)
    return tmp_path, request.param


def make(root: Path, into: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = [root / "scripts" / "new-connector", name, "--root", into]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(into: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A tool of this environment, on the copy alone."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=into,
        env={"PYTHONPATH": str(into), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_passes_style_and_types(scaffold: tuple[Path, str]) -> None:
    copy, name = scaffold
    made = (f"connectors/{name}", f"tests/connectors/{name}")

    for command in (
        ("ruff", "check", *made),
        ("ruff", "format", "--check", *made),
        ("mypy", "--config-file=pyproject.toml", f"connectors/{name}"),
    ):
        result = run(copy, *command)
        assert result.returncode == 0, result.stdout + result.stderr


def test_its_own_tests_pass(scaffold: tuple[Path, str]) -> None:
    copy, name = scaffold
    result = run(copy, "pytest", "-q", "-p", "no:cacheprovider", f"tests/connectors/{name}")

    assert result.returncode == 0, result.stdout + result.stderr


def test_it_is_the_same_folder_as_any_connector(scaffold: tuple[Path, str], root: Path) -> None:
    copy, name = scaffold
    checked = root / "tests" / "conventions"
    shutil.copytree(checked, copy / "tests" / "conventions")
    result = run(
        copy, "pytest", "-q", "-p", "no:cacheprovider", "tests/conventions/test_connectors.py",
        "-k", f"{name} or there_are",
    )  # fmt: skip

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("name", ["Wms", "2wms", "a-b", "../x", ""])
def test_what_is_no_name_is_refused(root: Path, tmp_path: Path, name: str) -> None:
    assert make(root, tmp_path, name).returncode == 2
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(root: Path, tmp_path: Path) -> None:
    assert make(root, tmp_path, "wms").returncode == 0
    (tmp_path / "connectors/wms/client.py").write_text("# mine")

    assert make(root, tmp_path, "wms").returncode == 2
    assert (tmp_path / "connectors/wms/client.py").read_text() == "# mine"
