"""The checkout as a whole: whose packages run, what the locks say, what the scripts are."""

import importlib
import os
import re
import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

SCRIPT_LINES = 25
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "deploy/lint.lock",
    "frontend/package-lock.json",
    "tests/gateway/http_audits/package-lock.json",
)


def test_the_packages_are_ours(root: Path, packages: tuple[str, ...]) -> None:
    for name in packages:
        found = importlib.import_module(name)
        assert found.__file__ is not None
        assert Path(found.__file__).is_relative_to(root), f"{name} comes from elsewhere"


def test_no_other_distribution_has_our_names(packages: tuple[str, ...]) -> None:
    owners = packages_distributions()

    assert not {
        name: owners[name]
        for name in packages
        if set(owners.get(name, ["passerelle"])) != {"passerelle"}
    }


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host(root: Path, lock: str) -> None:
    text = (root / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert not re.search(r"--(index-url|extra-index-url|find-links)|\"resolved\"", text)


@pytest.mark.parametrize("lock", [name for name in LOCKS if not name.endswith("json")])
def test_every_pin_has_a_hash(root: Path, lock: str) -> None:
    logical = (root / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    pins = [line for line in logical if re.match(r"[a-z0-9]", line)]

    assert pins
    assert not [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin]


def test_scripts_are_short_strict_and_explained(root: Path) -> None:
    scripts = [file for file in (root / "scripts").iterdir() if file.is_file() and not file.suffix]
    assert scripts

    for script in [*scripts, root / ".ci" / "run"]:
        lines = script.read_text(encoding="utf-8").splitlines()
        assert os.access(script, os.X_OK), script
        assert lines[0].startswith("#!/usr/bin/env "), script
        assert lines[1].startswith(("# ", '"""')), f"{script} does not say what it is for"
        if "bash" in lines[0]:
            assert "set -euo pipefail" in lines, script
            assert len(lines) <= SCRIPT_LINES, script


def test_every_target_of_the_makefile_calls_a_script(root: Path) -> None:
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    called = set(re.findall(r"scripts/([a-z-]+)", makefile))

    assert {"demo", "test", "setup", "check"} <= called
    assert not [name for name in called if not (root / "scripts" / name).is_file()]
    listed = subprocess.run(["make", "-C", root, "-s"], capture_output=True, text=True, check=True)
    assert "demo" in listed.stdout
