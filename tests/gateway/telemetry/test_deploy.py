"""The dashboard and the alert rules speak of metrics that there are."""

import json
import re
from pathlib import Path

import pytest
import yaml

from gateway.settings import read
from gateway.telemetry.alerts import EVENTS
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


PAGE = "docs/operations.md"


def runbooks() -> dict[str, str]:
    """What stands under each heading of the page's last part, by its anchor."""
    page = (ROOT / PAGE).read_text(encoding="utf-8").partition("## Runbooks")[2]
    parts = [one.partition("\n") for one in page.split("\n### ")[1:]]
    return {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-"): text
        for title, _, text in parts
    }


def rules() -> list[tuple[str, str]]:
    told = yaml.safe_load((ROOT / "deploy/alerts/passerelle.yml").read_text(encoding="utf-8"))
    return [
        (rule["alert"], rule["annotations"].get("runbook", ""))
        for group in told["groups"]
        for rule in group["rules"]
    ]


@pytest.mark.parametrize(("name", "runbook"), rules())
def test_every_rule_has_a_runbook(name: str, runbook: str) -> None:
    page, _, anchor = runbook.partition("#")

    assert page == PAGE, name
    assert "1. " in runbooks()[anchor]


def test_every_alert_of_the_gateway_has_a_runbook() -> None:
    code = "".join(
        one.read_text(encoding="utf-8") for one in (ROOT / "gateway/telemetry").glob("alerts*.py")
    )
    found = dict(
        re.findall(r'event="(\w+)".*?runbook="docs/operations\.md#([\w-]+)"', code, re.DOTALL)
    )

    assert found.keys() == set(EVENTS)
    assert set(found.values()) <= runbooks().keys()


def test_links_between_runbooks_lead_somewhere() -> None:
    texts = runbooks()
    named = {anchor for text in texts.values() for anchor in re.findall(r"\]\(#([\w-]+)\)", text)}

    assert named
    assert named <= texts.keys()
