"""What every convention looks at: this checkout's own files."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

PACKAGES = ("connectors", "gateway", "ports", "resolvers", "sandbox", "schema", "upstream")
CHECKED = (*PACKAGES, "benchmarks", "scripts", "tests")


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).parents[2]


@pytest.fixture(scope="session")
def packages() -> tuple[str, ...]:
    return PACKAGES


@pytest.fixture(scope="session")
def sources(root: Path) -> Mapping[str, str]:
    """Text of every Python file, by its path from the root of the checkout."""
    return {
        file.relative_to(root).as_posix(): file.read_text(encoding="utf-8")
        for folder in CHECKED
        for file in python_files(root / folder)
    }


def python_files(folder: Path) -> Iterator[Path]:
    files = sorted(folder.rglob("*.py"))
    return (file for file in files if not {"__pycache__", "node_modules"} & set(file.parts))
