"""The dashboard and the alert rules speak of metrics that there are."""

import json
import re
from pathlib import Path

import pytest
import yaml

from gateway.settings import read
from gateway.telemetry.instruments import Instruments

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"\b(?:passerelle|process)_[a-z_]+")
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def dashboard() -> set[str]:
    told = json.loads((ROOT / "deploy/grafana/passerelle.json").read_text(encoding="utf-8"))
    return {target["expr"] for panel in told["panels"] for target in panel["targets"]}


def alerts() -> set[str]:
    told = yaml.safe_load((ROOT / "deploy/alerts/passerelle.yml").read_text(encoding="utf-8"))
    return {rule["expr"] for group in told["groups"] for rule in group["rules"]}


def documented() -> set[str]:
    page = (ROOT / "docs/journal.md").read_text(encoding="utf-8")
    return set(NAME.findall(page))


def test_every_figure_is_documented() -> None:
    instruments = Instruments(read({"tracing": {"endpoint": "http://127.0.0.1:9"}}))
    told = {line.split()[2] for line in instruments.lines() if line.startswith("# TYPE")}

    assert len(told) > 10
    assert told <= documented()


@pytest.mark.parametrize("expressions", [dashboard(), alerts()], ids=["dashboard", "alerts"])
def test_expressions_name_figures_that_there_are(expressions: set[str]) -> None:
    used = {SUFFIX.sub("", name) for one in expressions for name in NAME.findall(one)}

    assert used
    assert used <= documented()
