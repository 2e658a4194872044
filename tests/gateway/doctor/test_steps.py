"""Single steps against made-up answers: quotas, limits, secrets, texts of reports."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from connectors import registry
from gateway.doctor import machine, pace, page
from gateway.doctor.reading import Patient, Readings, read_all
from gateway.doctor.report import Examination, Report
from gateway.doctor.samples import Samples
from gateway.doctor.secrets import Secrets
from gateway.doctor.tap import Tap
from ports.common import PageRequest
from ports.errors import RefusedError
from upstream.config import UpstreamConfig
from upstream.connector import Upstream
from upstream.diagnosis import Finding, Outcome, counted, life
from upstream.exchanges import Exchanges
from upstream.reference import own_call


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, "skipped"),
        ({"x-ratelimit-remaining": "many"}, "skipped"),
        ({"x-ratelimit-remaining": "3"}, "passed"),
        ({"x-ratelimit-remaining": "90", "x-ratelimit-limit": "100"}, "passed"),
        ({"ratelimit-remaining": "9", "ratelimit-limit": "100"}, "warning"),
        (
            {"x-hubspot-ratelimit-daily-remaining": "5", "x-hubspot-ratelimit-daily": "900"},
            "warning",
        ),
    ],
    ids=str,
)
def test_what_is_left_of_a_quota(headers: Mapping[str, str], outcome: str) -> None:
    assert pace.quota(headers).outcome == outcome


@pytest.mark.parametrize(("days", "outcome"), [(80, "passed"), (7, "warning"), (-1, "failed")])
def test_how_long_a_key_lives(days: int, outcome: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)

    found = life(now + timedelta(days=days), "the key", "Make a new one.", now)

    assert found.outcome == outcome
    assert (found.remedy == "") is (outcome == "passed")


@pytest.mark.parametrize(
    ("rows", "needed", "outcome"),
    [(5, True, "passed"), (0, True, "failed"), (0, False, "warning"), (None, True, "skipped")],
)
async def test_rows_are_rights(rows: int | None, needed: bool, outcome: str) -> None:
    async def count() -> int | None:
        return rows

    assert (await counted("orders", count, "the right", needed=needed)).outcome == outcome


def example_of(kind: str) -> UpstreamConfig:
    found = registry.find(kind).config()
    return found.model_validate(vars(found)["example"].__get__(None, found)())


def test_secrets_are_taken_out_in_every_form() -> None:
    config = example_of("odoo").model_copy(update={"api_key": SecretStr("a+b/c d=e")})
    encoded = base64.b64encode(b"a+b/c d=e").decode()
    text = f"a+b/c d=e a%2Bb%2Fc%20d%3De a%2Bb%2Fc+d%3De {encoded}"
    findings = [Finding("credentials", "failed", text, f"not {text}")]

    hidden = Secrets(config).taken_out(Examination("erp", "odoo", "", (), findings))

    assert hidden.findings[0].detail == "*** *** *** ***"
    assert hidden.findings[0].remedy == "not *** *** *** ***"


class Directory:
    """A port of customers whose system takes fewer keys than it is declared to."""

    def __init__(self, bears: int) -> None:
        self._bears = bears
        self.sizes: list[int] = []

    async def customers(self, numbers: Sequence[str], /, *, call: Any) -> dict[str, Any]:
        self.sizes.append(len(numbers))
        if len(numbers) > self._bears:
            raise RefusedError(system="CRM", upstream="crm", operation="customers.customers")
        return {"C1": "a customer"} if "C1" in numbers else {}

    async def contacts(self, numbers: Sequence[str], /, *, call: Any) -> dict[str, Any]:
        raise KeyError("a fault of the connector")

    async def representatives(self, keys: Sequence[str], /, *, call: Any) -> dict[str, Any]:
        return {}

    async def search(self, text: Any, numbers: Any, page: PageRequest, /, *, call: Any) -> Any:
        raise TimeoutError


class Known(Samples):
    """Keys that need no search."""

    async def keys(self, operation: str) -> Sequence[Any]:
        return ["C1"] if operation != "customers.representatives" else ()


async def steps_of(port: Directory) -> dict[str, Finding]:
    upstream = Upstream("crm", registry.find("hubspot").manifest, Exchanges())
    samples, readings = Known({}, 5, own_call), Readings()
    patient = Patient("customers", port, upstream, samples, frozenset(), Tap(), own_call, 5)
    await read_all(patient, readings)
    return {one.step: one for one in readings.findings}


async def test_a_limit_that_is_honoured() -> None:
    port = Directory(bears=100)
    steps = await steps_of(port)

    assert steps["batch customers.customers"].outcome == "passed"
    assert sorted(port.sizes) == [1, 1, 100, 100]


async def test_a_limit_that_the_system_does_not_bear() -> None:
    found = (await steps_of(Directory(bears=50)))["batch customers.customers"]

    assert (found.outcome, "README" in found.remedy) == ("failed", True)


async def test_faults_of_a_connector_are_steps_that_failed() -> None:
    steps = await steps_of(Directory(bears=100))

    assert "KeyError" in steps["read customers.contacts"].detail
    assert "connector" in steps["read customers.contacts"].remedy
    assert "deadline" in steps["read customers.search"].detail
    assert steps["read customers.representatives"].outcome == "skipped"


HOSTILE = '<script>alert("x")</script>\x00 & \ud800'


def hostile() -> Report:
    finding = Finding("read <b>", "failed", HOSTILE, HOSTILE)
    one = Examination("<erp>", "<odoo>", "http://<x>", ("<role>",), [finding])
    return Report(datetime(2026, 11, 24, tzinfo=UTC), "1.0", [one])


def test_hostile_texts_stay_texts_on_the_page() -> None:
    html = page.as_html(hostile())

    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_junit_is_as_its_readers_want_it() -> None:
    import xml.etree.ElementTree as ET

    outcomes: list[Outcome] = ["passed", "failed", "warning", "skipped", "failed"]
    found = [Finding(f"step {one}", one, "detail", "remedy", 0.25) for one in outcomes]
    some = [Examination(name, "odoo", "http://x", (), found) for name in ("erp", "crm")]
    root = ET.fromstring(machine.as_junit(Report(datetime(2026, 1, 2, tzinfo=UTC), "1", some)))

    assert root.tag == "testsuites"
    assert {one.tag for one in root} == {"testsuite"}
    assert [one.get("name") for one in root] == ["erp", "crm"]
    for suite in root:
        assert suite.get("timestamp") == "2026-01-02T00:00:00"
        cases = list(suite)
        assert {one.tag for one in cases} == {"testcase"}
        for case in cases:
            assert all(case.get(name) for name in ("name", "classname"))
            assert [one.tag for one in case] in (["failure"], ["skipped"], ["system-out"])
    for each, times in [(root, 2), *((suite, 1) for suite in root)]:
        assert {name: each.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
            "tests": str(5 * times),
            "failures": str(len(each.findall(".//failure"))),
            "errors": "0",
            "skipped": str(len(each.findall(".//skipped"))),
        }
        spent = sum(float(one.get("time") or "nan") for one in each.iter("testcase"))
        assert float(each.get("time") or "nan") == spent == 1.25 * times


def test_hostile_texts_stay_texts_in_junit() -> None:
    import xml.etree.ElementTree as ET

    root = ET.fromstring(machine.as_junit(hostile()))

    failure = root.find(".//failure")
    assert failure is not None
    assert "<script>" in (failure.get("message") or "")
