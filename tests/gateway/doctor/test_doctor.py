"""The whole examination against the sandbox on real sockets: each step made to fail in turn."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.cli.toml_text import toml_text
from tests.gateway.doctor.conftest import Peer, Surgery, step_of

KINDS = {"pim": "akeneo", "erp": "odoo", "crm": "hubspot", "dhl": "dhl", "ups": "ups"}
SECRETS = {
    "pim": {"client_secret": "wrong-secret-one"},
    "erp": {"api_key": "wrong-secret-two"},
    "crm": {"token": "wrong-secret-three"},
    "dhl": {"api_key": "wrong-secret-four"},
    "ups": {"client_secret": "wrong-secret-five"},
}
# All that may be sent beside GET: searches, batch reads, counts, tokens.
READS = re.compile(
    r"(/token|/search|/batch/read|/products-uuid/search|/access-token-info"
    r"|/json/2/[a-z._]+/(search_count|search_read|web_search_read|read|fields_get|read_group"
    r"|formatted_read_group|context_get|onchange))$"
)


def test_all_is_well_and_nothing_is_written(surgery: Surgery, peer: Peer) -> None:
    code, report = surgery.run()

    assert code == 0
    assert report["ok"]
    assert report["counts"]["failed"] == 0
    assert {one["upstream"]: one["kind"] for one in report["upstreams"]} == KINDS
    for one in report["upstreams"]:
        steps = [step["step"] for step in one["steps"]]
        assert steps[:5] == ["name", "tcp", "tls", "clock", "credentials"]
        assert steps[-3:] == ["quota", "latency", "coverage"]
    assert peer.asked
    writing = [
        (method, path)
        for method, path in peer.asked
        if method != "GET" and not (method == "POST" and READS.search(path))
    ]
    assert writing == []


def test_every_operation_is_read_and_every_limit_asked(surgery: Surgery) -> None:
    _, report = surgery.run("erp")
    steps = {one["step"]: one for one in report["upstreams"][0]["steps"]}

    for operation in ("pricing.prices", "stock.availability", "orders.orders", "invoices.search"):
        assert steps[f"read {operation}"]["outcome"] == "passed"
    assert steps["batch orders.orders"]["detail"] == (
        "500 and 501 keys asked, never more than 500 a call"
    )
    assert steps["version"]["detail"] == "Odoo 19.0"
    assert steps["rights sale.order"]["detail"] == "1,500 rows"
    assert re.match(r"the key ends on \d{4}-\d\d-\d\d, in 8\d days", steps["key life"]["detail"])
    assert re.match(r"p50 .+, p95 .+ over 1 of ", steps["latency"]["detail"])


def test_fields_are_served_empty_or_unmapped(surgery: Surgery) -> None:
    _, report = surgery.run("pim", "erp")
    fields = {one["name"]: one for each in report["upstreams"] for one in each["coverage"]}

    assert fields["Product.name"]["state"] == "served"
    assert fields["Product.name"]["filled"] == fields["Product.name"]["records"] == 10
    assert fields["Image.width"]["state"] == "unmapped"
    assert fields["Price.quantityRule"]["state"] == "unmapped"
    assert fields["Price.validUntil"]["state"] == "empty"


@pytest.mark.parametrize("name", KINDS)
def test_a_wrong_key_is_told_and_not_shown(
    surgery: Surgery, name: str, peer: Peer, capsys: pytest.CaptureFixture[str]
) -> None:
    surgery.upstream(name, **SECRETS[name])
    code, report = surgery.run(name)

    found = step_of(report, "credentials")
    assert (code, found["outcome"]) == (1, "failed")
    assert "valid credentials" in found["remedy"]
    assert report["upstreams"][0]["steps"][-1]["step"] == "credentials"
    assert "wrong-secret" not in json.dumps(report)
    _ = capsys, peer


FAULTS = {
    "hangs": ({"hang": True}, "UPSTREAM_TIMEOUT", "slow"),
    "fails": ({"status": 500}, "UPSTREAM_UNAVAILABLE", "log"),
    "html": ({"malformed": "html"}, "UPSTREAM_MALFORMED", "proxy"),
    "cut": ({"malformed": "json"}, "UPSTREAM_MALFORMED", "base_url"),
    "throttles": ({"status": 429, "retry_after": 30}, "UPSTREAM_THROTTLED", "rate_per_second"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_system_in_trouble(surgery: Surgery, peer: Peer, fault: str) -> None:
    body, code, word = FAULTS[fault]
    surgery.upstream("dhl", timeout_seconds=0.3, tries=1)
    peer.fault("dhl", path="/track", **body)

    exit_code, found = surgery.step("dhl", "credentials")

    assert (exit_code, found["outcome"]) == (1, "failed")
    assert code in found["detail"]
    assert word in found["remedy"]


def test_a_system_that_is_only_slow_is_well(surgery: Surgery, peer: Peer) -> None:
    peer.fault("dhl", delay_ms=20)

    code, found = surgery.step("dhl", "latency")

    assert (code, found["outcome"]) == (0, "passed")


def restricted(*models: str) -> Any:
    """An Odoo whose record rules hide all rows of these models."""

    def twist(path: str, told: Any) -> Any:
        hidden = any(f"/{model}/" in path for model in models)
        return 0 if hidden and path.endswith("search_count") else told

    return twist


def test_a_restricted_key_sees_no_rows(surgery: Surgery, peer: Peer) -> None:
    peer.twist = restricted("sale.order")

    code, found = surgery.step("erp", "rights sale.order")

    assert (code, found["outcome"]) == (1, "failed")
    assert "0 rows: a restricted key sees nothing, without any error" in found["detail"]
    assert "Sales / User" in found["remedy"]


def test_a_system_may_be_empty_if_so_wished(surgery: Surgery, peer: Peer) -> None:
    peer.twist = restricted("sale.order")

    code, found = surgery.step("erp", "rights sale.order", allow_empty=True)

    assert (code, found["outcome"]) == (0, "warning")


def test_a_key_that_sees_nothing_at_all_has_good_credentials(surgery: Surgery, peer: Peer) -> None:
    peer.twist = restricted("product.product")

    code, report = surgery.run("erp")

    assert code == 1
    assert step_of(report, "credentials")["outcome"] == "passed"
    assert step_of(report, "rights product.product")["outcome"] == "failed"
    assert "no product for sale" in step_of(report, "rights")["detail"]


def test_a_right_that_is_refused(surgery: Surgery, peer: Peer) -> None:
    peer.fault("akeneo", path="/api/rest/v1/categories", status=403)

    code, found = surgery.step("pim", "rights categories")

    assert (code, found["outcome"]) == (1, "failed")
    assert "List categories" in found["remedy"]


def test_one_operation_that_fails_hides_no_other(surgery: Surgery, peer: Peer) -> None:
    def twist(path: str, told: Any) -> Any:
        return {"unexpected": 1} if path.endswith("/account.move/web_search_read") else told

    peer.twist = twist

    code, report = surgery.run("erp")

    assert code == 1
    assert step_of(report, "read invoices.search")["outcome"] == "failed"
    assert "UPSTREAM_MALFORMED" in step_of(report, "read invoices.search")["detail"]
    assert step_of(report, "read orders.search")["outcome"] == "passed"


def test_systems_whose_keys_differ(surgery: Surgery, peer: Peer) -> None:
    """The shop's SKUs are none of the ERP's: each works by itself, together they do not."""

    def twist(path: str, told: Any) -> Any:
        if not path.endswith("/products-uuid/search"):
            return told
        for item in told["_embedded"]["items"]:
            item["values"]["sku"] = [{**item["values"]["sku"][0], "data": f"X{item['uuid']}"}]
        return told

    peer.twist = twist

    code, found = surgery.step("erp", "read stock.availability")

    assert (code, found["outcome"]) == (1, "failed")
    assert "same SKUs" in found["remedy"]


def test_a_low_quota(surgery: Surgery, peer: Peer) -> None:
    peer.headers = {"x-ratelimit-limit": "250", "x-ratelimit-remaining": "3"}

    code, found = surgery.step("dhl", "quota")

    assert (code, found["outcome"]) == (0, "warning")
    assert "3 left of 250" in found["detail"]


def test_an_address_where_nobody_listens_ends_that_upstream_alone(surgery: Surgery) -> None:
    surgery.upstream("pim", base_url="http://127.0.0.1:1")

    code, report = surgery.run("pim", "dhl")

    first, second = report["upstreams"]
    assert code == 1
    assert [one["step"] for one in first["steps"]] == ["name", "tcp"]
    assert not first["ok"]
    assert second["ok"]


def test_answers_as_recorded_and_changed_ones(surgery: Surgery, peer: Peer, tmp_path: Path) -> None:
    assert surgery.run("erp", record=tmp_path)[0] == 0
    assert surgery.step("erp", "drift", against=tmp_path)[1]["outcome"] == "passed"

    def twist(path: str, told: Any) -> Any:
        if path.endswith("/sale.order/web_search_read"):
            for record in told["records"]:
                record.pop("client_order_ref", None)
        return told

    peer.twist = twist
    code, report = surgery.run("erp", against=tmp_path)

    drift = [one for one in report["upstreams"][0]["steps"] if one["step"].startswith("drift ")]
    assert code == 1
    assert drift
    assert all("missing: $.records[].client_order_ref" in one["detail"] for one in drift)
    assert any("Order.purchaseOrderNumber" in one["detail"] for one in drift)


def test_a_recording_holds_nobodys_data(surgery: Surgery, tmp_path: Path) -> None:
    surgery.run("crm", record=tmp_path)

    text = (tmp_path / "crm.json").read_text(encoding="utf-8")
    assert '"fields"' in text
    assert "@" not in text


@pytest.fixture
def file(surgery: Surgery, tmp_path: Path) -> Path:
    path = tmp_path / "passerelle.toml"
    path.write_text(toml_text(surgery.tables), encoding="utf-8")
    return path


def test_reports_for_people_ci_and_clients(file: Path, tmp_path: Path) -> None:
    junit, html = tmp_path / "doctor.xml", tmp_path / "doctor.html"
    options = ["--junit", str(junit), "--html", str(html), "--reads", "1", "--sample", "5"]

    done = CliRunner().invoke(app, ["doctor", "dhl", "--config", str(file), *options])

    assert done.exit_code == 0, done.output
    assert "Tracking.status" in done.stdout
    assert "0 failed" in done.stdout
    suite = ET.parse(junit).getroot()[0]
    assert suite.get("name") == "dhl"
    assert int(suite.get("tests") or 0) == len(suite.findall("testcase"))
    page = html.read_text(encoding="utf-8")
    assert "All connections are well" in page
    assert not re.search(r"(src|href)=\"(?!#)", page)


def test_a_failure_in_every_report(file: Path, tmp_path: Path, peer: Peer) -> None:
    junit, html = tmp_path / "doctor.xml", tmp_path / "doctor.html"
    peer.fault("dhl", path="/track", status=500)
    text = file.read_text(encoding="utf-8").replace("[roles", "[graphql]\n[roles", 1)
    file.write_text(text, encoding="utf-8")

    options = ["--junit", str(junit), "--html", str(html)]
    done = CliRunner().invoke(app, ["doctor", "dhl", "--config", str(file), *options])

    assert done.exit_code == 1
    assert "FAILED" in done.stdout
    failure = ET.parse(junit).getroot().find(".//failure")
    assert failure is not None
    assert "UPSTREAM_UNAVAILABLE" in (failure.get("message") or "")
    assert "Not all connections work" in html.read_text(encoding="utf-8")


MISTAKES = {
    "unknown upstream": (["nobody"], "no such upstream; there are"),
    "no folder": (["--html", "/nowhere/at/all.html"], "no such folder"),
    "nothing recorded": (["--against", "/nowhere"], "--record first"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_done_ends_with_2(file: Path, peer: Peer, mistake: str) -> None:
    arguments, told = MISTAKES[mistake]

    done = CliRunner().invoke(app, ["doctor", *arguments, "--config", str(file)])

    assert done.exit_code == 2
    assert told in done.stderr
    assert peer.asked == []


def test_a_wrong_configuration_ends_with_2(tmp_path: Path) -> None:
    file = tmp_path / "passerelle.toml"
    file.write_text("sever = 1", encoding="utf-8")

    assert CliRunner().invoke(app, ["doctor", "--config", str(file)]).exit_code == 2
