"""How the benchmark starts our gateways, and what it says where the harness is not to be had."""

import importlib
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.peers.conftest import PEERS

CONFIGS = ("bench.toml", "cached.toml", "collapsed.toml")


@pytest.fixture
def harness() -> Any:
    return importlib.import_module("harness")


def test_a_server_is_started_with_what_is_taken_out_of_it(harness: Any) -> None:
    server = harness.Server("bare", "cached.toml", without="limits", environment={"A": "1"})

    words = shlex.split(server.command)

    assert words[:2] == ["env", "A=1"]
    assert words[3:] == [
        str(PEERS / "without.py"),
        "limits",
        str(PEERS / "cached.toml"),
        "{port}",
    ]


def test_a_harness_that_is_not_there_is_told(
    harness: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_PEERS", str(tmp_path))

    with pytest.raises(harness.HarnessError, match="BENCH_PEERS"):
        harness.installed()


def test_the_modes_differ_in_what_they_keep_and_in_nothing_else() -> None:
    told = [tomllib.loads((PEERS / name).read_text(encoding="utf-8")) for name in CONFIGS]
    kept = [one.pop("cache") for one in told]

    assert told[0] == told[1] == told[2]
    assert kept[0] == {"enabled": False, "responses": {"enabled": False}}
    assert kept[1]["enabled"]
    ages = [
        role["max_age_seconds"]
        for roles in kept[2]["lifetimes"].values()
        for role in roles.values()
    ]
    assert set(ages) == {0}
